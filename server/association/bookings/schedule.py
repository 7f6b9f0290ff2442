"""Who has what when: facilities and bookings, as doors and calendars read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from server.association.bookings.book import BookingBook
from server.association.bookings.model import Booking, Facility, State, Wish
from server.association.bookings.rules import Stretch, free_times
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import TOKYO, Clock, tokyo_time
from server.foundation.errors import NotFound


class Schedule:
    """Reads the book; what depends on who asks says so."""

    def __init__(self, book: BookingBook, members: Members, clock: Clock) -> None:
        self._book = book
        self._members = members
        self._clock = clock

    @property
    def revision(self) -> int:
        """The position of the last change of any booking or facility."""
        return self._book.revision

    def facilities(self) -> list[Facility]:
        """What can be booked, by name."""
        return self._book.facilities()

    def facility(self, facility_id: str) -> Facility:
        """One facility; raises ``NotFound``."""
        facility = self._book.facility(facility_id)
        if facility is None:
            raise NotFound("予約できるものの中に、ありません")
        return facility

    def get(self, user_id: str, booking_id: str) -> Booking:
        """One booking, for whoever has or made it and for officers; raises ``NotFound``."""
        booking = self._book.find(booking_id)
        if booking is None or not self.sees(user_id, booking):
            raise NotFound("その予約はありません")
        return booking

    def find(self, booking_id: str) -> Booking | None:
        """One booking, for the node itself."""
        return self._book.find(booking_id)

    def sees(self, user_id: str, booking: Booking) -> bool:
        """Whether an account may know all about a booking."""
        person = self._members.person_of_user(user_id)
        mine = person is not None and person.id == booking.person
        return mine or booking.by == user_id or self._members.may(user_id, Right.KEEP_FACILITIES)

    def named(self, facility_id: str, name: str) -> Booking | None:
        """A booking by the calendar's name."""
        return self._book.named(facility_id, name)

    def of_facility(self, facility_id: str, since_ms: int = 0) -> list[Booking]:
        """The bookings of a facility that end after ``since_ms``, also those that are over or wait, by time."""
        since = tokyo_time(since_ms)
        found = [item for item in self._book.of_facility(facility_id) if self._book.end_of(item) > since]
        return sorted(found, key=lambda item: (item.wish.start, item.created_ms))

    def of_person(self, person_id: str, since_ms: int = 0) -> list[Booking]:
        """The bookings that a person has, like ``of_facility``."""
        since = tokyo_time(since_ms)
        found = [item for item in self._book.of_person(person_id) if self._book.end_of(item) > since]
        return sorted(found, key=lambda item: (item.wish.start, item.created_ms))

    def times(self, booking: Booking) -> tuple[Wish, ...]:
        """Every single time of a booking, in order; of one that does not repeat, itself."""
        return self._book.times(booking)

    def next_time(self, booking: Booking) -> Wish:
        """The time that is not over yet, or else the last one."""
        now, times = tokyo_time(self._clock.now_ms()), self._book.times(booking)
        return next((wish for wish in times if wish.end > now), times[-1])

    def between(self, first_ms: int, last_ms: int) -> list[tuple[Booking, Wish]]:
        """All times that are held and begin after ``first_ms`` and not after ``last_ms``, each with its booking."""
        first, last = tokyo_time(first_ms), tokyo_time(last_ms)
        return [(item, wish) for item in self._book.all() if item.holds and item.wish.start <= last
                for wish in self._book.times(item) if first < wish.start <= last]

    def asked(self, officer: str) -> list[Booking]:
        """What waits for an officer's yes, soonest first."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        now = tokyo_time(self._clock.now_ms())
        found = [item for item in self._book.all() if item.state is State.REQUESTED and self._book.end_of(item) > now]
        return sorted(found, key=lambda item: item.wish.start)

    def free_on(self, facility: Facility, day: date) -> list[Stretch]:
        """What is left of a day."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
        return free_times(facility, day, self._book.held(facility.id, midnight, midnight + timedelta(days=1)))
