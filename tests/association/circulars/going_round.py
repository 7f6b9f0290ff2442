"""A street with circulars."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.association.circulars.actions import Circulars
from server.association.circulars.model import Attachment, Circular, Letter, Progress
from server.association.circulars.reader import CircularReader
from server.association.members.model import EVERYONE, Purpose
from tests.association.speaking import Street, street
from tests.fakes.clock import FakeClock

CHAIR = "町田 会長"
PEOPLE = (("青木 一", "1班"), ("井上 二", "1班"), ("上田 三", "2班"))
PDF = Attachment("mxc://sakura.example/pdf", "案内.pdf", "application/pdf", 1234)
PHOTO = Attachment("mxc://sakura.example/photo", "写真.jpg", "image/jpeg")


@dataclass(slots=True)
class GoingRound:
    street: Street
    circulars: Circulars
    reader: CircularReader
    clock: FakeClock

    @property
    def chair(self) -> str:
        return self.street.user(CHAIR)

    @property
    def hall(self) -> str:
        return self.street.node.members.hall_room(Purpose.CIRCULARS)

    async def post(self, title: str = "清掃のお知らせ", text: str = "日曜の朝8時に公園へ", **more: Any) -> Circular:
        letter = Letter(**{"title": title, "text": text, "audience": EVERYONE, **more})
        return await self.circulars.post(self.chair, letter)

    async def message(self, circular: Circular, room_id: str | None = None) -> str:
        """The event of a circular in a room."""
        room = await self.street.room(room_id or self.hall)
        return next(
            entry.event.event_id for entry in room.timeline
            if entry.event.content.get("jp.kairan.circular", {}).get("id") == circular.id)

    async def shown(self, circular: Circular, room_id: str | None = None) -> str:
        """The text that a client shows: the newest edit."""
        room = await self.street.room(room_id or self.hall)
        entry = room.find(await self.message(circular, room_id))
        assert entry is not None
        edit = (entry.related or {}).get("m.replace")
        content = edit["content"]["m.new_content"] if edit else entry.event.content
        return str(content["body"])

    async def progress(self, circular: Circular) -> dict[str, str]:
        reach = await self.reader.reach(self.chair, circular.id)
        assert reach.persons.total == len(self.street.node.members.persons())
        return {person.name: found.value for row in reach.rows for person, found in row.persons
                if found is not Progress.NOT_YET}

    async def titles(self, name: str, search: str = "") -> list[str]:
        page = await self.reader.page(self.street.user(name), search=search)
        return [item.circular.title for item in page.items]


@asynccontextmanager
async def going_round(file: Path) -> AsyncIterator[GoingRound]:
    """Open a node with circulars; on the same file again it is the node after a restart."""
    clock = FakeClock()
    async with street(file, PEOPLE, clock=clock) as found:
        node = found.node
        circulars = Circulars(node.database, node.members, node.sender, node.clock, found.tasks)
        circulars.attach(node.acceptor)
        await circulars.open()
        reader = CircularReader(node.database, node.members, found.receipts)
        yield GoingRound(found, circulars, reader, clock)
