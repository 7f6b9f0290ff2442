"""Telling the admins that something is wrong (spec: "Reporting Content")."""

from __future__ import annotations

from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, LimitExceeded, NotFound
from server.foundation.ids import random_letters
from server.rooms.history import History
from server.rooms.report_store import Report, add_report, times_of_reports
from server.rooms.rooms import Rooms
from server.storage.database import Database

MAX_REASON: Final = 2_000
MOST_A_DAY: Final = 50
_DAY_MS: Final = 86_400_000


class Reports:
    """Keeps what is reported."""

    def __init__(self, database: Database, rooms: Rooms, history: History, clock: Clock) -> None:
        self._database = database
        self._rooms = rooms
        self._history = history
        self._clock = clock

    async def report_room(self, reporter: str, room_id: str, reason: str) -> None:
        """Report a room, from outside too; raises ``NotFound``."""
        await self._rooms.get(room_id)
        await self._keep(reporter, reason, room_id=room_id)

    async def report_event(self, reporter: str, room_id: str, event_id: str, reason: str) -> None:
        """Report an event that one sees as a member; raises ``NotFound``."""
        room = await self._rooms.find(room_id)
        if room is None or room.membership(reporter) != "join":
            raise NotFound("There is no such event, or you are not in its room")
        entry = await self._history.event(room_id, reporter, event_id)
        await self._keep(reporter, reason, room_id=room_id, event_id=event_id, user_id=entry.event.sender)

    async def report_user(self, reporter: str, user_id: str, reason: str) -> None:
        """Report a user, whose existence was checked."""
        await self._keep(reporter, reason, user_id=user_id)

    async def _keep(
        self, reporter: str, reason: str, *, room_id: str = "", event_id: str = "", user_id: str = ""
    ) -> None:
        if len(reason) > MAX_REASON or "\0" in reason:
            raise InvalidParam(f"A reason has at most {MAX_REASON} characters")
        now = self._clock.now_ms()
        async with self._database.write() as tx:
            times = await times_of_reports(tx, reporter, now - _DAY_MS)
            if len(times) >= MOST_A_DAY:
                raise LimitExceeded("You have reported much today; please wait", times[0] + _DAY_MS - now)
            await add_report(tx, Report(random_letters(18), reporter, room_id, event_id, user_id, reason, now))
