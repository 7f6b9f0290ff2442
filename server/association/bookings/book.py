"""All facilities and bookings in memory; it holds only what is committed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from server.association.bookings.model import Booking, Facility, State, Wish
from server.association.bookings.rules import times_of


class BookingBook:
    """Facilities and bookings by id. Changed by the projection, by nobody else."""

    def __init__(self) -> None:
        self._facilities: dict[str, Facility] = {}
        self._bookings: dict[str, Booking] = {}
        self._by_facility: dict[str, dict[str, Booking]] = {}
        self._by_person: dict[str, dict[str, Booking]] = {}
        self._times: dict[str, tuple[Wish, ...]] = {}
        self.revision = 0

    def enter_facility(self, facility: Facility, revision: int) -> None:
        """A facility as it is now."""
        self._facilities[facility.id] = facility
        self.revision = max(self.revision, revision)

    def enter(self, booking: Booking) -> None:
        """A booking as it is now."""
        old = self._bookings.get(booking.id)
        if old is not None:
            self._by_facility[old.wish.facility_id].pop(old.id, None)
        if old is None or old.wish != booking.wish:
            self._times[booking.id] = times_of(booking.wish)
        self._bookings[booking.id] = booking
        self._by_facility.setdefault(booking.wish.facility_id, {})[booking.id] = booking
        self._by_person.setdefault(booking.person, {})[booking.id] = booking
        self.revision = max(self.revision, booking.revision)

    def facilities(self) -> list[Facility]:
        """Those that can be booked, by name."""
        return sorted((item for item in self._facilities.values() if not item.is_gone), key=lambda item: item.name)

    def facility(self, facility_id: str) -> Facility | None:
        """One facility, also one that is gone."""
        return self._facilities.get(facility_id)

    def find(self, booking_id: str) -> Booking | None:
        """One booking."""
        return self._bookings.get(booking_id)

    def named(self, facility_id: str, name: str) -> Booking | None:
        """One booking by the calendar's name; of several, the one that is not over."""
        found = [item for item in self.of_facility(facility_id) if item.name == name]
        return max(found, key=lambda item: (not item.is_over, item.revision), default=None)

    def of_facility(self, facility_id: str) -> Iterable[Booking]:
        """All bookings of a facility."""
        return self._by_facility.get(facility_id, {}).values()

    def of_person(self, person_id: str) -> Iterable[Booking]:
        """All bookings that a person has or had."""
        return self._by_person.get(person_id, {}).values()

    def all(self) -> Iterable[Booking]:
        """All bookings."""
        return self._bookings.values()

    def times(self, booking: Booking) -> tuple[Wish, ...]:
        """Every single time of a booking that was entered, in order."""
        return self._times[booking.id]

    def end_of(self, booking: Booking) -> datetime:
        """When its last time is over."""
        return self._times[booking.id][-1].end

    def held(self, facility_id: str, start: datetime, end: datetime, beside: str = "") -> list[Wish]:
        """The single times that are held between two moments, ``beside`` left out."""
        return [
            wish for item in self.of_facility(facility_id)
            if item.holds and item.id != beside and item.wish.start < end and start < self.end_of(item)
            for wish in self.times(item) if wish.start < end and start < wish.end
        ]

    def waiting(self, facility_id: str) -> list[Booking]:
        """Who waits, the first first."""
        found = [item for item in self.of_facility(facility_id) if item.state is State.WAITING]
        return sorted(found, key=lambda item: (item.created_ms, item.revision))
