"""A street whose people ask the officers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.association.bookings.asking import is_request
from server.association.inquiries.actions import Inquiries, Outside
from server.association.inquiries.model import Inquiry, Line
from server.association.members.model import Purpose
from server.notifications.web_push_words import Shown, shown_of
from tests.association.speaking import Street, street
from tests.fakes.clock import FakeClock

CHAIR = "町田 会長"
PEOPLE = (("青木 一", "1班"), ("上田 三", "2班"))
ADDRESS = "https://sakura.example"


@dataclass(slots=True)
class Asking:
    street: Street
    inquiries: Inquiries
    clock: FakeClock

    @property
    def chair(self) -> str:
        return self.street.user(CHAIR)

    @property
    def reception(self) -> str:
        return self.street.node.members.hall_room(Purpose.RECEPTION)

    def only(self) -> Inquiry:
        """The one inquiry that there is."""
        found = self.inquiries.inbox(self.chair)
        assert len(found) == 1
        return found[0]

    async def lines(self) -> list[Line]:
        return (await self.inquiries.one(self.chair, self.only().id))[1]

    async def said(self) -> list[tuple[str, str]]:
        """Side and text of everything in the one inquiry."""
        return [(line.side.value, line.text) for line in await self.lines()]

    async def in_reception(self) -> list[str]:
        await self.inquiries.carry()
        return await self.street.bodies(self.reception)

    async def rings(self, room_id: str) -> Shown:
        """What a telephone shows of the newest message of a room."""
        room = await self.street.room(room_id)
        shown = shown_of(room, room.timeline[-1], "ja", is_ours=True)
        assert shown is not None
        return shown

    async def at_desk_of(self, name: str) -> list[str]:
        await self.inquiries.carry()
        return await self.street.bodies(self.street.desk(name))


@asynccontextmanager
async def asking(file: Path) -> AsyncIterator[Asking]:
    """Open a node with inquiries; on the same file again it is the node after a restart."""
    clock = FakeClock()
    async with street(file, PEOPLE, clock=clock) as found:
        node = found.node
        outside = Outside(ADDRESS, lambda _room, text: is_request(text) or text == "無事です")
        inquiries = Inquiries(node.database, node.members, node.sender, node.clock, found.tasks, outside)
        inquiries.attach(node.acceptor)
        node.editor.on_change(inquiries.follow)
        await inquiries.open()
        yield Asking(found, inquiries, clock)
