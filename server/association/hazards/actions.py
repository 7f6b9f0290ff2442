"""Verbs of hazard reports: report, say how far it has been seen to, withdraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from server.association.hazards import hazards_store as store
from server.association.hazards.contents import report_content, state_content
from server.association.hazards.model import MAX_TEXT, NEXT, Hazard, HazardState, Sight, checked_sight
from server.association.hazards.projection import HazardProjection
from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

_DAY_MS: Final = 86_400_000
_MOST_A_DAY: Final = 20
# What was fixed is shown a while longer.
_SHOWN_MS: Final = 30 * _DAY_MS


class Hazards:
    """The association's hazard reports. ``attach`` it once."""

    def __init__(self, database: Database, clock: Clock, members: Members, sender: EventSender) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._listeners: list[Callable[[], None]] = []

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what is said in the board."""
        HazardProjection(self._members, self._changed).attach(acceptor)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when a report has come or has changed."""
        self._listeners.append(listener)

    async def shown(self, limit: int = 100) -> list[Hazard]:
        """What is open, and what was fixed within a month; the newest first."""
        now = self._clock.now_ms()
        found = await store.newest_hazards(self._database, limit)
        return [item for item in found if item.state is not HazardState.FIXED or item.changed_ms > now - _SHOWN_MS]

    async def get(self, user_id: str, hazard_id: str) -> Hazard:
        """One report, for everybody on the roster; raises ``NotFound`` or ``Forbidden``."""
        self._require_resident(user_id)
        found = await store.find_hazard(self._database, hazard_id)
        if found is None or not found.is_shown:
            raise NotFound("その知らせはありません")
        return found

    async def report(self, user_id: str, sight: Sight, content_type: str = "") -> Hazard:
        """Report; answers when it is on disk. The photo is a file that the same person has uploaded."""
        self._require_resident(user_id)
        sight = checked_sight(sight)
        since = self._clock.now_ms() - _DAY_MS
        if await store.count_by(self._database, user_id, since) >= _MOST_A_DAY:
            raise Refused("1日に知らせられるのは20件までです。急ぐときは役員に電話してください", status=429)
        board = self._members.hall_room(Purpose.BOARD)
        event = await self._sender.send(Draft(board, user_id, "m.room.message", report_content(sight, content_type)))
        return await self.get(user_id, event.event_id.removeprefix("$"))

    async def move(self, officer: str, hazard_id: str, state: HazardState, note: str = "") -> Hazard:
        """Say that it was seen, or fixed; whoever has reported it may withdraw it."""
        hazard, note = await self.get(officer, hazard_id), note.strip()
        is_own = state is HazardState.WITHDRAWN and hazard.reporter == officer
        if not is_own:
            self._members.require(officer, Right.POST_CIRCULARS)
        if state not in NEXT[hazard.state]:
            raise Refused(f"「{hazard.state.label}」を「{state.label}」にはできません", code="M_BAD_STATE", status=409)
        if len(note) > MAX_TEXT:
            raise InvalidParam(f"説明は{MAX_TEXT}字までです")
        content = state_content(hazard, state, note, officer)
        await self._sender.send(Draft(hazard.room_id, self._members.node_user_id, "m.room.message", content))
        moved = await store.find_hazard(self._database, hazard_id)
        assert moved is not None
        return moved

    def _require_resident(self, user_id: str) -> None:
        if user_id != self._members.node_user_id and self._members.person_of_user(user_id) is None:
            raise Forbidden("名簿にのっている人だけが見られます")

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
