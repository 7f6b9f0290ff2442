"""The words of bookings: facilities with opening hours and rules, bookings, what can become of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from server.foundation.errors import InvalidParam, Refused

MAX_NAME: Final = 60
MAX_PLACE: Final = 200
MAX_TITLE: Final = 100
MAX_NOTE: Final = 500
DAY_MINUTES: Final = 24 * 60
MAX_FACILITIES: Final = 100
MAX_CLOSED: Final = 400
# Begins the ``person`` of a booking that another association has; its server's name follows.
NEIGHBOUR: Final = "neighbour:"


class Kind(StrEnum):
    """What is booked."""

    PLACE = "place"
    THING = "thing"
    RIDE = "ride"

    @property
    def label(self) -> str:
        """The word that people read."""
        return {"place": "場所", "thing": "道具", "ride": "送迎"}[self.value]


class State(StrEnum):
    """What a booking can be. The first two hold their time; the last two are gone from calendars."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    DECLINED = "declined"

    @property
    def label(self) -> str:
        """The word that people read."""
        return STATE_LABELS[self]


STATE_LABELS: Final[Mapping[State, str]] = {
    State.REQUESTED: "確認待ち", State.CONFIRMED: "予約ずみ", State.WAITING: "空き待ち", State.CANCELLED: "取り消し",
    State.DECLINED: "お断り",
}
HOLDING: Final = frozenset({State.REQUESTED, State.CONFIRMED})
OVER: Final = frozenset({State.CANCELLED, State.DECLINED})


@dataclass(frozen=True, slots=True)
class Hours:
    """Open from ``start`` to ``end``, in minutes since midnight; 24 hours are 0 to 1440."""

    start: int
    end: int

    def __str__(self) -> str:
        """``09:00-21:00``."""
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"

    @classmethod
    def parse(cls, text: str) -> Hours | None:
        """Read that text; nothing for closed. Raises ``InvalidParam``."""
        if not text:
            return None
        try:
            first, last = (_minutes(part) for part in text.split("-"))
        except ValueError:
            raise InvalidParam("開いている時間は、9:00-21:00 のように書いてください") from None
        if not 0 <= first < last <= DAY_MINUTES:
            raise InvalidParam("開いている時間のおわりは、はじまりより後にしてください")
        return cls(first, last)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a facility may be booked.

    ``hours`` are those of Monday to Sunday, ``None`` where it is closed. A booking begins and ends at a multiple of
    ``step`` minutes, lasts at most ``longest`` minutes, and is made between ``notice_hours`` and ``ahead_days``
    before. Residents hold at most ``most`` bookings that are not over; 0 is no limit. A booking of theirs comes at most
    ``times`` times, where it repeats; 0 is once only. ``at_once`` bookings may run at the same time. ``asks``: an
    officer confirms. ``shows_titles``: all residents read what it is booked for.
    """

    hours: tuple[Hours | None, ...] = (Hours(9 * 60, 21 * 60),) * 7
    step: int = 30
    longest: int = 8 * 60
    ahead_days: int = 180
    notice_hours: int = 0
    most: int = 10
    at_once: int = 1
    asks: bool = False
    shows_titles: bool = True
    closed: tuple[date, ...] = ()
    times: int = 30


@dataclass(frozen=True, slots=True)
class Facility:
    """Something that can be booked. ``is_gone``: no more bookings, and no calendar."""

    id: str
    name: str
    kind: Kind = Kind.PLACE
    place: str = ""
    note: str = ""
    rules: Rules = field(default_factory=Rules)
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants. ``note`` of a ride says from where to where.

    ``rule`` is the value of an RRULE, as ``repeating`` takes it, or empty; ``start`` and ``end`` are then those of the
    first time, and ``except_for`` are the starts left out.
    """

    facility_id: str
    start: datetime
    end: datetime
    title: str = ""
    note: str = ""
    rule: str = ""
    except_for: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking. ``person`` has it (an id of the roster), ``by`` is the account that made it.

    ``name`` and ``uid`` are the calendar's; ``revision`` is the position of its last change.
    """

    id: str
    wish: Wish
    state: State
    person: str
    by: str
    name: str
    uid: str
    sequence: int = 0
    created_ms: int = 0
    changed_ms: int = 0
    revision: int = 0

    @property
    def holds(self) -> bool:
        """Whether nobody else can have its time."""
        return self.state in HOLDING

    @property
    def is_over(self) -> bool:
        """Whether it was cancelled or declined."""
        return self.state in OVER


class Clash(Refused):
    """Somebody else has the time already: 409. The reason says what is free instead."""

    status = 409
    code = "M_KAIRAN_BOOKED"


def _minutes(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    value = int(hour) * 60 + int(minute or 0)
    if not 0 <= int(minute or 0) < 60:
        raise ValueError(text)
    return value
