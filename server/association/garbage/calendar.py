"""Garbage days as a calendar: everybody has that of their own block, and nobody writes it.

A kind is one series with its exceptions, so that an alarm set once rings before each of its days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from server.association.garbage.actions import Garbage, is_holiday
from server.association.garbage.model import BlockPlan, DayOff, Rule, is_left_out
from server.association.members.members import Members
from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.model import Changes, Collection, Item, Kind
from server.calendars.ports import Gathering, GatheringDraft

PREFIX: Final = "garbage-"
_NAME: Final = "garbage"
_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ONE: Final = timedelta(days=1)
# Holidays are left out so far ahead; after that an area is chosen again, with the city's next list.
_HORIZON: Final = timedelta(days=5 * 366)


class GarbageCalendars:
    """A ``whole.WholeSource``: the calendar of the reader's block, as soon as an area was chosen for it."""

    def __init__(self, garbage: Garbage, members: Members) -> None:
        self._garbage = garbage
        self._members = members
        self._rendered = RenderedEntries()
        self._entries: dict[str, tuple[int, list[Gathering]]] = {}

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """One, or none."""
        person = self._members.person_of_user(user_id)
        block = None if person is None else self._members.block_of(person.id)
        if block is None or self._garbage.plan(block.id) is None:
            return ()
        return (Collection(PREFIX + block.id, _NAME, Kind.SHARED, "VEVENT", "ごみの日", self._garbage.revision + 1,
                           color="#795548FF"),)

    async def all_items(self, collection: Collection) -> list[Item]:
        """All series and single days."""
        block_id, revision = collection.key.removeprefix(PREFIX), self._garbage.revision
        known = self._entries.get(block_id)
        if known is None or known[0] != revision:
            plan = self._garbage.plan(block_id)
            found = [] if plan is None else list(entries_of(plan, self._garbage.changes(block_id)))
            known = self._entries[block_id] = (revision, found)
        return self._rendered.all_of(known[1])

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since. A series that is gone has a name that could come back, so all such names are told."""
        items, block_id = await self.all_items(collection), collection.key.removeprefix(PREFIX)
        plan, there = self._garbage.plan(block_id), {item.head.name for item in items}
        gone = [(item.revision, f"{item.id}.ics") for item in self._garbage.changes(block_id)]
        if plan is not None:
            gone += [(plan.revision, _series_name(number, part)) for number in range(30) for part in ("w", "m")]
        return told_since(items, [(at, name) for at, name in gone if name not in there], revision, limit,
                          collection.revision)


def entries_of(plan: BlockPlan, changes: Sequence[DayOff]) -> Iterator[Gathering]:
    """The series and single days of a block."""
    last = max([plan.revision, *(change.revision for change in changes)])
    for number, (kind, rule) in enumerate(plan.rules.items()):
        off = frozenset(item.day for item in changes if item.kind == kind and item.day and not item.is_over)
        for part, text in _rules(rule):
            entry = _series(plan, kind, rule, (_series_name(number, part), text), off, last)
            if entry is not None:
                yield entry
        for day in rule.dates:
            if day >= plan.since and day not in off and not is_left_out(plan, day, is_holiday):
                yield _single(plan, kind, day, f"{number}-{day:%Y%m%d}.ics", "", last)
    for change in changes:
        if change.moved_to is not None and not change.is_over:
            yield _single(plan, change.kind, change.moved_to, f"{change.id}.ics", change.reason, change.revision)


def _series(
    plan: BlockPlan, kind: str, rule: Rule, named: tuple[str, str], off: frozenset[date], revision: int
) -> Gathering | None:
    name, text = named
    part = Rule(rule.weekly, (), rule.months) if name.endswith("w.ics") else Rule((), rule.nth, rule.months)
    days = [plan.since + timedelta(days=count) for count in range(_HORIZON.days)]
    meant = [day for day in days if part.holds(day)]
    if not meant:
        return None
    left_out = tuple(day for day in meant if day in off or is_left_out(plan, day, is_holiday))
    draft = GatheringDraft(
        _uid(plan, name), kind, meant[0], meant[0] + _ONE, description="\n".join(plan.remarks), rule=text,
        except_for=left_out,
    )
    return Gathering(name, draft, revision, plan.changed_ms, plan.changed_ms)


def _single(plan: BlockPlan, kind: str, day: date, name: str, reason: str, revision: int) -> Gathering:
    draft = GatheringDraft(_uid(plan, name), kind, day, day + _ONE, description=reason)
    return Gathering(name, draft, revision, plan.changed_ms, plan.changed_ms)


def _rules(rule: Rule) -> Iterator[tuple[str, str]]:
    months = f";BYMONTH={','.join(map(str, rule.months))}" if rule.months else ""
    if rule.weekly:
        days = ",".join(_CODES[day] for day in sorted(set(rule.weekly)))
        yield "w", f"FREQ=WEEKLY;BYDAY={days}{months}"
    if rule.nth:
        days = ",".join(f"{number}{_CODES[day]}" for day, number in rule.nth)
        yield "m", f"FREQ=MONTHLY;BYDAY={days}{months}"


def _series_name(number: int, part: str) -> str:
    return f"{number}{part}.ics"


def _uid(plan: BlockPlan, name: str) -> str:
    return f"garbage-{plan.block_id}-{name.removesuffix('.ics')}"


def may_read(members: Members, user_id: str, key: str) -> bool:
    """Whether a calendar of garbage days is that of the reader's own block."""
    person = members.person_of_user(user_id)
    return person is not None and key == PREFIX + members.block_of(person.id).id
