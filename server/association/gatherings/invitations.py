"""Gatherings that ask who comes, as invitations for calendar apps (``server.calendars.ports.InvitationPort``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import for_calendar
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering
from server.association.gatherings.occurrences import to_ms
from server.association.members.members import Members
from server.calendars.ports import Invitation
from server.foundation.clock import Clock
from server.foundation.errors import NotFound

_PARTSTAT: Final[Mapping[Answer, str]] = {
    Answer.ACCEPTED: "ACCEPTED", Answer.DECLINED: "DECLINED", Answer.TENTATIVE: "TENTATIVE",
}
_MEANT: Final = {partstat: answer for answer, partstat in _PARTSTAT.items()}


class GatheringInvitations:
    """What everybody is invited to: it follows from gatherings, their audience, and reactions."""

    def __init__(self, gatherings: Gatherings, attendance: Attendance, members: Members, clock: Clock) -> None:
        self._gatherings = gatherings
        self._attendance = attendance
        self._members = members
        self._clock = clock

    async def position(self, user_id: str) -> int:
        """Position of the last change for somebody."""
        return max(self._gatherings.revision, (await self._attendance.of_user(user_id)).position)

    async def place(self, user_id: str) -> str | None:
        """Block, groups, and whether they are an officer: what audiences reach somebody."""
        person = self._members.person_of_user(user_id)
        if person is None:
            return None
        groups = sorted(group.id for group in self._members.groups_of(person.id))
        office = ["o"] if self._members.is_officer(user_id) else []
        return "-".join([self._members.block_of(person.id).id, *groups, *office])

    async def invitations(self, user_id: str) -> Sequence[Invitation]:
        """Everything that asks somebody, and what may have asked them before."""
        own = await self._attendance.of_user(user_id)
        found = []
        for gathering in self._gatherings.changed_since(0):
            asks = gathering.plan.asks and gathering.is_shown and self._is_for(user_id, gathering)
            if asks or gathering.plan.asks or gathering.changed_ms != gathering.created_ms:
                said = own.to(gathering.id)
                found.append(Invitation(
                    for_calendar(gathering), "NEEDS-ACTION" if said is None else _PARTSTAT[said],
                    max(gathering.revision, own.moved.get(gathering.id, 0)), asks, self._is_over(gathering),
                ))
        return found

    async def answer(self, user_id: str, name: str, partstat: str) -> None:
        """Say it for them, in the room."""
        gathering = self._gatherings.named(name)
        if gathering is None:
            raise NotFound("その集まりはありません")
        await self._attendance.answer(user_id, gathering.id, _MEANT.get(partstat))

    def name_of(self, user_id: str) -> str:
        """The reader's own name, in the reader's own copy."""
        person = self._members.person_of_user(user_id)
        return "" if person is None else person.name

    def _is_for(self, user_id: str, gathering: Gathering) -> bool:
        try:
            return self._members.is_in(user_id, gathering.audience)
        except NotFound:
            return False  # its block or group is gone

    def _is_over(self, gathering: Gathering) -> bool:
        return not gathering.plan.rule and to_ms(gathering.plan.end) < self._clock.now_ms()
