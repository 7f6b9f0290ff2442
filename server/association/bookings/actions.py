"""Booking (R42, R43): every way to a facility leads through these verbs, one at a time for each facility.

A clash is refused before anything is written; who wants to wait stands in a list, and moves up when time falls free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from server.association.bookings import bookings_store as store
from server.association.bookings.admission import Admission
from server.association.bookings.book import BookingBook
from server.association.bookings.model import MAX_FACILITIES, MAX_TITLE, NEIGHBOUR, Booking, Facility, State, Wish
from server.association.bookings.rules import checked_facility, checked_wish, times_of
from server.association.bookings.schedule import Schedule
from server.association.bookings.telling import Telling
from server.association.members.edit import RosterChange
from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.send_event import EventSender
from server.storage.database import Database


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a booking comes from: ``name`` and ``uid`` of a calendar app, or the request in a room (``event_id``),
    whose booking has the same id whenever it is made. ``waits``: rather wait than be refused.
    """

    name: str = ""
    uid: str = ""
    event_id: str = ""
    waits: bool = False


_NOWHERE: Final = Origin()
_FASTER: Final = "ほかの人が 先に なおしました。いまの ものと くらべてから、もう一度おしてください"


class Bookings:
    """Facilities, and booking them; ``schedule`` says who has what. ``await open()`` once, after the projection listens
    to ``book``."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, book: BookingBook
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._book = book
        self._server_name = sender.identity.server_name
        self.schedule = Schedule(book, members, clock)
        self._admission = Admission(book, self.schedule, members, clock)
        self._telling = Telling(book, members, sender)
        self._locks = KeyedLocks()

    async def open(self) -> None:
        """Load all facilities and bookings."""
        await store.load_bookings(self._database, self._book)

    # ---- facilities ------------------------------------------------------------------------------------------------

    async def put_facility(self, officer: str, facility: Facility, *, expected: Facility | None = None) -> Facility:
        """Enter a facility (without an id) or change one; bookings that were made before stay.

        With ``expected`` it is only changed if it is still so (``Refused``, 412).
        """
        self._members.require(officer, Right.KEEP_FACILITIES)
        facility = checked_facility(facility)
        if not facility.id:
            if len(self._book.facilities()) >= MAX_FACILITIES:
                raise InvalidParam("これより多くは登録できません")
            facility = replace(facility, id=random_letters(10))
        else:
            self.schedule.facility(facility.id)
        others = [item.name for item in self._book.facilities() if item.id != facility.id]
        if facility.name in others:
            raise InvalidParam("同じ名前のものが、もうあります", field="name")
        async with self._locks.hold(facility.id):
            if expected is not None and self.schedule.facility(facility.id) != expected:
                raise Refused(_FASTER, status=412)
            await self._telling.facility(facility)
            if not facility.is_gone:
                await self._move_up(facility)
        return self.schedule.facility(facility.id)

    # ---- booking ---------------------------------------------------------------------------------------------------

    async def book(
        self, user_id: str, wish: Wish, *, person_id: str | None = None, origin: Origin = _NOWHERE
    ) -> Booking:
        """Book; answers when it is on disk. ``person_id``: for whom an officer books who has no telephone.

        Raises ``Clash`` (409), ``InvalidParam`` where the rules do not allow it, ``Forbidden``, ``NotFound``.
        """
        wish, booking_id = checked_wish(wish), _id_of(origin)
        async with self._locks.hold(wish.facility_id):
            facility, person = self.schedule.facility(wish.facility_id), self._for_whom(user_id, person_id)
            if made := self._book.find(booking_id):
                return made
            self._admission.require_allowed(user_id, facility, wish, person.id)
            name, uid = origin.name or f"{booking_id}.ics", origin.uid or self._uid_of(booking_id)
            known = self._book.named(facility.id, name)
            if known is not None and not known.is_over:
                raise Refused("同じ名前の予約があります", status=409)
            times, state = times_of(wish), self._admission.state_for(user_id, facility)
            if origin.waits and self._admission.taken(facility, times):
                state = State.WAITING
            else:
                self._admission.require_free(facility, wish, times)
            booking = Booking(booking_id, wish, state, person.id, user_id, name, uid)
            return await self._telling.booking(facility, booking, reply_to=origin.event_id)

    async def book_for_neighbour(self, booking_id: str, wish: Wish, name: str, server: str) -> Booking:
        """What another association asks for (``name``, on ``server``): held until an officer says yes; once for each
        id. Raises like ``book``."""
        wish = checked_wish(wish)
        if wish.rule:
            raise InvalidParam("くり返しの予約は、お願いできません")
        async with self._locks.hold(wish.facility_id):
            if made := self._book.find(booking_id):
                return made
            facility = self.schedule.facility(wish.facility_id)
            self._admission.require_allowed_for_neighbour(facility, wish)
            self._admission.require_free(facility, wish, [wish])
            title = f"{name}：{wish.title}" if wish.title else name
            booking = Booking(
                booking_id, replace(wish, title=title[:MAX_TITLE]), State.REQUESTED, f"{NEIGHBOUR}{server}",
                self._members.node_user_id, f"{booking_id}.ics", self._uid_of(booking_id),
            )
            return await self._telling.booking(facility, booking)

    async def change(
        self, user_id: str, booking_id: str, wish: Wish, *, expected_revision: int | None = None, request: str = ""
    ) -> Booking:
        """Another time or purpose; raises like ``book``, and ``Refused`` (412) where somebody was faster.

        ``request``: the event in a 窓口 that this answers.
        """
        wish = checked_wish(wish)
        async with self._locks.hold(wish.facility_id):
            old = self._changeable(user_id, booking_id, expected_revision)
            if old.wish.facility_id != wish.facility_id:
                raise InvalidParam("ほかのものに変えるときは、取り消してから予約してください")
            if wish == old.wish:
                return old
            facility, state = self.schedule.facility(wish.facility_id), old.state
            before = {(item.start, item.end) for item in self._book.times(old)}
            new = tuple(item for item in times_of(wish) if (item.start, item.end) not in before)
            if new:
                self._admission.require_allowed(user_id, facility, wish, old.person, beside=old, new=new)
                # Who waits holds none of the old times.
                self._admission.require_free(facility, wish, new if old.holds else times_of(wish), beside=old.id)
                state = self._admission.state_for(user_id, facility)
            moved = bool(new) or len(times_of(wish)) != len(before)
            booking = replace(old, wish=wish, state=state, sequence=old.sequence + moved)
            await self._telling.booking(facility, booking, reply_to=request)
            await self._move_up(facility)
            return self.schedule.get(user_id, old.id)

    async def leave_out(
        self, user_id: str, booking_id: str, day: date, *, expected_revision: int | None = None, request: str = ""
    ) -> Booking:
        """Give back one day of a booking that repeats; of one that does not, or where nothing is left, all of it."""
        booking = self.schedule.get(user_id, booking_id)
        times = self._book.times(booking)
        on_day = [item.start for item in times if item.start.date() == day]
        if not on_day:
            raise InvalidParam("その日の予約はありません")
        revision = booking.revision if expected_revision is None else expected_revision
        if len(on_day) == len(times):
            return await self.cancel(user_id, booking_id, expected_revision=revision, request=request)
        wish = replace(booking.wish, except_for=(*booking.wish.except_for, *on_day))
        return await self.change(user_id, booking_id, wish, expected_revision=revision, request=request)

    async def cancel(
        self, user_id: str, booking_id: str, reason: str = "", *, expected_revision: int | None = None,
        request: str = "",
    ) -> Booking:
        """Give the time back; who waits for it gets it."""
        async with self._locks.hold(self._facility_of(booking_id)):
            old = self._changeable(user_id, booking_id, expected_revision)
            return await self._end(old, State.CANCELLED, reason, request)

    async def confirm(self, officer: str, booking_id: str) -> Booking:
        """An officer says yes to what was asked for."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        async with self._locks.hold(self._facility_of(booking_id)):
            old = self._changeable(officer, booking_id, None)
            if old.state is not State.REQUESTED:
                raise Refused("この予約は、もう返事をしてあります", status=409)
            facility = self.schedule.facility(old.wish.facility_id)
            return await self._telling.booking(facility, replace(old, state=State.CONFIRMED))

    async def decline(self, officer: str, booking_id: str, reason: str = "") -> Booking:
        """An officer says no."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        async with self._locks.hold(self._facility_of(booking_id)):
            return await self._end(self._changeable(officer, booking_id, None), State.DECLINED, reason)

    async def follow(self, change: RosterChange) -> None:
        """A listener of the editor: whoever has left the association has no bookings any more."""
        now = self._clock.now_ms()
        for person_id in change.persons:
            if not self._members.register.has_person(person_id):
                for booking in self.schedule.of_person(person_id, now):
                    if not booking.is_over:
                        await self.cancel(self._members.node_user_id, booking.id)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _end(self, old: Booking, state: State, reason: str, request: str = "") -> Booking:
        """Called under the facility's lock."""
        facility = self.schedule.facility(old.wish.facility_id)
        ended = replace(old, state=state, sequence=old.sequence + 1)
        told = await self._telling.booking(facility, ended, reason, reply_to=request)
        if old.holds:
            await self._move_up(facility)
        return told

    async def _move_up(self, facility: Facility) -> None:
        """Whoever waits and fits now gets the time; called under the facility's lock."""
        now = tokyo_time(self._clock.now_ms())
        for booking in self._book.waiting(facility.id):
            if booking.wish.start > now and not self._admission.taken(facility, self._book.times(booking)):
                state = self._admission.state_for(booking.by, facility)
                await self._telling.booking(facility, replace(booking, state=state), "空いたので、予約に変わりました。")

    def _for_whom(self, user_id: str, person_id: str | None) -> Person:
        own = self._members.person_of_user(user_id)
        if person_id is None or (own is not None and own.id == person_id):
            if own is None:
                raise Forbidden("予約は、名簿にのっている人ができます")
            return own
        self._members.require(user_id, Right.KEEP_FACILITIES)
        return self._members.person(person_id)

    def _uid_of(self, booking_id: str) -> str:
        return f"{booking_id}@{self._server_name}"

    def _facility_of(self, booking_id: str) -> str:
        booking = self._book.find(booking_id)
        if booking is None:
            raise NotFound("その予約はありません")
        return booking.wish.facility_id

    def _changeable(self, user_id: str, booking_id: str, expected_revision: int | None) -> Booking:
        booking = self.schedule.get(user_id, booking_id)
        if expected_revision is not None and booking.revision != expected_revision:
            raise Refused("ほかの人が先に変えました。もう一度ひらいてください", status=412)
        if booking.is_over:
            raise Refused("この予約は、もう取り消されています", status=409)
        return booking


def _id_of(origin: Origin) -> str:
    """The same request never makes two bookings, however often the node is stopped while it answers."""
    return f"r{origin.event_id.lstrip('$')}" if origin.event_id else random_letters(12)
