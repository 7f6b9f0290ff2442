"""What the pages of daily life need; loaded with the first page."""

from __future__ import annotations

from server.assembly.city_feed import city_feed_of
from server.assembly.core import Core
from server.assembly.daily_life import DailyLife
from server.assembly.shared_calendars import public_calendar_of
from server.association.bookings.calendar import as_entry
from server.association.bookings.model import Booking, Facility
from server.association.gatherings.city import CityCalendar
from server.association.members.members import Members
from server.calendars.gathering_ics import render_gathering
from server.web.services import DailyServices


def daily_services(core: Core, members: Members, life: DailyLife) -> DailyServices:
    """Their verbs, and how things are written as .ics files."""

    def booking_as_ics(facility: Facility, booking: Booking) -> bytes:
        return render_gathering(as_entry(facility, booking))

    return DailyServices(
        bookings=life.bookings, booking_as_ics=booking_as_ics, garbage=life.garbage, duties=life.duties,
        hazards=life.hazards,
        city=CityCalendar(members, public_calendar_of(core), lambda: city_feed_of(core)),
    )
