"""What somebody said yes to, for their own calendar (``server.calendars.mine``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import for_calendar
from server.association.gatherings.gatherings import Gatherings
from server.calendars import ports


class SaidYes:
    """A ``MineSource``. A gathering that was called off stays, as cancelled."""

    def __init__(self, gatherings: Gatherings, attendance: Attendance) -> None:
        self._gatherings = gatherings
        self._attendance = attendance

    async def revision(self, user_id: str) -> int:
        """The position of the last change of a gathering or of an own answer."""
        return max(self._gatherings.revision, (await self._attendance.of_user(user_id)).position)

    async def entries(self, user_id: str) -> Iterable[ports.Gathering]:
        """All gatherings to which the account comes."""
        own = await self._attendance.of_user(user_id)
        return [
            replace(for_calendar(item), revision=max(item.revision, own.moved.get(item.id, 0)))
            for item in self._gatherings.changed_since(0)
            if item.is_shown and own.to(item.id) is Answer.ACCEPTED and self._gatherings.sees(user_id, item)
        ]

    async def gone_since(self, user_id: str, revision: int) -> Iterable[tuple[int, str]]:
        """What the account comes to no more, and what was withdrawn."""
        own = await self._attendance.of_user(user_id)
        there = {entry.name for entry in await self.entries(user_id)}
        found = [(max(item.revision, own.moved[item.id]), item.name) for item in self._gatherings.changed_since(0)
                 if item.id in own.moved and item.name not in there]
        return [(at, name) for at, name in found if at > revision]
