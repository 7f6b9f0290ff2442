"""Booking (R42, R43): every way to a facility leads through these verbs, one at a time for each facility.

A clash is refused before anything is written; who wants to wait stands in a list, and moves up when time falls free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from server.association.bookings import bookings_store as store
from server.association.bookings.book import BookingBook
from server.association.bookings.contents import FACILITY, booking_content, facility_content
from server.association.bookings.model import (
    MAX_FACILITIES,
    MAX_TITLE,
    NEIGHBOUR,
    Booking,
    Clash,
    Facility,
    State,
    Wish,
    checked_facility,
    checked_wish,
    free_times,
    is_free,
    require_in_time,
    require_open,
    require_repeats,
    times_of,
)
from server.association.bookings.words import clash_text
from server.association.members.edit import RosterChange
from server.association.members.members import Members
from server.association.members.model import Person, Purpose, Right
from server.foundation.clock import TOKYO, Clock, tokyo_time
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

Stretch = tuple[datetime, datetime]


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


class Bookings:
    """Facilities and who has them when. ``await open()`` once, after the projection listens to ``book``."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, book: BookingBook
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._book = book
        self._locks = KeyedLocks()

    async def open(self) -> None:
        """Load all facilities and bookings."""
        await store.load_bookings(self._database, self._book)

    # ---- reading ---------------------------------------------------------------------------------------------------

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

    # ---- facilities ------------------------------------------------------------------------------------------------

    async def put_facility(self, officer: str, facility: Facility) -> Facility:
        """Enter a facility (without an id) or change one; bookings that were made before stay."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        facility = checked_facility(facility)
        if not facility.id:
            if len(self._book.facilities()) >= MAX_FACILITIES:
                raise InvalidParam("これより多くは登録できません")
            facility = replace(facility, id=random_letters(10))
        else:
            self.facility(facility.id)
        others = [item.name for item in self._book.facilities() if item.id != facility.id]
        if facility.name in others:
            raise InvalidParam("同じ名前のものが、もうあります")
        space = self._members.hall_room(Purpose.SPACE)
        content = facility_content(facility)
        async with self._locks.hold(facility.id):
            await self._sender.send(Draft(space, self._members.node_user_id, FACILITY, content, facility.id))
            if not facility.is_gone:
                await self._move_up(facility)
        return self.facility(facility.id)

    # ---- booking ---------------------------------------------------------------------------------------------------

    async def book(
        self, user_id: str, wish: Wish, *, person_id: str | None = None, origin: Origin = _NOWHERE
    ) -> Booking:
        """Book; answers when it is on disk. ``person_id``: for whom an officer books who has no telephone.

        Raises ``Clash`` (409), ``InvalidParam`` where the rules do not allow it, ``Forbidden``, ``NotFound``.
        """
        wish, booking_id = checked_wish(wish), _id_of(origin)
        async with self._locks.hold(wish.facility_id):
            facility, person = self.facility(wish.facility_id), self._for_whom(user_id, person_id)
            made = self._book.find(booking_id)
            if made is not None:
                return made
            self._require_rules(user_id, facility, wish, person)
            booking = Booking(
                booking_id, wish, State.WAITING, person.id, user_id, origin.name or f"{booking_id}.ics",
                origin.uid or f"{booking_id}@{self._sender.identity.server_name}",
            )
            known = self._book.named(facility.id, booking.name)
            if known is not None and not known.is_over:
                raise Refused("同じ名前の予約があります", status=409)
            taken = self._taken(facility, times_of(wish))
            if not taken:
                booking = replace(booking, state=self._held_state(user_id, facility))
            elif not origin.waits:
                raise self._clash(facility, wish, taken)
            return await self._tell(facility, booking, reply_to=origin.event_id)

    async def book_for_neighbour(self, booking_id: str, wish: Wish, name: str, server: str) -> Booking:
        """What another association asks for (``name``, on ``server``): held until an officer says yes; once for each
        id. Raises like ``book``."""
        wish, facility = checked_wish(wish), self.facility(wish.facility_id)
        node, now = self._members.node_user_id, tokyo_time(self._clock.now_ms())
        if wish.rule:
            raise InvalidParam("くり返しの予約は、お願いできません")
        require_open(facility, wish)
        if wish.start < now:
            raise InvalidParam("もう過ぎた時間です")
        require_in_time(facility, wish, now)
        async with self._locks.hold(facility.id):
            made = self._book.find(booking_id)
            if made is not None:
                return made
            if taken := self._taken(facility, [wish]):
                raise self._clash(facility, wish, taken)
            title = f"{name}：{wish.title}" if wish.title else name
            booking = Booking(
                booking_id, replace(wish, title=title[:MAX_TITLE]), State.REQUESTED, f"{NEIGHBOUR}{server}", node,
                f"{booking_id}.ics", f"{booking_id}@{self._sender.identity.server_name}",
            )
            return await self._tell(facility, booking)

    async def change(
        self, user_id: str, booking_id: str, wish: Wish, *, expected_revision: int | None = None
    ) -> Booking:
        """Another time or purpose; raises like ``book``, and ``Refused`` (412) where somebody was faster."""
        wish = checked_wish(wish)
        async with self._locks.hold(wish.facility_id):
            old = self._changeable(user_id, booking_id, expected_revision)
            if old.wish.facility_id != wish.facility_id:
                raise InvalidParam("ほかのものに変えるときは、取り消してから予約してください")
            if wish == old.wish:
                return old
            facility, state = self.facility(wish.facility_id), old.state
            before = {(item.start, item.end) for item in self._book.times(old)}
            new = tuple(item for item in times_of(wish) if (item.start, item.end) not in before)
            if new:
                self._require_rules(user_id, facility, wish, self._members.person(old.person), beside=old, new=new)
                # Who waits holds none of the old times.
                if taken := self._taken(facility, new if old.holds else times_of(wish), old.id):
                    raise self._clash(facility, wish, taken)
                state = self._held_state(user_id, facility)
            moved = bool(new) or len(times_of(wish)) != len(before)
            await self._tell(facility, replace(old, wish=wish, state=state, sequence=old.sequence + moved))
            await self._move_up(facility)
            return self.get(user_id, old.id)

    async def leave_out(
        self, user_id: str, booking_id: str, day: date, *, expected_revision: int | None = None
    ) -> Booking:
        """Give back one day of a booking that repeats; of one that does not, or where nothing is left, all of it."""
        booking = self.get(user_id, booking_id)
        times = self._book.times(booking)
        on_day = [item.start for item in times if item.start.date() == day]
        if not on_day:
            raise InvalidParam("その日の予約はありません")
        revision = booking.revision if expected_revision is None else expected_revision
        if len(on_day) == len(times):
            return await self.cancel(user_id, booking_id, expected_revision=revision)
        wish = replace(booking.wish, except_for=(*booking.wish.except_for, *on_day))
        return await self.change(user_id, booking_id, wish, expected_revision=revision)

    async def cancel(
        self, user_id: str, booking_id: str, reason: str = "", *, expected_revision: int | None = None
    ) -> Booking:
        """Give the time back; who waits for it gets it."""
        return await self._end(user_id, booking_id, State.CANCELLED, reason, expected_revision)

    async def confirm(self, officer: str, booking_id: str) -> Booking:
        """An officer says yes to what was asked for."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        async with self._locks.hold(self._facility_of(booking_id)):
            old = self._changeable(officer, booking_id, None)
            if old.state is not State.REQUESTED:
                raise Refused("この予約は、もう返事をしてあります", status=409)
            return await self._tell(self.facility(old.wish.facility_id), replace(old, state=State.CONFIRMED))

    async def decline(self, officer: str, booking_id: str, reason: str = "") -> Booking:
        """An officer says no."""
        self._members.require(officer, Right.KEEP_FACILITIES)
        return await self._end(officer, booking_id, State.DECLINED, reason, None)

    async def follow(self, change: RosterChange) -> None:
        """A listener of the editor: whoever has left the association has no bookings any more."""
        now = self._clock.now_ms()
        for person_id in change.persons:
            if not self._members.register.has_person(person_id):
                for booking in self.of_person(person_id, now):
                    if not booking.is_over:
                        await self.cancel(self._members.node_user_id, booking.id)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _end(
        self, user_id: str, booking_id: str, state: State, reason: str, expected_revision: int | None
    ) -> Booking:
        async with self._locks.hold(self._facility_of(booking_id)):
            old = self._changeable(user_id, booking_id, expected_revision)
            facility = self.facility(old.wish.facility_id)
            told = await self._tell(facility, replace(old, state=state, sequence=old.sequence + 1), reason)
            if old.holds:
                await self._move_up(facility)
            return told

    async def _move_up(self, facility: Facility) -> None:
        """Whoever waits and fits now gets the time; called under the facility's lock."""
        now = tokyo_time(self._clock.now_ms())
        for booking in self._book.waiting(facility.id):
            if booking.wish.start > now and not self._taken(facility, self._book.times(booking)):
                state = self._held_state(booking.by, facility)
                await self._tell(facility, replace(booking, state=state), "空いたので、予約に変わりました。")

    def _for_whom(self, user_id: str, person_id: str | None) -> Person:
        own = self._members.person_of_user(user_id)
        if person_id is None or (own is not None and own.id == person_id):
            if own is None:
                raise Forbidden("予約は、名簿にのっている人ができます")
            return own
        self._members.require(user_id, Right.KEEP_FACILITIES)
        return self._members.person(person_id)

    def _require_rules(
        self, user_id: str, facility: Facility, wish: Wish, person: Person, beside: Booking | None = None,
        new: Sequence[Wish] = (),
    ) -> None:
        """``new``: the times that are looked at, where not all of the wish are."""
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
        held = [item for item in self.of_person(person.id, now)
                if not item.is_over and item.wish.facility_id == facility.id and item is not beside]
        if facility.rules.most and len(held) >= facility.rules.most:
            raise InvalidParam(f"{facility.name}の予約は、ひとり{facility.rules.most}件までです")

    def _held_state(self, user_id: str, facility: Facility) -> State:
        asks = facility.rules.asks and not self._members.may(user_id, Right.KEEP_FACILITIES)
        return State.REQUESTED if asks else State.CONFIRMED

    def _taken(self, facility: Facility, times: Sequence[Wish], beside: str = "") -> list[Wish]:
        """Those of some times that somebody else has already."""
        return [item for item in times if not is_free(
            facility, item.start, item.end, self._book.held(facility.id, item.start, item.end, beside))]

    def _clash(self, facility: Facility, wish: Wish, taken: Sequence[Wish]) -> Clash:
        free = self.free_on(facility, taken[0].start.date())
        return Clash(clash_text(facility, taken[0], free, len(taken) - 1, repeats=bool(wish.rule)))

    def _facility_of(self, booking_id: str) -> str:
        booking = self._book.find(booking_id)
        if booking is None:
            raise NotFound("その予約はありません")
        return booking.wish.facility_id

    def _changeable(self, user_id: str, booking_id: str, expected_revision: int | None) -> Booking:
        booking = self.get(user_id, booking_id)
        if expected_revision is not None and booking.revision != expected_revision:
            raise Refused("ほかの人が先に変えました。もう一度ひらいてください", status=412)
        if booking.is_over:
            raise Refused("この予約は、もう取り消されています", status=409)
        return booking

    def _room_of(self, booking: Booking) -> str:
        """The 窓口 of whoever has it; of somebody without an account that of who made it, or the officers' room."""
        by = self._members.person_of_user(booking.by)
        found = self._members.desk_room_of(booking.person) or (self._members.desk_room_of(by.id) if by else None)
        return found or self._members.hall_room(Purpose.OFFICERS)

    async def _tell(
        self, facility: Facility, booking: Booking, reason: str = "", reply_to: str = ""
    ) -> Booking:
        is_ours = not booking.person.startswith(NEIGHBOUR)
        if is_ours and not self._members.register.has_person(booking.person):
            # Who has left has no 窓口; what for and where to is nobody's business any more.
            booking = replace(booking, wish=replace(booking.wish, title="", note=""))
        content = booking_content(facility, booking, reason, reply_to)
        node = self._members.node_user_id
        await self._sender.send(Draft(self._room_of(booking), node, "m.room.message", content))
        told = self._book.find(booking.id)
        assert told is not None
        return told


def _id_of(origin: Origin) -> str:
    """The same request never makes two bookings, however often the node is stopped while it answers."""
    return f"r{origin.event_id.lstrip('$')}" if origin.event_id else random_letters(12)
