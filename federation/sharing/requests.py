"""Asking for a neighbour's facility, and answering who asks for ours.

Who asks is known only at home (``bookings_asked``); the owner sees which association. The owner's officers decide as
upon any other booking.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from federation.sharing import things_store
from federation.sharing.book import ShareBook
from federation.sharing.contents import Answer, FarFacility, Request, read_answer, read_far_facility, read_request
from federation.sharing.model import Kind, Share, Subject, Thing
from federation.sharing.things_store import Asked, Taken
from server.association.bookings.actions import Bookings
from server.association.bookings.model import NEIGHBOUR, Booking, State, Wish
from server.association.bookings.rules import checked_wish, is_free, require_in_time, require_open
from server.association.bookings.words import when
from server.foundation.clock import tokyo_time
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.storage.database import Writes

_MOST_OPEN: Final = 5
# So many bookings one neighbour may have at a time.
_MOST_HELD: Final = 20
_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class AskedView:
    """What a resident has asked, and how it stands; ``state`` is ``None`` until the neighbour has answered."""

    asked: Asked
    neighbour: str
    state: State | None
    reason: str


class OurRequests:
    """What our residents ask of neighbours. A ``Source``."""

    subject = Subject.FACILITIES

    def __init__(self, book: ShareBook, moved: Callable[[], None]) -> None:
        self._book = book
        self._moved = moved
        self._turn = asyncio.Lock()

    async def things(self, share: Share) -> Sequence[Thing]:
        """What this neighbour is asked, as long as it is not over."""
        found = await things_store.asked_in(self._book.database, share.room_id, self._now_text())
        return [_request_thing(item) for item in found if not item.is_cancelled]

    async def ask(self, user_id: str, room_id: str, wish: Wish) -> Asked:
        """Ask; the owner's officers decide. Raises ``Forbidden``, ``NotFound``, ``InvalidParam``, ``Refused``."""
        person = self._book.members.person_of_user(user_id)
        if person is None:
            raise Forbidden("予約をお願いできるのは、名簿にのっている人です")
        share, wish = self._share(room_id), checked_wish(replace(wish, note="", rule=""))
        far = await self.facility(room_id, wish.facility_id)
        require_open(far.facility, wish)
        now = tokyo_time(self._book.clock.now_ms())
        if wish.start <= now:
            raise InvalidParam("もう過ぎた時間です")
        require_in_time(far.facility, wish, now)
        if not is_free(far.facility, wish.start, wish.end, far.held):
            raise Refused(f"{far.facility.name}は、{when(wish.start, wish.end)}に、もう予約があります", status=409)
        async with self._turn:
            await self._require_few(share, person.id)
            asked = Asked(
                random_letters(14), room_id, person.id, wish.facility_id, far.facility.name, wish.start.isoformat(),
                wish.end.isoformat(), wish.title, self._book.clock.now_ms())
            await self._keep(asked)
        return asked

    async def take_back(self, user_id: str, asked_id: str) -> None:
        """Do not ask for it any more, or give it back."""
        person = self._book.members.person_of_user(user_id)
        mine = await things_store.asked_by(self._book.database, person.id) if person is not None else []
        asked = next((item for item in mine if item.id == asked_id), None)
        if asked is None:
            raise NotFound("そのお願いはありません")
        await self._keep(asked._replace(is_cancelled=True))

    async def of(self, user_id: str) -> list[AskedView]:
        """What somebody has asked and is ahead of them, the newest first."""
        person = self._book.members.person_of_user(user_id)
        mine = await things_store.asked_by(self._book.database, person.id) if person is not None else []
        now = self._now_text()
        return [await self._view(item) for item in mine if item.ends > now and not item.is_cancelled]

    async def forget(self, person_id: str) -> None:
        """Whoever has left the association asks for nothing."""
        for item in await things_store.asked_by(self._book.database, person_id):
            await self._keep(item._replace(is_cancelled=True, person="", title=""))

    async def facility(self, room_id: str, facility_id: str) -> FarFacility:
        """A neighbour's facility; raises ``NotFound``."""
        share = self._share(room_id)
        row = await things_store.find_taken(self._book.database, room_id, Kind.FACILITY.value, facility_id)
        if row is None or not row.value or not share.taken.opens(facility_id):
            raise NotFound("予約できるものの中に、ありません")
        return read_far_facility(row.id, row.value)

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _share(self, room_id: str) -> Share:
        share = self._book.find(room_id)
        if share is None or not share.is_in_force or not share.shares(Subject.FACILITIES):
            raise NotFound("その町内会とは、集会所などを分け合っていません")
        return share

    async def _require_few(self, share: Share, person_id: str) -> None:
        open_ones = [
            item for item in await things_store.asked_in(self._book.database, share.room_id, self._now_text())
            if not item.is_cancelled
        ]
        if sum(item.person == person_id for item in open_ones) >= _MOST_OPEN:
            raise InvalidParam(f"お願いできるのは、ひとり{_MOST_OPEN}件までです")
        if len(open_ones) >= Kind.REQUEST.most:
            raise InvalidParam("いまは お願いが多すぎます。あとで もう一度おねがいします")

    async def _view(self, asked: Asked) -> AskedView:
        share = self._book.find(asked.room_id)
        row = await things_store.find_taken(self._book.database, asked.room_id, Kind.ANSWER.value, asked.id)
        answer = read_answer(row.id, row.value) if row is not None and row.value else None
        return AskedView(
            asked, "" if share is None else share.name, None if answer is None else answer.state,
            "" if answer is None else answer.reason)

    async def _keep(self, asked: Asked) -> None:
        writes = Writes()
        things_store.ask(writes, asked)
        await asyncio.shield(self._book.database.submit(writes))
        self._moved()

    def _now_text(self) -> str:
        return tokyo_time(self._book.clock.now_ms()).isoformat()


class TheirRequests:
    """What neighbours ask for here becomes bookings that wait for an officer. A ``Source`` of answers."""

    subject = Subject.FACILITIES

    def __init__(self, book: ShareBook, bookings: Callable[[], Bookings], moved: Callable[[], None]) -> None:
        self._book = book
        self._bookings = bookings
        self._moved = moved

    async def things(self, share: Share) -> Sequence[Thing]:
        """How what they have asked stands."""
        rows = await things_store.taken_of(self._book.database, Kind.REQUEST.value, [share.room_id])
        return [
            Thing(Kind.ANSWER, row.id, answer.as_json(), f"【予約のお願い】{answer.state.label}")
            for row in rows if (answer := self._answer(row)) is not None
        ]

    async def hear(self, share: Share, row: Taken) -> None:
        """A neighbour asks, or takes it back. Doing it twice is doing it once."""
        booking_id = _booking_id(row)
        booking = self._bookings().schedule.find(booking_id)
        if not row.value:
            if booking is not None and not booking.is_over:
                await self._bookings().cancel(self._book.us.user_id, booking_id, "相手の町内会が取り消しました")
        elif booking is None or (not booking.is_over and not _is_same(booking, row)):
            await self._book_it(share, row, booking)
        self._moved()

    async def _book_it(self, share: Share, row: Taken, booking: Booking | None) -> None:
        request, note = read_request(row.id, row.value), ""
        try:
            self._require_few(share)
            if booking is not None:
                await self._bookings().cancel(self._book.us.user_id, booking.id, "相手の町内会が変えました")
                raise Refused("変えるときは、取り消してから もう一度お願いしてください")
            await self._bookings().book_for_neighbour(_booking_id(row), request.wish, share.name, share.server)
        except Refused as refused:
            note = refused.reason
        writes = Writes()
        things_store.set_note(writes, row, note)
        await asyncio.shield(self._book.database.submit(writes))

    def _require_few(self, share: Share) -> None:
        now = self._book.clock.now_ms()
        theirs = self._bookings().schedule.of_person(f"{NEIGHBOUR}{share.server}", now)
        if sum(not item.is_over for item in theirs) >= _MOST_HELD:
            raise InvalidParam(f"ひとつの町内会の予約は、{_MOST_HELD}件までです")

    async def end(self, share: Share) -> None:
        """The share is over: what no officer has confirmed is off; what was confirmed stays promised."""
        for booking in self._bookings().schedule.asked(self._book.us.user_id):
            if booking.person == f"{NEIGHBOUR}{share.server}":
                await self._bookings().cancel(self._book.us.user_id, booking.id, "分け合いがおわりました")

    def _answer(self, row: Taken) -> Answer | None:
        booking = self._bookings().schedule.find(_booking_id(row))
        if booking is not None:
            return Answer(row.id, booking.state, row.note)
        return Answer(row.id, State.DECLINED, row.note) if row.note else None


def _booking_id(row: Taken) -> str:
    """The same for the same request of the same neighbour, and never that of somebody else's."""
    return "n" + hashlib.sha256(f"{row.room_id}\n{row.id}".encode()).hexdigest()[:15]


def _is_same(booking: Booking, row: Taken) -> bool:
    try:
        wish = read_request(row.id, row.value).wish
    except (Refused, *_UNREADABLE):
        return False
    return (wish.facility_id, wish.start, wish.end) == (
        booking.wish.facility_id, booking.wish.start, booking.wish.end)


def _request_thing(item: Asked) -> Thing:
    start, end = datetime.fromisoformat(item.starts), datetime.fromisoformat(item.ends)
    request = Request(item.id, Wish(item.facility_id, start, end, item.title))
    body = f"【予約のお願い】{item.facility} {when(start, end)}"
    return Thing(Kind.REQUEST, item.id, request.as_json(), body)
