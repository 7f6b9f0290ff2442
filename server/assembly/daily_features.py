"""Bookings, duties and garbage days, built: see ``daily_life.py`` for when."""

from __future__ import annotations

from dataclasses import dataclass

from server.assembly.core import Core
from server.assembly.daily_reminders import BookingReminders, DutyReminders
from server.association.bookings.actions import Bookings
from server.association.bookings.answering import BookingDesk
from server.association.bookings.book import BookingBook
from server.association.bookings.projection import BookingProjection
from server.association.duties.actions import Duties
from server.association.duties.book import DutyBook
from server.association.duties.projection import DutyProjection
from server.association.garbage.actions import Garbage
from server.association.garbage.book import GarbageBook
from server.association.garbage.projection import GarbageProjection
from server.association.hazards.actions import Hazards
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.association.reminders.reminding import ReminderSource


@dataclass(frozen=True, slots=True)
class DailyFeatures:
    """Their verbs."""

    bookings: Bookings
    booking_desk: BookingDesk
    garbage: Garbage
    duties: Duties
    hazards: Hazards

    async def open(self) -> None:
        """Load what the tables hold."""
        for opened in (self.bookings, self.garbage, self.duties):
            await opened.open()

    def reminder_sources(self, members: Members) -> list[ReminderSource]:
        """What people are reminded of."""
        return [BookingReminders(self.bookings.schedule, members), DutyReminders(self.duties, members)]


def make_features(core: Core, members: Members, editor: MemberEditor) -> DailyFeatures:
    """The features, following the rooms; not yet opened."""
    database, sender, clock = core.database, core.services.sender, core.clock
    book = BookingBook()
    bookings = Bookings(database, clock, members, sender, book)
    desk = BookingDesk(database, clock, members, sender, bookings, core.tasks)
    BookingProjection(book, members, desk.hear).attach(core.acceptor)
    editor.on_change(bookings.follow)
    garbage_book = GarbageBook()
    garbage = Garbage(database, clock, members, sender, garbage_book)
    GarbageProjection(garbage_book, members.node_user_id).attach(core.acceptor)
    duty_book = DutyBook()
    duties = Duties(database, clock, members, sender, duty_book)
    core.acceptor.project(DutyProjection(duty_book, members.node_user_id).project, ["m.room.message"])
    hazards = Hazards(database, clock, members, sender)
    hazards.attach(core.acceptor)
    return DailyFeatures(bookings, desk, garbage, duties, hazards)
