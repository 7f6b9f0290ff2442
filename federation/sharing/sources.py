"""What of ours neighbours may see: public gatherings, the facilities that were opened, hazard reports.

Each says what shall stand at a neighbour now; nothing in here holds a name of a person, a note or a description.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from federation.sharing.contents import FarFacility, FarGathering, merged
from federation.sharing.hazards import FarHazard
from federation.sharing.model import Kind, Opened, Share, Subject, Thing
from server.association.bookings.actions import Bookings
from server.association.bookings.model import Facility
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, State
from server.association.gatherings.occurrences import occurrences_after
from server.association.hazards.actions import Hazards
from server.association.hazards.model import Hazard
from server.association.members.model import EVERYONE
from server.foundation.clock import Clock, tokyo_time

_DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = 180 * _DAY_MS
_BUSY_AHEAD_MS: Final = 62 * _DAY_MS
_MOST_TIMES: Final = 30


class PublicGatherings:
    """Gatherings for everyone: title, place, times of the next half year."""

    subject = Subject.CALENDAR

    def __init__(self, gatherings: Gatherings, clock: Clock) -> None:
        self._gatherings = gatherings
        self._clock = clock

    async def things(self, share: Share) -> Sequence[Thing]:
        """A ``Source``."""
        return [Thing(Kind.GATHERING, item.id, item.as_json(), item.body) for item in self.shown()]

    def shown(self) -> list[FarGathering]:
        """What every neighbour sees, soonest first."""
        found = [_far_gathering(item, self._clock) for item in self._gatherings.changed_since(0)
                 if item.audience == EVERYONE and item.is_shown]
        ahead = sorted((item for item in found if item.times), key=lambda item: item.times[0])
        return ahead[:Kind.GATHERING.most]


class OpenFacilities:
    """The facilities that the officers have chosen for this neighbour, and when they are taken."""

    subject = Subject.FACILITIES

    def __init__(self, bookings: Callable[[], Bookings], clock: Clock) -> None:
        self._bookings = bookings
        self._clock = clock

    async def things(self, share: Share) -> Sequence[Thing]:
        """A ``Source``."""
        shown = [item for item in self._bookings().schedule.facilities() if share.given.opens(item.id)]
        return [
            Thing(Kind.FACILITY, item.id, FarFacility(item, self._busy(item)).as_json(), f"【集会所など】{item.name}")
            for item in shown
        ]

    def choosable(self) -> list[Opened]:
        """What an officer may open."""
        return [Opened(item.id, item.name) for item in self._bookings().schedule.facilities()]

    def _busy(self, facility: Facility) -> tuple[tuple[int, int], ...]:
        today = _midnight_ms(self._clock)
        held = [
            (round(time.start.timestamp() * 1000), round(time.end.timestamp() * 1000))
            for item in self._bookings().schedule.of_facility(facility.id, today) if item.holds
            for time in self._bookings().schedule.times(item)
        ]
        ahead = (span for span in held if span[1] > today and span[0] < today + _BUSY_AHEAD_MS)
        return merged(ahead, facility.rules.at_once)


class HazardReports:
    """Hazard reports that are open, or were fixed lately."""

    subject = Subject.HAZARDS

    def __init__(self, hazards: Callable[[], Hazards]) -> None:
        self._hazards = hazards

    async def things(self, share: Share) -> Sequence[Thing]:
        """A ``Source``."""
        shown = [_far_hazard(item) for item in await self._hazards().shown(Kind.HAZARD.most)]
        return [Thing(Kind.HAZARD, item.id, item.as_json(), item.body) for item in shown]


def _far_gathering(item: Gathering, clock: Clock) -> FarGathering:
    today = _midnight_ms(clock)
    times = tuple(
        (found.start_ms, found.end_ms) for found in occurrences_after(item, today, _MOST_TIMES)
        if found.start_ms < today + _AHEAD_MS
    )
    plan = item.plan
    return FarGathering(
        item.id, plan.title, plan.place, plan.is_all_day, item.state is State.CANCELLED, times)


def _far_hazard(item: Hazard) -> FarHazard:
    sight = item.sight
    return FarHazard(
        item.id, sight.kind, sight.place, " ".join(sight.text.split()), item.state, sight.photo, item.reported_ms,
        item.changed_ms,
    )


def _midnight_ms(clock: Clock) -> int:
    """When today has begun in Japan: what is over stays until tomorrow, so that nothing changes by the minute."""
    now = tokyo_time(clock.now_ms())
    midnight = now - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    return round(midnight.timestamp() * 1000)
