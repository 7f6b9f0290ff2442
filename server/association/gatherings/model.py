"""The words of gatherings: what, when, where, for whom, and what can become of one. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from server.association.members.model import Audience
from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam

MAX_TITLE: Final = 200
MAX_PLACE: Final = 200
# Stands three times in an event of at most 64 KiB: to read, to compute with, and as .ics.
MAX_DESCRIPTION: Final = 4_000
LONGEST: Final = timedelta(days=366)
_YEARS: Final = range(1970, 2200)

Moment = date | datetime


class State(StrEnum):
    """What a gathering can be. A cancelled one stays visible; a withdrawn one is gone from calendars and lists."""

    PLANNED = "planned"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.PLANNED: frozenset({State.PLANNED, State.CANCELLED, State.WITHDRAWN}),
    # Called off by mistake, or held after all.
    State.CANCELLED: frozenset({State.PLANNED, State.CANCELLED, State.WITHDRAWN}),
    State.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """``start`` and ``end`` are both dates (all day; ``end`` is the day after the last) or both moments with a zone.

    ``rule`` is an RRULE value that has passed the calendars' limits, or empty; ``except_for`` the starts left out.
    """

    title: str
    start: Moment
    end: Moment
    place: str = ""
    description: str = ""
    rule: str = ""
    except_for: tuple[Moment, ...] = ()
    # Whether officers want to know who comes.
    asks: bool = False
    # Those of ``except_for`` that were called off after they had been announced.
    called_off: tuple[Moment, ...] = ()

    @property
    def is_all_day(self) -> bool:
        """Whether it has days and no times."""
        return not isinstance(self.start, datetime)


@dataclass(frozen=True, slots=True)
class Gathering:
    """One gathering. ``sequence`` counts changes of time and place (RFC 5545 section 3.8.7.4); times in ms."""

    id: str
    plan: Plan
    audience: Audience
    state: State
    by: str
    name: str
    uid: str
    sequence: int = 0
    created_ms: int = 0
    changed_ms: int = 0
    revision: int = 0
    # Why it, or a day of it, was called off.
    reason: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether lists and calendars show it."""
        return self.state is not State.WITHDRAWN


def checked_plan(plan: Plan) -> Plan:
    """``plan`` as it is kept, times in Japan; raises ``InvalidParam``."""
    title = " ".join(plan.title.split())
    if not title or len(title) > MAX_TITLE:
        raise InvalidParam(f"集まりの名前を入れてください（{MAX_TITLE}文字まで）", field="title")
    if len(plan.place) > MAX_PLACE or len(plan.description) > MAX_DESCRIPTION:
        raise InvalidParam(f"場所は{MAX_PLACE}文字、説明は{MAX_DESCRIPTION}文字までです", field="place")
    start, end = _in_japan(plan.start), _in_japan(plan.end)
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise InvalidParam("始まりと終わりは、どちらも時刻つきか、どちらも日だけにしてください")
    if start.year not in _YEARS or end.year not in _YEARS:
        raise InvalidParam("日付が正しくありません")
    if end < start or (end == start and not isinstance(start, datetime)):
        raise InvalidParam("終わりが始まりより前になっています", field="last_day")
    if end - start > LONGEST:
        raise InvalidParam("集まりが長すぎます（1年まで）", field="last_day")
    left_out = tuple(map(_in_japan, plan.except_for))
    called_off = tuple(day for day in map(_in_japan, plan.called_off) if day in left_out)
    return replace(
        plan, title=title, start=start, end=end, place=" ".join(plan.place.split()),
        description=plan.description.strip(), except_for=left_out, called_off=called_off,
    )


def require_next(now: State, wanted: State) -> None:
    """Raise ``InvalidParam`` where a gathering in ``now`` cannot become ``wanted``."""
    if wanted not in NEXT[now]:
        raise InvalidParam("この集まりはもう取り消されています", status=409)


def moves(old: Plan, new: Plan) -> bool:
    """Whether people must be told: another time or place."""
    return (old.start, old.end, old.place, old.rule, old.except_for) != (
        new.start, new.end, new.place, new.rule, new.except_for
    )


def _in_japan(value: Moment) -> Moment:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        return value.replace(tzinfo=TOKYO)
    return value.astimezone(TOKYO)
