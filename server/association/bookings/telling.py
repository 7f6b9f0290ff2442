"""What the node says of facilities and bookings in rooms; the projection takes it from there into the book."""

from __future__ import annotations

from dataclasses import replace

from server.association.bookings.book import BookingBook
from server.association.bookings.contents import FACILITY, booking_content, facility_content
from server.association.bookings.model import NEIGHBOUR, Booking, Facility
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.rooms.send_event import Draft, EventSender


class Telling:
    """Speaks as the node. Answers when it is on disk, and in the book."""

    def __init__(self, book: BookingBook, members: Members, sender: EventSender) -> None:
        self._book = book
        self._members = members
        self._sender = sender

    async def facility(self, facility: Facility) -> None:
        """A facility as it is now, to all."""
        space = self._members.hall_room(Purpose.SPACE)
        content = facility_content(facility)
        await self._sender.send(Draft(space, self._members.node_user_id, FACILITY, content, facility.id))

    async def booking(self, facility: Facility, booking: Booking, reason: str = "", reply_to: str = "") -> Booking:
        """A booking as it is now, to whoever has it; answers what the book has of it then."""
        is_ours = not booking.person.startswith(NEIGHBOUR)
        if is_ours and not self._members.register.has_person(booking.person):
            # Who has left has no 窓口; what for and where to is nobody's business any more.
            booking = replace(booking, wish=replace(booking.wish, title="", note=""))
        content = booking_content(facility, booking, reason, reply_to)
        await self._sender.send(
            Draft(self._room_of(booking), self._members.node_user_id, "m.room.message", content))
        told = self._book.find(booking.id)
        assert told is not None
        return told

    def _room_of(self, booking: Booking) -> str:
        """The 窓口 of whoever has it; of somebody without an account that of who made it, or the officers' room."""
        by = self._members.person_of_user(booking.by)
        found = self._members.desk_room_of(booking.person) or (self._members.desk_room_of(by.id) if by else None)
        return found or self._members.hall_room(Purpose.OFFICERS)
