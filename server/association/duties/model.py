"""The words of duties: an order of households, a rhythm, whose turn it is, who takes over. Values and pure rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from server.association.members.model import Audience
from server.foundation.errors import InvalidParam

MAX_TITLE: Final = 100
MAX_NOTE: Final = 1_000
MAX_HOUSEHOLDS: Final = 300
# Turns beyond are nobody's plan.
MAX_TURN: Final = 5_000
_LAST_MONTH_DAY: Final = 28


class Rhythm(StrEnum):
    """How often the next household has its turn."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    @property
    def label(self) -> str:
        """The word that people read."""
        return {"daily": "毎日かわる", "weekly": "毎週かわる", "monthly": "毎月かわる"}[self.value]


@dataclass(frozen=True, slots=True)
class DutyPlan:
    """What is to be done in turn. A turn begins at ``first`` and then in the ``rhythm``, and lasts ``days`` days;
    ``order`` are households by id. ``last``: no turn begins after it.
    """

    title: str
    audience: Audience
    order: tuple[str, ...]
    first: date
    rhythm: Rhythm = Rhythm.WEEKLY
    days: int = 7
    note: str = ""
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty. ``taken``: turns by number whose household is another one than the order says; ``done``: turns that
    somebody has said to be done. ``is_over``: it is no longer done by anybody.
    """

    id: str
    plan: DutyPlan
    by: str
    taken: Mapping[int, str] = field(default_factory=dict)
    done: frozenset[int] = frozenset()
    is_over: bool = False
    sequence: int = 0
    created_ms: int = 0
    changed_ms: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: its number, its days (``end`` is the day after the last), whose it is."""

    duty: Duty
    number: int
    start: date
    end: date
    household: str

    @property
    def is_done(self) -> bool:
        """Whether somebody has said so."""
        return self.number in self.duty.done


def start_of(plan: DutyPlan, number: int) -> date:
    """When a turn begins."""
    if plan.rhythm is Rhythm.MONTHLY:
        months = plan.first.month - 1 + number
        return plan.first.replace(year=plan.first.year + months // 12, month=months % 12 + 1)
    return plan.first + timedelta(days=number * (7 if plan.rhythm is Rhythm.WEEKLY else 1))


def turn_of(duty: Duty, number: int) -> Turn:
    """One turn."""
    start = start_of(duty.plan, number)
    whose = duty.taken.get(number, duty.plan.order[number % len(duty.plan.order)])
    return Turn(duty, number, start, start + timedelta(days=duty.plan.days), whose)


def turns(duty: Duty, first: date, last: date) -> Iterator[Turn]:
    """The turns that are not over on ``first`` and begin not after ``last``."""
    for number in range(_near(duty.plan, first), MAX_TURN):
        turn = turn_of(duty, number)
        if duty.is_over or turn.start > last or (duty.plan.last is not None and turn.start > duty.plan.last):
            return
        if turn.end > first:
            yield turn


def checked_plan(plan: DutyPlan) -> DutyPlan:
    """``plan`` as it is kept; raises ``InvalidParam``."""
    title, order = " ".join(plan.title.split()), tuple(plan.order)
    if not title or len(title) > MAX_TITLE or len(plan.note) > MAX_NOTE:
        words = f"当番の名前を入れてください（{MAX_TITLE}文字まで）。説明は{MAX_NOTE}文字までです"
        raise InvalidParam(words, field="title")
    if not order or len(order) > MAX_HOUSEHOLDS:
        raise InvalidParam("当番をする世帯を、順番に入れてください")
    if len(set(order)) != len(order):
        raise InvalidParam("同じ世帯が、順番に2回入っています")
    longest = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 28}[plan.rhythm]
    if not 1 <= plan.days <= longest:
        raise InvalidParam(f"当番の日数は、1から{longest}です")
    if plan.rhythm is Rhythm.MONTHLY and plan.first.day > _LAST_MONTH_DAY:
        raise InvalidParam(f"毎月の当番は、{_LAST_MONTH_DAY}日までに始めてください", field="first")
    if not 2000 <= plan.first.year <= 2190 or (plan.last is not None and plan.last < plan.first):
        raise InvalidParam("日付が正しくありません")
    return replace(plan, title=title, order=order, note=plan.note.strip())


def require_turn(duty: Duty, number: int) -> Turn:
    """A turn that exists; raises ``InvalidParam``."""
    if duty.is_over or not 0 <= number < MAX_TURN:
        raise InvalidParam("その当番は、もうありません")
    turn = turn_of(duty, number)
    if duty.plan.last is not None and turn.start > duty.plan.last:
        raise InvalidParam("その当番は、もうありません")
    return turn


def _near(plan: DutyPlan, day: date) -> int:
    """A turn that has begun some time before ``day``; 0 for days before the first."""
    passed = (day - plan.first).days
    length = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 31}[plan.rhythm]
    return max(0, passed // length - 2)
