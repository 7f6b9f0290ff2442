"""The verbs of inquiries: ask, take, answer, close, write down what was asked on paper or by telephone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.association.inquiries import inquiries_store as store
from server.association.inquiries.book import InquiryBook
from server.association.inquiries.carrying import Carrying
from server.association.inquiries.contents import answer_content, asked_content, photo_content, taken_content
from server.association.inquiries.model import (
    MAX_ASKER,
    MOST_PHOTOS,
    Inquiry,
    Line,
    Photo,
    Side,
    State,
    checked_text,
)
from server.association.inquiries.projection import ForOthers, InquiryProjection
from server.association.members.came_by import CameBy
from server.association.members.edit import RosterChange
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.tasks import Tasks
from server.rooms.accept_event import EventAcceptor
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

_ID_LETTERS: Final = 12
_MOST_ONCE: Final = 100
# What stands for a device where a transaction id comes from a page.
_PAGES: Final = "pages"


@dataclass(frozen=True, slots=True)
class Outside:
    """What inquiries need to know of the rest: the address of the pages, and what others read in a 窓口."""

    address: str
    is_for_others: ForOthers


class Inquiries:
    """Inquiries of the association. Order of life: ``attach``, ``await open()``, ``resume()``."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, clock: Clock, tasks: Tasks, outside: Outside
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._clock = clock
        self._book = InquiryBook()
        self._carrying = Carrying(database, members, sender, tasks, self._book, outside.address)
        self._projection = InquiryProjection(members, self._book, outside.is_for_others, self._carrying.later)
        self._turns = KeyedLocks()

    def attach(self, acceptor: EventAcceptor) -> None:
        """Look at every event; once, before the first."""
        self._projection.attach(acceptor)

    async def open(self) -> None:
        """Load all inquiries."""
        await store.load_inquiries(self._database, self._book)

    def resume(self) -> None:
        """Go on with what the node was carrying when it was stopped or killed."""
        self._carrying.later()

    async def follow(self, change: RosterChange) -> None:
        """A listener of the editor: whoever has left the association leaves no questions in the tables."""
        gone = [item.id for person_id in change.persons if not self._members.register.has_person(person_id)
                for item in self._book.of_person(person_id)]
        if gone:
            writes = Writes()
            for inquiry_id in gone:
                store.drop_inquiry(writes, inquiry_id)
                self._book.drop(inquiry_id)
            await asyncio.shield(self._database.submit(writes))

    # ---- residents --------------------------------------------------------------------------------------------------

    async def ask(self, user_id: str, text: str, photos: Sequence[Photo] = (), *, once: str = "") -> None:
        """Say something to the officers, in one's own 窓口: the same as writing there in any client.

        ``once`` is a number of this letter: what comes again under it, even after a restart, has been said already.
        """
        room_id = self._own_desk(user_id)
        if len(photos) > MOST_PHOTOS:
            raise InvalidParam(f"写真は{MOST_PHOTOS}枚までです")
        if text.strip() or not photos:
            text = checked_text(text)
        contents = [*([asked_content(text)] if text.strip() else []), *map(photo_content, photos)]
        once = once[:_MOST_ONCE] or random_letters(_ID_LETTERS)
        for number, content in enumerate(contents):
            draft = Draft(room_id, user_id, "m.room.message", content)
            await self._sender.send_once(draft, _PAGES, f"{once} {number}")

    async def talk(self, user_id: str) -> tuple[Inquiry | None, list[Line]]:
        """What is open of somebody, and everything that was said, oldest first."""
        person = self._members.person_of_user(user_id)
        if person is None:
            raise Forbidden("窓口は、町内会の会員が使えます")
        lines = await store.lines_of(self._database, [item.id for item in self._book.of_person(person.id)])
        return self._book.newest_of(person.id), lines

    def newest_of(self, person_id: str) -> Inquiry | None:
        """What somebody talks about with the officers at the moment."""
        return self._book.newest_of(person_id)

    async def own_photo(self, user_id: str, line_id: str) -> Photo:
        """The photo of a line of one's own talk."""
        line, inquiry = await self._line(line_id)
        person = self._members.person_of_user(user_id)
        if person is None or inquiry.person_id != person.id or line.photo is None:
            raise NotFound("このファイルはありません")
        return line.photo

    # ---- officers: reading ------------------------------------------------------------------------------------------

    def inbox(self, officer: str) -> list[Inquiry]:
        """All inquiries, what waits longest first, what is answered last."""
        self._members.require(officer, Right.READ_DESK)
        return self._book.all()

    def waiting(self, officer: str) -> int:
        """How many nobody has answered; 0 for who may not read them."""
        if not self._members.may(officer, Right.READ_DESK):
            return 0
        return sum(item.state is not State.ANSWERED for item in self._book.all())

    async def first_words(self, officer: str, inquiries: Sequence[Inquiry]) -> dict[str, str]:
        """How each of them begins."""
        self._members.require(officer, Right.READ_DESK)
        found = await store.first_lines(self._database, [item.id for item in inquiries])
        return {inquiry_id: line.text or "（写真）" for inquiry_id, line in found.items()}

    async def one(self, officer: str, inquiry_id: str) -> tuple[Inquiry, list[Line]]:
        """One inquiry and what was said."""
        self._members.require(officer, Right.READ_DESK)
        inquiry = self._require(inquiry_id)
        return inquiry, await store.lines_of(self._database, [inquiry.id])

    async def photo(self, officer: str, line_id: str) -> Photo:
        """The photo of a line."""
        self._members.require(officer, Right.READ_DESK)
        line, _ = await self._line(line_id)
        if line.photo is None:
            raise NotFound("このファイルはありません")
        return line.photo

    # ---- officers: acting -------------------------------------------------------------------------------------------
    # ``revision`` is what the officer has seen. Where something has happened since, nothing is done (412).

    async def take(self, officer: str, inquiry_id: str, revision: int, owner: str = "") -> None:
        """Look after it oneself, or give it to another officer."""
        owner = owner or officer
        if not self._members.may(owner, Right.READ_DESK):
            raise InvalidParam("その人は、質問を見られません")
        async with self._turns.hold(inquiry_id):
            inquiry = self._seen(officer, inquiry_id, revision)
            await self._store(inquiry.moved(State.TAKEN, self._clock.now_ms(), owner))
        room_id = self._members.desk_room_of(inquiry.person_id) if inquiry.person_id else None
        if inquiry.state is State.OPEN and room_id is not None:
            node = self._members.node_user_id
            await self._sender.send(Draft(room_id, node, "m.room.message", taken_content(inquiry_id)))

    async def put_back(self, officer: str, inquiry_id: str, revision: int) -> None:
        """Nobody looks after it any more; or it was not answered after all."""
        async with self._turns.hold(inquiry_id):
            inquiry = self._seen(officer, inquiry_id, revision)
            await self._store(inquiry.moved(State.OPEN, self._clock.now_ms(), ""))

    async def close(self, officer: str, inquiry_id: str, revision: int) -> None:
        """It needs no words any more."""
        async with self._turns.hold(inquiry_id):
            inquiry = self._seen(officer, inquiry_id, revision)
            await self._store(inquiry.moved(State.ANSWERED, self._clock.now_ms(), inquiry.owner or officer))

    async def answer(self, officer: str, inquiry_id: str, revision: int, text: str) -> None:
        """Answer: in the resident's 窓口 where they have one, else it is written down what they were told."""
        text = checked_text(text)
        async with self._turns.hold(inquiry_id):
            inquiry = self._seen(officer, inquiry_id, revision)
            now, line_id = self._clock.now_ms(), random_letters(_ID_LETTERS)
            line = Line(line_id, inquiry.id, inquiry.revision + 1, Side.OFFICERS, officer, text, now)
            room_id = self._members.desk_room_of(inquiry.person_id) if inquiry.person_id else None
            if room_id is not None:
                node = self._members.node_user_id
                await self._sender.send(Draft(room_id, node, "m.room.message", answer_content(line)))
                return
            writes = Writes()
            self._projection.keep(writes, inquiry.answered_by(officer, now))
            self._projection.lay_down(writes, line)
            await asyncio.shield(self._database.submit(writes))

    async def enter(
        self, officer: str, text: str, channel: CameBy, *, person_id: str = "", asker: str = ""
    ) -> Inquiry:
        """Write down what somebody has asked on paper, by telephone or at the door."""
        self._members.require(officer, Right.READ_DESK)
        text, asker = checked_text(text), " ".join(asker.split())
        if person_id:
            self._members.person(person_id)
        elif not asker or len(asker) > MAX_ASKER:
            raise InvalidParam(f"だれが聞いたかを、{MAX_ASKER}字までで書いてください", field="asker")
        if channel is CameBy.APP:
            raise InvalidParam("紙・電話・会って、のどれかをえらんでください")
        now = self._clock.now_ms()
        inquiry = Inquiry(
            random_letters(_ID_LETTERS), person_id, "" if person_id else asker, channel, State.OPEN, "", now, now, now,
            revision=1,
        )
        writes = Writes()
        self._projection.keep(writes, inquiry)
        line = Line(random_letters(_ID_LETTERS), inquiry.id, 1, Side.RESIDENT, officer, text, now)
        self._projection.lay_down(writes, line)
        await asyncio.shield(self._database.submit(writes))
        return inquiry

    async def carry(self) -> None:
        """Bring what was said to the other side now; for those who cannot wait."""
        await self._carrying.carry()

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _own_desk(self, user_id: str) -> str:
        person = self._members.person_of_user(user_id)
        room_id = None if person is None else self._members.desk_room_of(person.id)
        if room_id is None:
            raise Forbidden("窓口は、町内会の会員が使えます")
        return room_id

    def _require(self, inquiry_id: str) -> Inquiry:
        inquiry = self._book.get(inquiry_id)
        if inquiry is None:
            raise NotFound("その質問はありません")
        return inquiry

    def _seen(self, officer: str, inquiry_id: str, revision: int) -> Inquiry:
        """The inquiry, if it is still as the officer has seen it."""
        self._members.require(officer, Right.READ_DESK)
        inquiry = self._require(inquiry_id)
        if inquiry.revision != revision:
            raise Refused("ほかの人が先に書きました。新しいところを読んでから、もう一度おしてください", status=412)
        return inquiry

    async def _line(self, line_id: str) -> tuple[Line, Inquiry]:
        line = await store.find_line(self._database, line_id)
        if line is None or line.is_gone:
            raise NotFound("このファイルはありません")
        return line, self._require(line.inquiry_id)

    async def _store(self, inquiry: Inquiry) -> None:
        writes = Writes()
        self._projection.keep(writes, inquiry)
        await asyncio.shield(self._database.submit(writes))
