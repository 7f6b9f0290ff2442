"""Bookings and duties as things to be reminded of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.association.bookings.model import Booking, Kind, State, Wish
from server.association.bookings.schedule import Schedule
from server.association.duties.actions import Duties
from server.association.duties.model import Turn, turns
from server.association.members.members import Members
from server.association.reminders.model import Appointment
from server.foundation.clock import TOKYO, tokyo_time


class BookingReminders:
    """A ``ReminderSource``: whoever has booked is reminded of it, of a ride with the way (R44)."""

    def __init__(self, schedule: Schedule, members: Members) -> None:
        self._schedule = schedule
        self._members = members

    async def between(self, first_ms: int, last_ms: int) -> Sequence[Appointment]:
        """Confirmed bookings that begin soon."""
        return [self._appointment(item, time) for item, time in self._schedule.between(first_ms, last_ms)
                if item.state is State.CONFIRMED and self._members.register.has_person(item.person)]

    def _appointment(self, item: Booking, wish: Wish) -> Appointment:
        facility = self._schedule.facility(wish.facility_id)
        title = f"{facility.name}：{wish.title}" if wish.title else f"{facility.name}の予約"
        place = wish.note if facility.kind is Kind.RIDE and wish.note else facility.place
        user_id = self._members.person(item.person).user_id
        return Appointment(
            f"booking:{item.id}", title, round(wish.start.timestamp()) * 1000, item.changed_ms, place,
            attending={} if user_id is None else {user_id: item.changed_ms},
        )


class DutyReminders:
    """A ``ReminderSource``: everybody of the household whose turn begins."""

    def __init__(self, duties: Duties, members: Members) -> None:
        self._duties = duties
        self._members = members

    async def between(self, first_ms: int, last_ms: int) -> Sequence[Appointment]:
        """Turns that begin soon."""
        first, last = (tokyo_time(moment).date() for moment in (first_ms, last_ms))
        found = [self._appointment(turn) for duty in self._duties.all() for turn in turns(duty, first, last)]
        return [item for item in found if first_ms < item.start_ms <= last_ms]

    def _appointment(self, turn: Turn) -> Appointment:
        midnight = datetime(turn.start.year, turn.start.month, turn.start.day, tzinfo=TOKYO)
        until = turn.end - timedelta(days=1)
        lasts = f"（{until.month}月{until.day}日まで）" if until > turn.start else ""
        people = [person.user_id for person in self._members.persons_at(turn.household)]
        return Appointment(
            f"duty:{turn.duty.id}", f"当番：{turn.duty.plan.title}{lasts}", round(midnight.timestamp()) * 1000,
            turn.duty.changed_ms, whole_day=True,
            attending={user_id: 0 for user_id in people if user_id is not None},
        )
