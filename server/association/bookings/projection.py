"""From events to the tables of facilities, bookings and requests, in the transaction of the event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from server.association.bookings import bookings_store as store
from server.association.bookings.asking import REQUEST, is_request
from server.association.bookings.book import BookingBook
from server.association.bookings.contents import (
    ANSWER,
    BOOKING,
    FACILITY,
    answered_request,
    read_booking,
    read_facility,
)
from server.association.members.members import Members
from server.foundation.errors import Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.numbered_answers import spoken_text
from server.rooms.timeline import Entry
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class BookingProjection:
    """Keeps the book and the tables in step with the rooms. ``on_request`` hears of a request that is on disk."""

    def __init__(self, book: BookingBook, members: Members, on_request: Callable[[store.Request], None]) -> None:
        self._book = book
        self._members = members
        self._on_request = on_request

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event from now on."""
        acceptor.project(self._facility, [FACILITY])
        acceptor.project(self._message, ["m.room.message"])
        acceptor.project(self._own_event, [REQUEST])

    def _facility(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A facility as the node tells it; nobody else is believed."""
        event = entry.event
        if event.sender != self._members.node_user_id or event.state_key is None:
            return
        try:
            facility = read_facility(event.content)
        except _UNREADABLE:
            logger.warning("a facility could not be read")
            return
        if facility.id == event.state_key:
            store.put_facility(writes, facility, entry.stream)
            writes.after_commit.append(lambda: self._book.enter_facility(facility, entry.stream))

    def _message(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """A booking by the node, or what a resident asks for in words."""
        content = entry.event.content
        if entry.event.sender == self._members.node_user_id:
            if BOOKING in content:
                self._booking(entry, writes)
            if BOOKING in content or ANSWER in content:
                # With the answer itself, or a stop would do it twice: the first of one's bookings is another one then.
                store.drop_request(writes, answered_request(content))
            return
        body = content.get("body")
        if isinstance(body, str) and is_request(body):
            self._ask(room, entry, {"text": spoken_text(content) or ""}, writes)

    def _own_event(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The same as an event of ours."""
        self._ask(room, entry, {"wish": entry.event.content}, writes)

    def _booking(self, entry: Entry, writes: Writes) -> None:
        event = entry.event
        try:
            told = read_booking(event.content[BOOKING])
        except _UNREADABLE:
            logger.warning("a booking could not be read")
            return
        known = self._book.find(told.id)
        booking = replace(
            told, created_ms=event.origin_server_ts if known is None else known.created_ms,
            changed_ms=event.origin_server_ts, revision=entry.stream,
        )
        store.put_booking(writes, booking)
        writes.after_commit.append(lambda: self._book.enter(booking))

    def _ask(self, room: LiveRoom, entry: Entry, content: dict[str, object], writes: Writes) -> None:
        event = entry.event
        person = self._members.person_of_desk_room(room.room_id)
        if person is None or person.user_id != event.sender:
            return
        request = store.Request(
            event.event_id, room.room_id, event.sender, content, entry.stream, event.origin_server_ts
        )
        store.put_request(writes, request)
        writes.after_commit.append(lambda: self._on_request(request))
