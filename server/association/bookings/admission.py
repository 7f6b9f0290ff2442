"""What somebody may book now: the rules of a facility, how many they have, what is taken."""

from __future__ import annotations

from collections.abc import Sequence

from server.association.bookings.book import BookingBook
from server.association.bookings.model import Booking, Clash, Facility, State, Wish
from server.association.bookings.rules import is_free, require_in_time, require_open, require_repeats, times_of
from server.association.bookings.schedule import Schedule
from server.association.bookings.words import clash_text
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import InvalidParam


class Admission:
    """Answers only as long as the facility's lock is held."""

    def __init__(self, book: BookingBook, schedule: Schedule, members: Members, clock: Clock) -> None:
        self._book = book
        self._schedule = schedule
        self._members = members
        self._clock = clock

    def require_allowed(
        self, user_id: str, facility: Facility, wish: Wish, person_id: str, beside: Booking | None = None,
        new: Sequence[Wish] = (),
    ) -> None:
        """Raise ``InvalidParam`` where the rules do not allow it to whoever asks.

        ``beside``: the booking that is changed; ``new``: the times that are looked at, where not all of the wish are.
        """
        times, now = new or times_of(wish), self._clock.now_ms()
        for item in times:
            require_open(facility, item)
        if times[0].start.timestamp() * 1000 < now:
            raise InvalidParam("もう過ぎた時間です")
        if self._members.may(user_id, Right.KEEP_FACILITIES):
            return
        require_repeats(facility, wish)
        for item in (times[0], times[-1]):
            require_in_time(facility, item, tokyo_time(now))
        held = [item for item in self._schedule.of_person(person_id, now)
                if not item.is_over and item.wish.facility_id == facility.id and item is not beside]
        if facility.rules.most and len(held) >= facility.rules.most:
            raise InvalidParam(f"{facility.name}の予約は、ひとり{facility.rules.most}件までです")

    def require_allowed_for_neighbour(self, facility: Facility, wish: Wish) -> None:
        """The same for a neighbour's one time: all rules but that of how many they have, which their node keeps."""
        now = tokyo_time(self._clock.now_ms())
        require_open(facility, wish)
        if wish.start < now:
            raise InvalidParam("もう過ぎた時間です")
        require_in_time(facility, wish, now)

    def state_for(self, user_id: str, facility: Facility) -> State:
        """What a booking of somebody's is that gets its time."""
        asks = facility.rules.asks and not self._members.may(user_id, Right.KEEP_FACILITIES)
        return State.REQUESTED if asks else State.CONFIRMED

    def taken(self, facility: Facility, times: Sequence[Wish], beside: str = "") -> list[Wish]:
        """Those of some times that somebody else has already."""
        return [item for item in times if not is_free(
            facility, item.start, item.end, self._book.held(facility.id, item.start, item.end, beside))]

    def require_free(self, facility: Facility, wish: Wish, times: Sequence[Wish], beside: str = "") -> None:
        """Raise ``Clash`` unless all of some times of a wish are free."""
        if taken := self.taken(facility, times, beside):
            free = self._schedule.free_on(facility, taken[0].start.date())
            raise Clash(clash_text(facility, taken[0], free, len(taken) - 1, repeats=bool(wish.rule)))
