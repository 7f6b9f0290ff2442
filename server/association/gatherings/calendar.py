"""Gatherings as the calendars see them (``server.calendars.ports``), and as an .ics file.

The shared calendar shows what is for everyone: it looks the same to all, so what is for some must not be in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, Plan, State
from server.association.members.members import Members
from server.association.members.model import EVERYONE, Audience, Right
from server.calendars import ports
from server.calendars.gathering_ics import render_gathering
from server.calendars.gatherings import GATHERINGS
from server.foundation.errors import NotFound


class GatheringCalendarPort:
    """A ``ports.GatheringPort`` of the gatherings of one audience."""

    def __init__(self, gatherings: Gatherings, audience: Audience = EVERYONE) -> None:
        self._gatherings = gatherings
        self._audience = audience

    async def revision(self) -> int:
        """Position of the last change."""
        return self._gatherings.revision

    async def changed_since(self, revision: int) -> Sequence[ports.GatheringChange]:
        """Changes of what this calendar shows, oldest first."""
        return [
            ports.GatheringChange(item.name, item.revision, for_calendar(item) if item.is_shown else None)
            for item in self._gatherings.changed_since(revision) if item.audience == self._audience
        ]

    async def create(self, officer: str, name: str, draft: ports.GatheringDraft) -> ports.Gathering:
        """Announce what an officer's calendar app has made; a name that was withdrawn cannot come back."""
        gathering = await self._gatherings.announce(officer, _plan(draft), self._audience, name=name, uid=draft.uid)
        if draft.cancelled:
            gathering = await self._gatherings.cancel(officer, gathering.id)
        return for_calendar(gathering)

    async def update(
        self, officer: str, name: str, draft: ports.GatheringDraft, expected_revision: int
    ) -> ports.Gathering:
        """Change it; raises a ``Refused`` with status 412 if it has moved on from ``expected_revision``."""
        state = State.CANCELLED if draft.cancelled else State.PLANNED
        gathering = await self._gatherings.change(
            officer, self._named(name).id, _plan(draft), state=state, expected_revision=expected_revision
        )
        return for_calendar(gathering)

    async def cancel(self, officer: str, name: str, expected_revision: int) -> None:
        """Call it off, and take it out of the calendar."""
        await self._gatherings.withdraw(officer, self._named(name).id, expected_revision=expected_revision)

    def _named(self, name: str) -> Gathering:
        gathering = self._gatherings.named(name)
        if gathering is None or gathering.audience != self._audience:
            raise NotFound("その集まりはありません")
        return gathering


class CalendarRights:
    """A ``ports.Rights``: members read the association's calendars, those who arrange gatherings write them."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def may_read(self, user_id: str, collection: str) -> bool:
        """Whether somebody may see a calendar of the association."""
        is_member = self._members.person_of_user(user_id) is not None or self._members.is_officer(user_id)
        return collection == GATHERINGS and is_member

    async def may_write(self, user_id: str, collection: str) -> bool:
        """Whether somebody may write into it."""
        return collection == GATHERINGS and self._members.may(user_id, Right.ARRANGE_GATHERINGS)


def as_ics(gathering: Gathering) -> str:
    """A gathering as the text of an .ics file, for ``Gatherings``."""
    return render_gathering(for_calendar(gathering)).decode()


def for_calendar(gathering: Gathering) -> ports.Gathering:
    """A gathering in the calendars' words."""
    plan = gathering.plan
    draft = ports.GatheringDraft(
        gathering.uid, plan.title, plan.start, plan.end, plan.place, plan.description,
        cancelled=gathering.state is not State.PLANNED, rule=plan.rule, except_for=plan.except_for,
    )
    return ports.Gathering(
        gathering.name, draft, gathering.revision, gathering.created_ms, gathering.changed_ms, gathering.sequence
    )


def _plan(draft: ports.GatheringDraft) -> Plan:
    return Plan(
        draft.title, draft.start, draft.end, draft.place, draft.description, draft.rule, draft.except_for
    )
