"""Duties as calendars: what one's own block and groups do in turn, and one's own turns.

Each household of an order is one series (every n-th turn), with the turns left out that somebody else has taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from server.association.duties.actions import Duties
from server.association.duties.model import Duty, Rhythm, Turn, start_of, turn_of
from server.association.members.members import Members
from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.model import Changes, Collection, Item, Kind
from server.calendars.ports import Gathering, GatheringDraft

KEY: Final = "duties"
NameOf = Callable[[str], str]
_FREQUENCIES: Final = {Rhythm.DAILY: "DAILY", Rhythm.WEEKLY: "WEEKLY", Rhythm.MONTHLY: "MONTHLY"}


class DutyCalendars:
    """A ``whole.WholeSource`` of one collection: the duties that concern whoever reads it."""

    def __init__(self, duties: Duties, members: Members) -> None:
        self._duties = duties
        self._members = members
        self._rendered = RenderedEntries()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection."""
        person = self._members.person_of_user(user_id)
        if person is None:
            return ()
        # Whoever moves to another block begins anew.
        key = f"{KEY}-{self._members.block_of(person.id).id}"
        return (Collection(key, KEY, Kind.SHARED, "VEVENT", "当番", self._duties.revision + 1, owner=user_id,
                           color="#EF6C00FF", names_people=True),)

    async def all_items(self, collection: Collection) -> list[Item]:
        """All series and single turns."""
        return self._rendered.all_of(
            entry for duty in self._of(collection.owner) for entry in entries_of(duty, self._name_of, "")
        )

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        items = await self.all_items(collection)
        there = {item.head.name for item in items}
        gone = [pair for duty in self._of(collection.owner) for pair in _names(duty) if pair[1] not in there]
        return told_since(items, gone, revision, limit, collection.revision)

    def _of(self, user_id: str) -> list[Duty]:
        return [duty for duty in self._duties.all() if self._members.is_in(user_id, duty.plan.audience)]

    def _name_of(self, household_id: str) -> str:
        known = self._members.register.households()
        return next((home.name for home in known if home.id == household_id), "（いない世帯）")


class MyDuties:
    """A ``server.calendars.mine.MineSource``: the turns of one's own household."""

    def __init__(self, duties: Duties, members: Members) -> None:
        self._duties = duties
        self._members = members

    async def revision(self, user_id: str) -> int:
        """The position of the last change of any duty."""
        return self._duties.revision

    async def entries(self, user_id: str) -> Iterable[Gathering]:
        """Their series and single turns, called like the duty."""
        person = self._members.person_of_user(user_id)
        if person is None:
            return []
        return [entry for duty in self._duties.all() for entry in entries_of(duty, None, person.household_id)]

    async def gone_since(self, user_id: str, revision: int) -> Iterable[tuple[int, str]]:
        """All that the duties that changed could have shown, and do not."""
        there = {entry.name for entry in await self.entries(user_id)}
        return [pair for duty in self._duties.all() if duty.revision > revision for pair in _names(duty)
                if pair[1] not in there]


def entries_of(duty: Duty, name_of: NameOf | None, only: str) -> Iterator[Gathering]:
    """A duty's series and single turns; with ``only`` those of one household. ``name_of`` names households."""
    if duty.is_over:
        return
    plan, count = duty.plan, len(duty.plan.order)
    for at, household in enumerate(plan.order):
        if only in ("", household):
            entry = _series(duty, at, count, name_of(household) if name_of is not None else "")
            if entry is not None:
                yield entry
    for number, household in duty.taken.items():
        if household != plan.order[number % count] and only in ("", household):
            yield _single(turn_of(duty, number), name_of(household) if name_of is not None else "")


def _series(duty: Duty, at: int, count: int, whose: str) -> Gathering | None:
    plan = duty.plan
    first = start_of(plan, at)
    if plan.last is not None and first > plan.last:
        return None
    left_out = tuple(
        start_of(plan, number) for number, household in sorted(duty.taken.items())
        if number % count == at and household != plan.order[at]
    )
    until = "" if plan.last is None else f";UNTIL={plan.last:%Y%m%d}"
    rule = f"FREQ={_FREQUENCIES[plan.rhythm]};INTERVAL={count}{until}"
    draft = GatheringDraft(
        f"duty-{duty.id}-{at}", _title(duty, whose), first, first + timedelta(days=plan.days),
        description=plan.note, rule=rule, except_for=left_out,
    )
    return Gathering(_series_name(duty, at), draft, duty.revision, duty.created_ms, duty.changed_ms, duty.sequence)


def _single(turn: Turn, whose: str) -> Gathering:
    duty = turn.duty
    draft = GatheringDraft(
        f"duty-{duty.id}-n{turn.number}", _title(duty, whose), turn.start, turn.end, description=duty.plan.note)
    name = f"{duty.id}-n{turn.number}.ics"
    return Gathering(name, draft, duty.revision, duty.created_ms, duty.changed_ms, duty.sequence)


def _title(duty: Duty, whose: str) -> str:
    return f"{duty.plan.title}：{whose}" if whose else f"当番：{duty.plan.title}"


def _series_name(duty: Duty, at: int) -> str:
    return f"{duty.id}-{at}.ics"


def _names(duty: Duty) -> Iterator[tuple[int, str]]:
    """Every name that entries of a duty could have, for those that are gone."""
    for at in range(len(duty.plan.order) + 20):
        yield duty.revision, _series_name(duty, at)
    for number in duty.taken:
        yield duty.revision, f"{duty.id}-n{number}.ics"
