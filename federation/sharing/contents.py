"""Things as they are told: gatherings, facilities, hazard reports, requests and answers; written and read.

What is read here was written by another node, so nothing about it is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from federation.sharing.model import MAX_ID, SHARED, Content, Kind, Thing
from server.association.bookings.contents import facility_content, read_facility
from server.association.bookings.model import Facility, State, Wish
from server.association.bookings.rules import checked_wish
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam

MAX_TITLE: Final = 200
MAX_TEXT: Final = 1_000
MAX_REASON: Final = 300
_MOST_TIMES: Final = 60
_MOST_BUSY: Final = 600
_LONGEST_MS: Final = 366 * 86_400_000
_YEARS_MS: Final = range(7_258_086_000_000)

Times = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FarGathering:
    """A neighbour's gathering: when it takes place, each from and to in ms."""

    id: str
    title: str
    place: str
    is_all_day: bool
    is_cancelled: bool
    times: Times

    def as_json(self) -> Content:
        """The value."""
        return {
            "title": self.title, "place": self.place, "all_day": self.is_all_day, "cancelled": self.is_cancelled,
            "times": [list(item) for item in self.times],
        }

    @property
    def body(self) -> str:
        """For every client."""
        when = "、".join(f"{tokyo_time(start):%Y-%m-%d %H:%M}" for start, _ in self.times[:3])
        head = "【行事・中止】" if self.is_cancelled else "【行事】"
        return f"{head}{self.title} {when} {self.place}".strip()


@dataclass(frozen=True, slots=True)
class FarFacility:
    """A neighbour's facility, and when it is taken. Its note, and what it is booked for, are never told."""

    facility: Facility
    busy: Times

    def as_json(self) -> Content:
        """The value."""
        shown = replace(self.facility, note="", rules=replace(
            self.facility.rules, asks=True, shows_titles=False, times=0))
        return {"facility": facility_content(shown), "busy": [list(item) for item in self.busy]}

    @property
    def held(self) -> list[Wish]:
        """What holds time, for ``free_times``."""
        return [Wish(self.facility.id, tokyo_time(start), tokyo_time(end)) for start, end in self.busy]


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody of the other side asks for a facility; who, is not told."""

    id: str
    wish: Wish

    def as_json(self) -> Content:
        """The value."""
        wish = self.wish
        return {
            "facility": wish.facility_id, "start": _ms(wish.start), "end": _ms(wish.end), "title": wish.title,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    id: str
    state: State
    reason: str = ""

    def as_json(self) -> Content:
        """The value."""
        return {"state": self.state.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Told:
    """A thing as it came: ``value`` is still to be read; ``None``: it is gone."""

    kind: Kind
    id: str
    revision: int
    value: Content | None


def message_of(thing: Thing, revision: int) -> Content:
    """The message that tells a thing."""
    return {
        "msgtype": "m.notice", "body": thing.body,
        SHARED: {"kind": thing.kind.value, "id": thing.id, "revision": revision, "thing": thing.value},
    }


def read_told(content: Mapping[str, Any]) -> Told:
    """The thing in a message; raises ``InvalidParam``, ``KeyError``, ``TypeError`` or ``ValueError``."""
    told = content[SHARED]
    thing_id, revision, value = told["id"], checked_number(told["revision"]), told["thing"]
    if not isinstance(thing_id, str) or not 0 < len(thing_id) <= MAX_ID or not thing_id.isprintable():
        raise ValueError("id")
    if value is not None and not isinstance(value, dict):
        raise TypeError("thing")
    return Told(Kind(told["kind"]), thing_id, revision, value)


def read_gathering(thing_id: str, value: Mapping[str, Any]) -> FarGathering:
    """Read one; raises like ``read_told``."""
    return FarGathering(
        thing_id, checked_line(value["title"], MAX_TITLE), checked_line(value["place"], MAX_TITLE, least=0),
        value["all_day"] is True, value["cancelled"] is True, _times(value["times"], _MOST_TIMES, least=1),
    )


def read_far_facility(thing_id: str, value: Mapping[str, Any]) -> FarFacility:
    """Read one; raises like ``read_told``. One at a time, and an officer of the owner confirms, whatever it says."""
    facility = read_facility(value["facility"])
    if facility.id != thing_id:
        raise ValueError("id")
    rules = replace(facility.rules, asks=True, shows_titles=False, at_once=1, times=0)
    shown = replace(facility, name=checked_line(facility.name, MAX_TITLE), note="", rules=rules)
    return FarFacility(shown, _times(value["busy"], _MOST_BUSY))


def read_request(thing_id: str, value: Mapping[str, Any]) -> Request:
    """Read one; raises like ``read_told``."""
    (span,) = _times([[value["start"], value["end"]]], 1)
    start, end = (tokyo_time(item) for item in span)
    title = checked_line(value["title"], 100, least=0)
    return Request(thing_id, checked_wish(Wish(_id(value["facility"]), start, end, title)))


def read_answer(thing_id: str, value: Mapping[str, Any]) -> Answer:
    """Read one; raises like ``read_told``."""
    return Answer(thing_id, State(value["state"]), checked_line(value.get("reason", ""), MAX_REASON, least=0))


def merged(times: Iterable[tuple[int, int]], at_once: int) -> Times:
    """When ``at_once`` of these run at the same time, so that nothing more fits, in order."""
    steps = sorted(step for start, end in times for step in ((start, 1), (end, -1)))
    found: list[tuple[int, int]] = []
    running, since = 0, 0
    for at, step in steps:
        before, running = running, running + step
        if before < at_once <= running:
            since = at
        elif running < at_once <= before and at > since:
            joined = found.pop()[0] if found and found[-1][1] == since else since
            found.append((joined, at))
    return tuple(found[:_MOST_BUSY])


def _times(value: object, most: int, least: int = 0) -> Times:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError("times")
    found = tuple((checked_number(item[0]), checked_number(item[1])) for item in value if len(item) == 2)
    if len(found) != len(value) or not all(0 <= end - start <= _LONGEST_MS for start, end in found):
        raise ValueError("times")
    return found


def checked_line(value: object, most: int, least: int = 1) -> str:
    """One line without control characters; raises ``ValueError`` or ``InvalidParam``."""
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("text")
    plain = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    if len(plain) < least:
        raise InvalidParam("名前がありません")
    return plain


def _id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        raise ValueError("id")
    return value


def checked_number(value: object) -> int:
    """A whole number that can be a time in ms; raises ``TypeError``."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in _YEARS_MS:
        raise TypeError("number")
    return int(value)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
