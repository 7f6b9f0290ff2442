"""A node with a hall and people who want it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from server.association.bookings.actions import Bookings
from server.association.bookings.answering import BookingDesk
from server.association.bookings.book import BookingBook
from server.association.bookings.model import Booking, Facility, Rules, Wish
from server.association.bookings.projection import BookingProjection
from server.association.members.model import Role
from server.foundation.clock import TOKYO
from tests.association.speaking import Street, street

PEOPLE = (("佐藤 花子", "1班"), ("鈴木 一郎", "1班"), ("高橋 美咲", "2班"))
CHAIR, HANAKO, ICHIRO, MISAKI = "町田 会長", "佐藤 花子", "鈴木 一郎", "高橋 美咲"
# The clock of the tests stands on 1 January 2024, 16:10.
DAY = datetime(2024, 1, 13, tzinfo=TOKYO)


@dataclass(slots=True)
class Hall:
    """``facility`` is 集会所."""

    street: Street
    bookings: Bookings
    desk: BookingDesk
    facility: Facility

    def wish(self, start: float, end: float, title: str = "", days: int = 0) -> Wish:
        """A wish for hours of a Saturday."""
        day = DAY + timedelta(days=days)
        return Wish(self.facility.id, day + timedelta(hours=start), day + timedelta(hours=end), title)

    async def book(self, name: str, start: float, end: float, title: str = "", **more: Any) -> Booking:
        return await self.bookings.book(self.street.user(name), self.wish(start, end, title), **more)

    async def rules(self, **changed: Any) -> None:
        """Other rules for the hall."""
        facility = replace(self.facility, rules=replace(self.facility.rules, **changed))
        self.facility = await self.bookings.put_facility(self.street.user(CHAIR), facility)

    async def said(self, name: str) -> list[dict[str, Any]]:
        """What the node has said in somebody's 窓口."""
        room = await self.street.room(self.street.desk(name))
        return [entry.event.content for entry in room.timeline
                if entry.event.type == "m.room.message" and entry.event.sender == self.street.node.node]

    async def asks(self, name: str, text: str) -> str:
        """Somebody writes in their 窓口; answers what the node says to it."""
        before = len(await self.said(name))
        await self.street.say(name, self.street.desk(name), text)
        await self.desk.resume()
        answers = (await self.said(name))[before:]
        assert len(answers) == 1, answers
        return str(answers[0]["body"])


@asynccontextmanager
async def hall(folder: Path) -> AsyncIterator[Hall]:
    """Open a node; a second time in the same folder is after a restart. Requests are answered by ``resume`` only."""
    async with street(folder / "node.db", PEOPLE) as here:
        node = here.node
        book = BookingBook()
        bookings = Bookings(node.database, node.clock, node.members, node.sender, book)
        desk = BookingDesk(node.database, node.clock, node.members, node.sender, bookings, here.tasks)
        BookingProjection(book, node.members, lambda request: None).attach(node.acceptor)
        await bookings.open()
        node.editor.on_change(bookings.follow)
        known = bookings.schedule.facilities()
        facility = known[0] if known else await bookings.put_facility(
            here.user(CHAIR), Facility("", "集会所", place="桜町1-1", rules=Rules(longest=240)))
        yield Hall(here, bookings, desk, facility)


async def officer(here: Hall, name: str) -> None:
    """Make somebody an officer."""
    node = here.street.node
    await node.editor.give_role(node.node, here.street.person(name).id, Role.OFFICER)
