"""Requests in 窓口 get their answers: a booking, a refusal with what is free, a list; once, also after a restart."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from typing import Final

from server.association.bookings import bookings_store as store
from server.association.bookings.actions import Bookings, Origin
from server.association.bookings.contents import answer_content
from server.association.bookings.model import Booking, Clash
from server.association.bookings.requests import Meant, Read, read_event, read_text
from server.association.bookings.words import facility_text, when_of
from server.association.members.members import Members
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import InvalidParam, Refused
from server.foundation.tasks import Tasks
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

_REMEMBERED: Final = 500
_HOW: Final = (
    "予約するときは「予約 集会所 12月5日 10時〜12時 会議」のように書いてください。"
    "くり返しは「予約 集会所 毎週火曜日 3月30日まで 10時〜12時 体操」です。"
    "取り消すときは「予約 取り消し 1」のように、番号をそえてください。"
    "くり返しの一日だけなら「予約 取り消し 12月8日」のように、日をそえてください。"
)
_WAIT: Final = "空くのを待つときは、「予約 空き待ち」のあとに同じことを書いてください。"


class BookingDesk:
    """Answers what people write in their 窓口; ``hear`` is told of each request after its commit."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, bookings: Bookings, tasks: Tasks
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._bookings = bookings
        self._schedule = bookings.schedule
        self._tasks = tasks
        self._answering: set[str] = set()
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()

    def hear(self, request: store.Request) -> None:
        """Answer it beside everything else."""
        with contextlib.suppress(RuntimeError):  # the node stops; it answers after its next start
            self._tasks.start("answering a booking", self.answer(request))

    async def resume(self) -> None:
        """Answer what was left without an answer."""
        for request in await store.open_requests(self._database):
            await self.answer(request)

    async def answer(self, request: store.Request) -> None:
        """Do what is asked and say what became of it."""
        if request.event_id in self._answering:
            return
        self._answering.add(request.event_id)
        try:
            await self._answer(request)
        finally:
            self._answering.discard(request.event_id)

    async def say(self, user_id: str, text: str) -> None:
        """Tell somebody in their 窓口 what their calendar app may not show; the same thing once, however often the app
        tries again."""
        person = self._members.person_of_user(user_id)
        room_id = self._members.desk_room_of(person.id) if person is not None else None
        if room_id is None or (user_id, text) in self._said:
            return
        self._said[user_id, text] = None
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        content = {"msgtype": "m.text", "body": text}
        await self._sender.send(Draft(room_id, self._members.node_user_id, "m.room.message", content))

    async def _answer(self, request: store.Request) -> None:
        try:
            text = await self._do(request, self._read(request))
        except Clash as clash:
            text = f"{clash.reason}\n{_WAIT}"
        except InvalidParam as fault:
            text = f"{fault.reason}。\n{_HOW}"
        except Refused as fault:
            text = f"{fault.reason}。"
        node = self._members.node_user_id
        if text:
            content = answer_content(text, request.event_id)
            await self._sender.send(Draft(request.room_id, node, "m.room.message", content))
        # The answer itself has done so already, unless the booking was made before and nothing was left to say.
        writes = Writes()
        store.drop_request(writes, request.event_id)
        await asyncio.shield(self._database.submit(writes))

    def _read(self, request: store.Request) -> Read:
        if "wish" in request.content:
            return read_event(request.content["wish"])
        today = tokyo_time(request.ts).date()
        return read_text(str(request.content.get("text", "")), self._schedule.facilities(), today)

    async def _do(self, request: store.Request, read: Read) -> str:
        if read.meant is Meant.BOOK and read.wish is not None:
            origin = Origin(event_id=request.event_id, waits=read.waits)
            await self._bookings.book(request.sender, read.wish, origin=origin)
            return ""  # the booking itself is the answer
        mine = self._mine(request.sender)
        if read.meant is Meant.CANCEL and read.day is not None:
            await self._give_back(request, mine, read)
            return ""
        if read.meant is Meant.CANCEL and (read.number is not None or len(mine) == 1):
            number = read.number or 1
            if not 1 <= number <= len(mine):
                raise InvalidParam("その番号の予約はありません")
            await self._bookings.cancel(request.sender, mine[number - 1].id, request=request.event_id)
            return ""
        return self._overview(mine)

    async def _give_back(self, request: store.Request, mine: list[Booking], read: Read) -> None:
        """The one booking of that day; where there are several, the number says which."""
        assert read.day is not None
        chosen = mine if read.number is None else mine[read.number - 1:read.number] if read.number else []
        found = [item for item in chosen
                 if any(wish.start.date() == read.day for wish in self._schedule.times(item))]
        if len(found) != 1:
            raise InvalidParam("その日の予約は、ひとつではありません。番号もそえてください" if found else
                               "その日の予約はありません")
        await self._bookings.leave_out(request.sender, found[0].id, read.day, request=request.event_id)

    def _mine(self, user_id: str) -> list[Booking]:
        person = self._members.person_of_user(user_id)
        now = self._clock.now_ms()
        found = self._schedule.of_person(person.id, now) if person is not None else []
        return [item for item in found if not item.is_over]

    def _overview(self, mine: list[Booking]) -> str:
        lines = ["予約できるもの："] + [f"・{facility_text(item)}" for item in self._schedule.facilities()]
        if len(lines) == 1:
            return "いま予約できるものはありません。"
        if mine:
            lines += ["", "あなたの予約："]
            lines += [f"{number}. {self._line(item)}" for number, item in enumerate(mine, 1)]
        return "\n".join([*lines, "", _HOW])

    def _line(self, booking: Booking) -> str:
        name = self._schedule.facility(booking.wish.facility_id).name
        return f"{name} {when_of(booking.wish)}（{booking.state.label}）"
