"""Gatherings as the calendars see them (``server.calendars.ports``), and as an .ics file.

A calendar looks the same to all who have it, so each shows what is for one audience: everyone, the officers, a block,
a group. What is for two blocks stands in the calendars of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, Plan, State
from server.association.members.members import Members
from server.association.members.model import EVERYONE, Audience, AudienceKind, Right
from server.calendars import ports
from server.calendars.gathering_ics import render_gathering
from server.calendars.gatherings import GATHERINGS
from server.foundation.errors import InvalidParam, NotFound


class GatheringCalendarPort:
    """A ``ports.GatheringPort`` of the gatherings of one audience; of one block or group at a time."""

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
            for item in self._gatherings.changed_since(revision) if self._holds(item)
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
        state, old = State.CANCELLED if draft.cancelled else State.PLANNED, self._named(name)
        gathering = await self._gatherings.change(
            officer, old.id, replace(_plan(draft), asks=old.plan.asks, called_off=old.plan.called_off), state=state,
            expected_revision=expected_revision,
        )
        return for_calendar(gathering)

    async def cancel(self, officer: str, name: str, expected_revision: int) -> None:
        """Call it off, and take it out of the calendar."""
        await self._gatherings.withdraw(officer, self._named(name).id, expected_revision=expected_revision)

    def _named(self, name: str) -> Gathering:
        gathering = self._gatherings.named(name)
        if gathering is None or not self._holds(gathering):
            raise NotFound("その集まりはありません")
        return gathering

    def _holds(self, gathering: Gathering) -> bool:
        own, other = self._audience, gathering.audience
        return own.kind is other.kind and set(own.ids) <= set(other.ids)


class CalendarRights:
    """A ``ports.Rights``: whom a calendar is for read it, those who may arrange gatherings for them write it."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def may_read(self, user_id: str, collection: str) -> bool:
        """Whether somebody may see a calendar of the association."""
        audience = audience_of(collection)
        return audience is not None and self._members.is_in(user_id, audience)

    async def may_write(self, user_id: str, collection: str) -> bool:
        """Whether somebody may write into it."""
        audience = audience_of(collection)
        if audience is None:
            return False
        block_id = audience.ids[0] if audience.kind is AudienceKind.BLOCKS else None
        return self._members.may(user_id, Right.ARRANGE_GATHERINGS, block_id)


def key_of(audience: Audience) -> str:
    """The key, and path segment, of the calendar of an audience: ``gatherings``, ``gatherings-blocks-<id>`` …"""
    return "-".join((GATHERINGS, *([] if audience == EVERYONE else [audience.kind.value]), *audience.ids))


def audience_of(key: str) -> Audience | None:
    """The audience of such a key."""
    kind, _, item = key.removeprefix(GATHERINGS).removeprefix("-").partition("-")
    if key == GATHERINGS:
        return EVERYONE
    try:
        found = Audience.parse(f"{kind}:{item}" if item else kind)
    except InvalidParam:
        return None
    return found if key_of(found) == key else None


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
