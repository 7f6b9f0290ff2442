"""A street with safety checks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.association.members.model import EVERYONE, Audience
from server.association.safety_checks.actions import SafetyChecks
from server.association.safety_checks.desk import SafetyDesk
from server.association.safety_checks.model import Check
from server.foundation.clock import Clock
from server.rooms.poll_events import START
from tests.association.speaking import Street, street

CHAIR = "町田 会長"
PEOPLE = (("青木 一", "1班"), ("井上 二", "1班"), ("上田 三", "2班"), ("江藤 四", "2班"))


@dataclass(slots=True)
class Checks:
    street: Street
    verbs: SafetyChecks
    desk: SafetyDesk

    @property
    def chair(self) -> str:
        return self.street.user(CHAIR)

    async def begin(self, *, drill: bool = False, audience: Audience = EVERYONE, title: str = "地震") -> Check:
        check = await self.verbs.announce(self.chair, title, audience, drill=drill)
        await self.verbs.ask(check.id)
        return check

    async def question(self, name: str) -> tuple[str, str, str]:
        """A person's room, the newest plain question in it, and the newest poll."""
        desk = self.street.desk(name)
        room = await self.street.room(desk)
        message = next(
            entry.event.event_id for entry in reversed(room.timeline)
            if "jp.kairan.safety.prompt" in entry.event.content and entry.event.type == "m.room.message"
        )
        return desk, message, await self.street.event_of(desk, START)

    async def figures(self, check: Check) -> dict[str, int]:
        return (await self.desk.table(self.chair, check.id)).persons.as_content()

    async def standing(self, check: Check, name: str) -> str:
        rows = await self.desk.people(self.chair, check.id)
        return next(row.standing.value for row in rows if row.name == name)


@asynccontextmanager
async def checks(
    file: Path, people: Sequence[tuple[str, str]] = PEOPLE, *, clock: Clock | None = None
) -> AsyncIterator[Checks]:
    """Open a node with safety checks; on the same file again it is the node after a restart."""
    async with street(file, people, clock=clock) as found:
        node = found.node
        verbs = SafetyChecks(node.database, node.members, node.sender, node.clock, found.tasks)
        verbs.attach(node.acceptor, found.receipts)
        await verbs.open()
        try:
            yield Checks(found, verbs, SafetyDesk(node.database, node.members))
        finally:
            verbs.close_down()
