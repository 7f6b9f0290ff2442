"""雨天中止: whoever wanted to come to what was called off hears of it in their own 窓口, however it was called off.

That somebody was told is a projection of the message itself, so a node that is killed in between neither forgets nor
repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.called_off_store import note_told, told_of
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, Moment, State
from server.association.gatherings.occurrences import occurrences_after, to_ms
from server.association.gatherings.words import notice_of
from server.association.members.members import Members
from server.association.members.model import Person
from server.foundation.clock import Clock
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
from server.rooms.send_to_each import send_to_each
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

MARK: Final = "jp.kairan.gathering.called_off"
_FOOT: Final = "「行きます」と こたえた方に、お知らせしています。"


@dataclass(frozen=True, slots=True)
class CalledOff:
    """What does not take place: a gathering, or the one ``day`` of a series."""

    gathering: Gathering
    day: Moment | None = None

    @property
    def day_ms(self) -> int:
        """0 for the whole gathering."""
        return 0 if self.day is None else to_ms(self.day)

    @property
    def sequence(self) -> int:
        """A gathering may be called off again after it was held all the same; a day is called off once."""
        return self.gathering.sequence if self.day is None else 0


class CallingOff:
    """Order of life: ``attach``, then ``tell`` again and again; where nothing is called off it costs no SQL."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, gatherings: Gatherings,
        attendance: Attendance,
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._gatherings = gatherings
        self._attendance = attendance
        self._turn = asyncio.Lock()
        self._done: set[tuple[str, int, int]] = set()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what the node says."""
        acceptor.project(self._said, ["m.room.message"])

    async def who_comes(self, gathering: Gathering) -> list[Person]:
        """Everybody who has said yes."""
        said = await self._attendance.to([gathering])
        found = (self._members.person_of_user(item.user_id) for item in said if item.answer is Answer.ACCEPTED)
        return [person for person in found if person is not None]

    async def tell(self) -> int:
        """Tell everybody who has not heard yet; answers how many."""
        async with self._turn:
            count = 0
            for off in self._ahead():
                key = (off.gathering.id, off.day_ms, off.sequence)
                if key not in self._done:
                    count += await self._tell(off)
                    self._done.add(key)
            return count

    def _ahead(self) -> Iterator[CalledOff]:
        """What would still have come."""
        now = self._clock.now_ms()
        for gathering in self._gatherings.changed_since(0):
            if gathering.state is State.CANCELLED and occurrences_after(gathering, now, 1):
                yield CalledOff(gathering)
            elif gathering.state is State.PLANNED:
                yield from (CalledOff(gathering, day) for day in gathering.plan.called_off if to_ms(day) > now)

    async def _tell(self, off: CalledOff) -> int:
        told = await told_of(self._database, off.gathering.id, off.day_ms, off.sequence)
        drafts = [self._draft(off, person) for person in await self.who_comes(off.gathering)
                  if person.user_id not in told and self._members.desk_room_of(person.id) is not None]
        await send_to_each(self._sender, [[draft] for draft in drafts])
        return len(drafts)

    def _draft(self, off: CalledOff, person: Person) -> Draft:
        body = f"{notice_of(off.gathering, off.gathering.reason, off.day)}\n{_FOOT}"
        mark = {"id": off.gathering.id, "day": off.day_ms, "sequence": off.sequence}
        content: dict[str, Any] = {"msgtype": "m.text", "body": body, MARK: mark}
        room_id = self._members.desk_room_of(person.id)
        assert room_id is not None
        return Draft(room_id, self._members.node_user_id, "m.room.message", content)

    def _said(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        mark = entry.event.content.get(MARK)
        if entry.event.sender != self._members.node_user_id or not isinstance(mark, dict):
            return
        person = self._members.person_of_desk_room(room.room_id)
        if person is not None and person.user_id is not None:
            note_told(writes, str(mark["id"]), int(mark["day"]), int(mark["sequence"]), person.user_id)
