"""Bookings as calendars: one for each facility, which residents write into, and what each has in their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from server.association.bookings.actions import Bookings, Origin
from server.association.bookings.model import NEIGHBOUR, STATE_LABELS, Booking, Clash, Facility, State, Wish
from server.association.bookings.rules import hours_on
from server.association.bookings.schedule import Schedule
from server.association.members.members import Members
from server.association.members.model import Right
from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.calendar_object import CalendarObject
from server.calendars.gathering_ics import read_gathering
from server.calendars.model import Changes, Collection, Expected, Item, Kind, PutResult, require_name
from server.calendars.ports import Gathering, GatheringDraft
from server.calendars.refusals import CalendarRefused, Condition, refuse, refuse_rights
from server.foundation.clock import TOKYO, Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound

PREFIX: Final = "booking-"
_PAST_MS: Final = 92 * 86_400_000
_MARKS: Final = tuple(f"【{label}】" for label in STATE_LABELS.values())

# Says something to an account in its 窓口.
Say = Callable[[str, str], Awaitable[None]]


class BookingCalendars:
    """A ``whole.WholeSource`` of one collection for each facility, and its writer.

    What is read depends on who reads: the title and who has it may be for them and for officers only. ``say`` tells
    people of a refusal where they read it even if their calendar app only shows a number.
    """

    def __init__(self, bookings: Bookings, members: Members, clock: Clock, say: Say) -> None:
        self._bookings = bookings
        self._schedule = bookings.schedule
        self._members = members
        self._clock = clock
        self._say = say
        self._rendered = RenderedEntries()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """Everything that can be booked."""
        if self._members.person_of_user(user_id) is None:
            return ()
        return [
            Collection(PREFIX + facility.id, PREFIX + facility.id, Kind.SHARED, "VEVENT", f"{facility.name}の予約",
                       self._schedule.revision + 1, owner=user_id, description=facility.note, color="#1565C0FF",
                       names_people=self._members.may(user_id, Right.KEEP_FACILITIES))
            for facility in self._schedule.facilities()
        ]

    async def all_items(self, collection: Collection) -> list[Item]:
        """All bookings that hold their time."""
        facility, user_id = self._facility(collection), collection.owner
        own, is_keeper = self._own_id(user_id), self._members.may(user_id, Right.KEEP_FACILITIES)
        return sorted(
            (self._shown(facility, item, item.person == own or item.by == user_id, is_keeper)
             for item in self._of(collection) if item.holds),
            key=lambda item: item.head.name,
        )

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        gone = [(item.revision, item.name) for item in self._of(collection) if not item.holds]
        return told_since(await self.all_items(collection), gone, revision, limit, collection.revision)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Book or change. It comes back in our own words, so no ETag is told."""
        facility = self._facility(collection)
        old = self._standing(facility, require_name(name))
        expected.require(self._item(user_id, facility, old).head.etag if old else None)
        with _refused_in_words():
            try:
                draft = _draft(thing)
                await self._write(user_id, facility, name, draft, _wish(facility, draft), old)
            except (Clash, InvalidParam) as refusal:
                await self._say(user_id, f"カレンダーからの予約は、できませんでした。{refusal.reason}")
                raise
        return PutResult(old is None, None)

    async def _write(
        self, user_id: str, facility: Facility, name: str, draft: GatheringDraft, wish: Wish, old: Booking | None
    ) -> None:
        if old is None:
            self._require_uid_free(facility, draft.uid)
            await self._bookings.book(user_id, wish, origin=Origin(name, draft.uid))
        elif old.uid != draft.uid:
            raise refuse(Condition.UID_CONFLICT, "This entry has another UID", status=409, names=(name,))
        elif draft.cancelled:
            await self._bookings.cancel(user_id, old.id, expected_revision=old.revision)
        else:
            await self._bookings.change(user_id, old.id, wish, expected_revision=old.revision)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Give the time back."""
        facility = self._facility(collection)
        old = self._standing(facility, name)
        if old is None:
            raise NotFound("There is no such booking")
        expected.require(self._item(user_id, facility, old).head.etag)
        with _refused_in_words():
            await self._bookings.cancel(user_id, old.id, expected_revision=old.revision)

    def _facility(self, collection: Collection) -> Facility:
        return self._schedule.facility(collection.key.removeprefix(PREFIX))

    def _standing(self, facility: Facility, name: str) -> Booking | None:
        found = self._schedule.named(facility.id, name)
        return found if found is not None and found.holds else None

    def _require_uid_free(self, facility: Facility, uid: str) -> None:
        for item in self._schedule.of_facility(facility.id, self._clock.now_ms() - _PAST_MS):
            if item.holds and item.uid == uid:
                raise refuse(Condition.UID_CONFLICT, "Another booking has this UID", status=409, names=(item.name,))

    def _of(self, collection: Collection) -> list[Booking]:
        since = self._clock.now_ms() - _PAST_MS
        return self._schedule.of_facility(collection.key.removeprefix(PREFIX), since)

    def _item(self, user_id: str, facility: Facility, booking: Booking) -> Item:
        is_mine = booking.person == self._own_id(user_id) or booking.by == user_id
        return self._shown(facility, booking, is_mine, self._members.may(user_id, Right.KEEP_FACILITIES))

    def _shown(self, facility: Facility, booking: Booking, is_mine: bool, is_keeper: bool) -> Item:
        """What somebody sees of a booking. Its key holds all that it is made from."""
        who, knows = self._name_of(booking) if is_keeper else "", is_mine or is_keeper
        titled = knows or facility.rules.shows_titles
        key = (booking.id, booking.revision, titled, knows, who, facility.name, facility.place)

        def make() -> Gathering:
            told = [booking.wish.note] if knows and booking.wish.note else []
            told += [f"予約した人：{who}"] if who else []
            title = (booking.wish.title if titled else "") or "予約あり"
            return _entry(facility, booking, title, "\n".join(told), booking.name)

        return self._rendered.known_as(key, make)

    def _own_id(self, user_id: str) -> str:
        person = self._members.person_of_user(user_id)
        return "" if person is None else person.id

    def _name_of(self, booking: Booking) -> str:
        if booking.person.startswith(NEIGHBOUR):
            return "ほかの町内会"
        register = self._members.register
        return register.person(booking.person).name if register.has_person(booking.person) else "（退会した人）"


class MyBookings:
    """A ``server.calendars.mine.MineSource``: what somebody has booked or waits for."""

    def __init__(self, schedule: Schedule, members: Members, clock: Clock) -> None:
        self._schedule = schedule
        self._members = members
        self._clock = clock

    async def revision(self, user_id: str) -> int:
        """The position of the last change of any booking."""
        return self._schedule.revision

    async def entries(self, user_id: str) -> Iterable[Gathering]:
        """Theirs, with what they wait for."""
        return [self._as_mine(item) for item in self._mine(user_id) if not item.is_over]

    async def gone_since(self, user_id: str, revision: int) -> Iterable[tuple[int, str]]:
        """What was cancelled or declined."""
        return [(item.revision, f"{PREFIX}{item.id}.ics") for item in self._mine(user_id)
                if item.is_over and item.revision > revision]

    def _as_mine(self, item: Booking) -> Gathering:
        # A name of its own: the facility's calendar has the booking, too.
        return replace(as_entry(self._schedule.facility(item.wish.facility_id), item), name=f"{PREFIX}{item.id}.ics")

    def _mine(self, user_id: str) -> list[Booking]:
        person = self._members.person_of_user(user_id)
        return [] if person is None else self._schedule.of_person(person.id, self._clock.now_ms() - _PAST_MS)


class BookingRights:
    """A ``ports.Rights``: every resident reads and books; whose booking it is, the verbs ask."""

    def __init__(self, members: Members) -> None:
        self._members = members

    async def may_read(self, user_id: str, collection: str) -> bool:
        """Whether somebody is on the roster."""
        return self._members.person_of_user(user_id) is not None

    async def may_write(self, user_id: str, collection: str) -> bool:
        """The same."""
        return self._members.person_of_user(user_id) is not None


def as_entry(facility: Facility, booking: Booking) -> Gathering:
    """A booking for its owner, as an .ics file wants it."""
    title = f"{facility.name}：{booking.wish.title}" if booking.wish.title else facility.name
    return _entry(facility, booking, title, booking.wish.note, booking.name)


def _entry(facility: Facility, booking: Booking, title: str, description: str, name: str) -> Gathering:
    mark = "" if booking.state is State.CONFIRMED else f"【{booking.state.label}】"
    wish = booking.wish
    draft = GatheringDraft(
        booking.uid, mark + title, wish.start, wish.end, facility.place or facility.name, description,
        cancelled=booking.is_over, rule=wish.rule, except_for=wish.except_for,
    )
    return Gathering(name, draft, booking.revision, booking.created_ms, booking.changed_ms, booking.sequence)


def _draft(thing: CalendarObject) -> GatheringDraft:
    if len(thing.parts) > 1:
        raise InvalidParam("くり返しのうち一回だけの時間は変えられません。その日を消して、別に予約してください")
    return read_gathering(thing)


def _wish(facility: Facility, draft: GatheringDraft) -> Wish:
    title = draft.title
    for mark in _MARKS:
        title = title.removeprefix(mark)
    title = title.removeprefix(f"{facility.name}：")
    start, end = draft.start, draft.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        left_out = tuple(moment if isinstance(moment, datetime) else datetime.combine(moment, start.timetz())
                         for moment in draft.except_for)
        return Wish(facility.id, start, end, title, draft.description, draft.rule, left_out)
    hours = hours_on(facility, start)
    midnight, last = (datetime(day.year, day.month, day.day, tzinfo=TOKYO) for day in (start, end))
    if hours is None or last - midnight > timedelta(days=1):
        raise InvalidParam(f"{facility.name}は、その日は使えません")
    opens, closes = (midnight + timedelta(minutes=minutes) for minutes in (hours.start, hours.end))
    left_out = tuple(datetime.combine(day, opens.timetz()) for day in draft.except_for)
    return Wish(facility.id, opens, closes, title, draft.description, draft.rule, left_out)


@contextmanager
def _refused_in_words() -> Iterator[None]:
    """Refusals of the verbs as an app understands them: 403, so that it tells its owner. A 409 is taken by some for
    an edit conflict, and the entry vanishes without a word."""
    try:
        yield
    except CalendarRefused:
        raise
    except Clash as clash:
        raise refuse(Condition.BOOKED, clash.reason) from None
    except InvalidParam as fault:
        raise refuse(Condition.BOOKING_RULES, fault.reason) from None
    except (Forbidden, NotFound):
        raise refuse_rights() from None
