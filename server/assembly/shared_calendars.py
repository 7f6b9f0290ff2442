"""The calendars that the association shares: which kinds there are, and who may read and write them."""

from __future__ import annotations

from functools import partial

from federation.sharing.book import ShareBook
from federation.sharing.calendar import KEY as NEIGHBOURS
from federation.sharing.calendar import NeighbourCalendar
from federation.sharing.neighbours import Neighbours
from server.assembly.core import Core
from server.assembly.node import Node
from server.association.bookings.calendar import PREFIX as BOOKINGS
from server.association.bookings.calendar import BookingCalendars, BookingRights, MyBookings
from server.association.duties.calendar import KEY as DUTIES
from server.association.duties.calendar import DutyCalendars, MyDuties
from server.association.garbage.calendar import PREFIX as GARBAGE
from server.association.garbage.calendar import GarbageCalendars
from server.association.garbage.calendar import may_read as may_read_garbage
from server.association.gatherings.audience_calendars import AudienceCalendars
from server.association.gatherings.calendar import CalendarRights
from server.association.gatherings.said_yes import SaidYes
from server.calendars.gatherings import GATHERINGS
from server.calendars.mine import MINE, MineCalendar
from server.calendars.ports import CalendarBackend, Rights
from server.calendars.public_calendar import PUBLIC, PublicCalendar
from server.calendars.rights import ReadOnly, RightsByPrefix
from server.calendars.whole import WholeCalendars


def shared_calendars(node: Node) -> list[CalendarBackend]:
    """All but the gatherings for everyone."""
    association, clock = node.association, node.core.clock
    members, life = association.members, association.daily_life

    def household_of(user_id: str) -> str | None:
        person = members.person_of_user(user_id)
        return None if person is None else person.household_id

    bookings = BookingCalendars(life.bookings, members, clock, life.booking_desk.say)
    mine = MineCalendar([
        SaidYes(association.gatherings, association.attendance), MyBookings(life.bookings.schedule, members, clock),
        MyDuties(life.duties, members),
    ], household_of)
    return [
        AudienceCalendars(association.gatherings, members),
        WholeCalendars(bookings, writer=bookings),
        WholeCalendars(GarbageCalendars(life.garbage, members)),
        WholeCalendars(DutyCalendars(life.duties, members)),
        WholeCalendars(mine),
        public_calendar_of(node.core),
        WholeCalendars(NeighbourCalendar(partial(_sharing_of, node.core))),
    ]


async def _sharing_of(core: Core) -> tuple[ShareBook, Neighbours] | None:
    """What neighbours share, where anything is between nodes."""
    wide_area = await core.late.wide_area.if_needed()
    return None if wide_area is None else (wide_area.sharing.book, wide_area.sharing.neighbours)


def public_calendar_of(core: Core) -> PublicCalendar:
    """The city's calendar, the same for all doors."""
    if core.late.public_calendar is None:
        core.late.public_calendar = PublicCalendar(core.database, core.clock)
    return core.late.public_calendar


def shared_rights(node: Node) -> Rights:
    """Who may do what with them."""
    members = node.association.members

    def is_known(user_id: str, key: str) -> bool:
        return members.person_of_user(user_id) is not None

    return RightsByPrefix({
        GATHERINGS: CalendarRights(members), BOOKINGS: BookingRights(members),
        GARBAGE: ReadOnly(partial(may_read_garbage, members)),
        DUTIES: ReadOnly(is_known), PUBLIC: ReadOnly(is_known), NEIGHBOURS: ReadOnly(is_known),
        MINE: ReadOnly(is_known),
    })
