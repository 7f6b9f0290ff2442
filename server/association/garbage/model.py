"""The words of garbage days: kinds, rules, areas, breaks, exceptions. Values and pure rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

WEEKDAYS: Final = "月火水木金土日"
MAX_KIND: Final = 60
MAX_REASON: Final = 200
_NTH: Final = re.compile(rf"([{WEEKDAYS}])([1-5])")
_REMARK: Final = re.compile(r"\*([0-9]{1,3})")
_MONTHS: Final = frozenset(map(str, range(1, 13)))
_DAY: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Rule:
    """When one kind is fetched: every week on ``weekly`` (Monday is 0), on ``nth`` (weekday, which of the month), and
    on ``dates``; the first two only in ``months``, if there are any. ``remarks`` are numbers of remarks.
    """

    weekly: tuple[int, ...] = ()
    nth: tuple[tuple[int, int], ...] = ()
    months: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    remarks: tuple[int, ...] = ()

    def holds(self, day: date) -> bool:
        """Whether it is fetched on a day, exceptions aside."""
        if day in self.dates:
            return True
        if self.months and day.month not in self.months:
            return False
        return day.weekday() in self.weekly or (day.weekday(), (day.day - 1) // 7 + 1) in self.nth


def read_rule(text: str) -> tuple[Rule, tuple[str, ...]]:
    """The rule of a cell of the open data (``月 木``, ``水2 水4``, ``水2:4 8 12``, ``20261205``, ``*1``), and what in
    it could not be read.
    """
    days, _, months = text.partition(":")
    weekly, nth, dates, remarks, unread = [], [], [], [], []
    for token in days.split():
        if token in WEEKDAYS:
            weekly.append(WEEKDAYS.index(token))
        elif (match := _NTH.fullmatch(token)) is not None:
            nth.append((WEEKDAYS.index(match[1]), int(match[2])))
        elif (match := _REMARK.fullmatch(token)) is not None:
            remarks.append(int(match[1]))
        elif (found := _date(token)) is not None:
            dates.append(found)
        else:
            unread.append(token)
    known = {int(month) for month in months.split() if month in _MONTHS}
    unread += [month for month in months.split() if month not in _MONTHS]
    rule = Rule(tuple(weekly), tuple(nth), tuple(sorted(known)), tuple(sorted(dates)), tuple(remarks))
    return rule, tuple(unread)


@dataclass(frozen=True, slots=True)
class Area:
    """An area of the city's lists. ``kinds``: name and cell; ``center`` has its own breaks; ``remarks`` in words."""

    name: str
    kinds: tuple[tuple[str, str], ...]
    center: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """Days on which nothing is fetched, the last one too."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class DayOff:
    """One day that is otherwise: ``kind`` is not fetched on ``day``, but on ``moved_to``, if anywhere.

    ``day`` is ``None`` where something is fetched besides. ``is_over``: taken back.
    """

    id: str
    kind: str
    day: date | None
    moved_to: date | None
    reason: str = ""
    is_over: bool = False
    revision: int = 0


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """What holds in one block since ``since``. ``on_holidays``: garbage is fetched on national holidays, too."""

    block_id: str
    area: str
    kinds: tuple[tuple[str, str], ...]
    breaks: tuple[Break, ...] = ()
    remarks: tuple[str, ...] = ()
    on_holidays: bool = True
    since: date = date(2020, 1, 1)
    changed_ms: int = 0
    revision: int = 0
    rules: Mapping[str, Rule] = field(default_factory=dict, compare=False)

    def with_rules(self) -> BlockPlan:
        """The same with its cells read."""
        rules = {name: read_rule(cell)[0] for name, cell in self.kinds}
        return BlockPlan(self.block_id, self.area, self.kinds, self.breaks, self.remarks, self.on_holidays, self.since,
                         self.changed_ms, self.revision, rules)


def is_left_out(plan: BlockPlan, day: date, is_holiday: Callable[[date], bool]) -> bool:
    """Whether nothing is fetched on a day, whatever the rules say."""
    return any(item.holds(day) for item in plan.breaks) or (not plan.on_holidays and is_holiday(day))


def kinds_on(
    plan: BlockPlan, exceptions: Iterable[DayOff], day: date, is_holiday: Callable[[date], bool]
) -> list[str]:
    """What is fetched on a day, in the order of the lists."""
    changes = [item for item in exceptions if not item.is_over]
    off = {item.kind for item in changes if item.day == day}
    extra = {item.kind for item in changes if item.moved_to == day}
    usual = not is_left_out(plan, day, is_holiday)
    return [
        name for name, rule in plan.rules.items()
        if name in extra or (usual and name not in off and rule.holds(day))
    ]


def days_from(first: date, count: int) -> list[date]:
    """``count`` days from ``first`` on."""
    return [first + timedelta(days=number) for number in range(count)]


def _date(token: str) -> date | None:
    if not _DAY.fullmatch(token) or not token.isascii():
        return None
    try:
        return date(int(token[:4]), int(token[4:6]), int(token[6:]))
    except ValueError:
        return None
