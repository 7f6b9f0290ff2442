"""What is on a resident's days: gatherings, garbage, the household's duties, one's own bookings, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from server.association.gatherings.model import State
from server.association.gatherings.occurrences import to_ms
from server.association.members.model import Person
from server.foundation.clock import tokyo_time
from server.web.visit import Visit


class Kind(StrEnum):
    """What something on a day is, in the order in which a day shows what has no time."""

    GARBAGE = "garbage"
    DUTY = "duty"
    GATHERING = "gathering"
    BOOKING = "booking"

    @property
    def label(self) -> str:
        """ごみ, 当番 …"""
        return {"garbage": "ごみ", "duty": "当番", "gathering": "行事", "booking": "予約"}[self.value]


@dataclass(frozen=True, slots=True)
class OnDay:
    """One thing on one day. ``start_ms`` and ``end_ms`` are 0 for what has no time of day."""

    day: date
    kind: Kind
    title: str
    address: str
    start_ms: int = 0
    end_ms: int = 0
    is_off: bool = False


def agenda(visit: Visit, person: Person, first: date, last: date) -> list[OnDay]:
    """Everything from ``first`` to ``last`` that concerns somebody, by day and time; nothing before today."""
    first = max(first, visit.services.daily.garbage.today)
    found = [
        *_gatherings(visit, first, last), *_garbage(visit, person, first, last), *_duties(visit, person, first, last),
        *_bookings(visit, person, first, last),
    ]
    kinds = list(Kind)
    return sorted(found, key=lambda item: (item.day, item.start_ms, kinds.index(item.kind), item.title))


def _gatherings(visit: Visit, first: date, last: date) -> Iterator[OnDay]:
    begin, end = to_ms(first), to_ms(last + timedelta(days=1)) - 1
    for item in visit.services.gatherings.verbs.between(visit.user_id, begin, end):
        plan = item.gathering.plan
        has_time = not plan.is_all_day and item.start_ms >= begin
        yield OnDay(
            tokyo_time(max(item.start_ms, begin)).date(), Kind.GATHERING, plan.title,
            f"/gatherings/{item.gathering.id}", item.start_ms if has_time else 0, item.end_ms,
            is_off=item.gathering.state is State.CANCELLED,
        )


def _garbage(visit: Visit, person: Person, first: date, last: date) -> Iterator[OnDay]:
    garbage, block = visit.services.daily.garbage, visit.services.members.block_of(person.id)
    if garbage.plan(block.id) is None:
        return
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for name in garbage.on(block.id, day):
            yield OnDay(day, Kind.GARBAGE, name, "/garbage")


def _duties(visit: Visit, person: Person, first: date, last: date) -> Iterator[OnDay]:
    for turn in visit.services.daily.duties.coming_for(person.household_id):
        if turn.start <= last and turn.end > first:
            yield OnDay(max(turn.start, first), Kind.DUTY, turn.duty.plan.title, f"/duties/{turn.duty.id}")


def _bookings(visit: Visit, person: Person, first: date, last: date) -> Iterator[OnDay]:
    verbs = visit.services.daily.bookings
    for booking in verbs.schedule.of_person(person.id, visit.services.clock.now_ms()):
        for wish in verbs.schedule.times(booking) if booking.holds else ():
            if first <= wish.start.date() <= last:
                start, end = (round(moment.timestamp()) * 1000 for moment in (wish.start, wish.end))
                yield OnDay(wish.start.date(), Kind.BOOKING, verbs.schedule.facility(wish.facility_id).name,
                            f"/bookings/{booking.id}", start, end)
