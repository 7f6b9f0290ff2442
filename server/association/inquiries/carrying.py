"""Bringing what was said on one side to the other: a resident's words to 受付, an officer's reply to the 窓口.

What is still to be brought is a row (``told``); that it was brought follows from the message that did it, so a node
that is killed in between neither forgets nor repeats.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from server.association.inquiries import inquiries_store as store
from server.association.inquiries.book import InquiryBook
from server.association.inquiries.contents import answer_content, copy_content, question_content
from server.association.inquiries.model import Inquiry, Line, Side
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.foundation.errors import Refused
from server.foundation.tasks import Tasks
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)


class Carrying:
    """``address`` is that of the node's pages."""

    def __init__(
        self, database: Database, members: Members, sender: EventSender, tasks: Tasks, book: InquiryBook, address: str
    ) -> None:
        self._database = database
        self._members = members
        self._sender = sender
        self._tasks = tasks
        self._book = book
        self._address = address
        self._turn = asyncio.Lock()

    def later(self) -> None:
        """Carry what there is, beside everything else."""
        with contextlib.suppress(RuntimeError):  # the node stops; it goes on after its next start
            self._tasks.start("carrying inquiries", self.carry())

    async def carry(self) -> None:
        """Bring everything to where it was not heard yet, one after the other, and take back what is gone."""
        async with self._turn:
            for line in await store.untold(self._database):
                await self._bring(line)
            for line, event_id in await store.copies_to_take_back(self._database):
                await self._take_back(line, event_id)

    async def _bring(self, line: Line) -> None:
        inquiry = self._book.get(line.inquiry_id)
        draft = None if inquiry is None or line.is_gone else self._draft(line, inquiry)
        if draft is None:
            writes = Writes()
            store.note_told(writes, line.id, store.NOBODY)
            await asyncio.shield(self._database.submit(writes))
            return
        try:
            await self._sender.send(draft)
        except Refused as refusal:
            logger.warning("a line of an inquiry could not be brought: %s", refusal.code)

    def _draft(self, line: Line, inquiry: Inquiry) -> Draft | None:
        """Where the other side is; ``None`` where there is nobody."""
        node, room_id = self._members.node_user_id, self._other_room(line, inquiry)
        if room_id is None:
            return None
        if line.side is Side.RESIDENT:
            content = question_content(line, inquiry, f"{self._address}/desk/inquiries/{inquiry.id}")
        elif room_id == self._members.rooms.find(Purpose.RECEPTION.value):
            content = copy_content(line, inquiry)
        else:
            content = answer_content(line)
        return Draft(room_id, node, "m.room.message", content)

    def _other_room(self, line: Line, inquiry: Inquiry) -> str | None:
        reception = self._members.rooms.find(Purpose.RECEPTION.value)
        if line.room != reception:
            return reception
        return self._members.desk_room_of(inquiry.person_id) if inquiry.person_id else None

    async def _take_back(self, line: Line, event_id: str) -> None:
        inquiry = self._book.get(line.inquiry_id)
        room_id = None if inquiry is None else self._other_room(line, inquiry)
        if room_id is not None:
            with contextlib.suppress(Refused):
                node = self._members.node_user_id
                await self._sender.send(Draft(room_id, node, "m.room.redaction", {}, redacts=event_id))
        writes = Writes()
        store.note_taken_back(writes, line.id)
        await asyncio.shield(self._database.submit(writes))
