"""Garbage days: taking the city's lists in, choosing an area for a block, telling of exceptions, asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from server.association.garbage import garbage_store as store
from server.association.garbage.book import GarbageBook
from server.association.garbage.contents import PLAN, change_content, plan_content
from server.association.garbage.model import MAX_REASON, BlockPlan, DayOff, days_from, kinds_on
from server.association.garbage.open_data import Thing, read_areas, read_things
from server.association.members.members import Members
from server.association.members.model import Audience, Block, Right
from server.calendars.japanese_holidays import holiday
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import has brought, and what of it could not be read."""

    areas: int
    warnings: tuple[str, ...]


class Garbage:
    """The garbage days of all blocks. ``await open()`` once, after the projection listens to ``book``."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, book: GarbageBook
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._book = book

    async def open(self) -> None:
        """Load what holds."""
        await store.load_garbage(self._database, self._book)

    # ---- reading ---------------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """The position of the last change in any block."""
        return self._book.revision

    @property
    def today(self) -> date:
        """The day in Japan."""
        return tokyo_time(self._clock.now_ms()).date()

    def plan(self, block_id: str) -> BlockPlan | None:
        """What holds in a block; nothing before an area was chosen."""
        return self._book.plan(block_id)

    def changes(self, block_id: str) -> list[DayOff]:
        """The exceptions of a block, also those that were taken back."""
        return self._book.changes(block_id)

    def on(self, block_id: str, day: date) -> list[str]:
        """What is fetched in a block on a day."""
        plan = self._book.plan(block_id)
        return [] if plan is None else kinds_on(plan, self._book.changes(block_id), day, is_holiday)

    def coming(self, block_id: str, count: int) -> list[tuple[date, list[str]]]:
        """The days from today on on which something is fetched, within ``count`` days."""
        found = [(day, self.on(block_id, day)) for day in days_from(self.today, count)]
        return [(day, kinds) for day, kinds in found if kinds]

    async def look_up(self, words: str, limit: int = 50) -> list[Thing]:
        """What belongs where."""
        words = " ".join(words.split())
        return await store.find_things(self._database, words, limit) if words else []

    async def has_things(self) -> bool:
        """Whether anything can be looked up."""
        return await store.has_things(self._database)

    async def areas(self) -> list[str]:
        """The city's areas."""
        return await store.area_names(self._database)

    async def centers(self) -> list[str]:
        """The city's centers, each with its own breaks."""
        return await store.center_names(self._database)

    # ---- arranging -------------------------------------------------------------------------------------------------

    async def take_in(self, officer: str, areas: bytes, centers: bytes = b"", remarks: bytes = b"") -> Taken:
        """Take in the city's lists; what holds in a block stays until an area is chosen again."""
        self._members.require(officer, Right.ARRANGE_DUTIES)
        read = read_areas(areas, centers, remarks)
        async with self._database.write() as tx:
            await store.replace_areas(tx, read)
        return Taken(len(read.areas), read.warnings)

    async def take_in_things(self, officer: str, targets: bytes) -> int:
        """Take in what belongs where; answers how many things."""
        self._members.require(officer, Right.ARRANGE_DUTIES)
        found = read_things(targets)
        async with self._database.write() as tx:
            await store.replace_things(tx, found)
        return len(found)

    async def choose(
        self, officer: str, block_id: str, area_name: str, *, center: str | None = None, on_holidays: bool = True
    ) -> BlockPlan:
        """What holds for an area holds in a block from now on: it stands in its room.

        ``center``: whose breaks hold, where the list of areas names none or another one.
        """
        self._members.require(officer, Right.ARRANGE_DUTIES, block_id)
        block = self._members.block(block_id)
        area = await store.find_area(self._database, area_name)
        if area is None:
            raise NotFound("その地区は、市の一覧にありません")
        breaks = await store.breaks_of(self._database, area.center if center is None else center)
        plan = BlockPlan(block.id, area.name, area.kinds, breaks, area.remarks, on_holidays, self.today)
        room_id = self._members.rooms_for(Audience.blocks([block.id]))[0]
        await self._sender.send(Draft(room_id, self._members.node_user_id, PLAN, plan_content(plan), ""))
        chosen = self._book.plan(block.id)
        assert chosen is not None
        return chosen

    async def tell(
        self, officer: str, blocks: Sequence[Block], kind: str, day: date | None, moved_to: date | None,
        reason: str = "",
    ) -> DayOff:
        """Tell some blocks that a day is otherwise: no collection, another day, or one more."""
        audience = Audience.blocks([block.id for block in blocks])
        self._members.require_for(officer, Right.ARRANGE_DUTIES, audience)
        if day is None and moved_to is None:
            raise InvalidParam("収集がない日か、かわりの日を入れてください")
        if len(reason) > MAX_REASON:
            raise InvalidParam(f"わけは{MAX_REASON}文字までです")
        for block in blocks:
            plan = self._book.plan(block.id)
            if plan is None or kind not in plan.rules:
                raise InvalidParam(f"{block.name}には、「{kind}」の日が入っていません")
        return await self._say(DayOff(random_letters(12), kind, day, moved_to, " ".join(reason.split())), audience)

    async def take_back(self, officer: str, change_id: str) -> DayOff:
        """What was told holds no more."""
        blocks = self._book.blocks_of(change_id)
        if not blocks:
            raise NotFound("そのお知らせは、ありません")
        audience = Audience.blocks(blocks)
        self._members.require_for(officer, Right.ARRANGE_DUTIES, audience)
        (change,) = [item for item in self._book.changes(audience.ids[0]) if item.id == change_id]
        return await self._say(replace(change, is_over=True), audience)

    async def _say(self, change: DayOff, audience: Audience) -> DayOff:
        blocks, node = list(audience.ids), self._members.node_user_id
        content = change_content(change, blocks)
        await self._sender.send_many([
            Draft(room_id, node, "m.room.message", content) for room_id in self._members.rooms_for(audience)
        ])
        return next(item for item in self._book.changes(blocks[0]) if item.id == change.id)


def is_holiday(day: date) -> bool:
    """Whether a day is a national holiday."""
    return bool(holiday(day))
