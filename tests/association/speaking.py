"""What people do in any Matrix client: write, react, vote, read, take back."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.association.members.model import Person, Role
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks
from server.rooms.live_room import LiveRoom
from server.rooms.poll_events import RESPONSE, response_content
from server.rooms.receipts import READ, Receipts
from server.rooms.send_event import Draft
from tests.association.world import World, world
from tests.fakes.clock import FakeClock


@dataclass(slots=True)
class Street:
    """A node whose people speak."""

    node: World
    receipts: Receipts
    tasks: Tasks

    def person(self, name: str) -> Person:
        return next(person for person in self.node.members.persons() if person.name == name)

    def user(self, name: str) -> str:
        user_id = self.person(name).user_id
        assert user_id is not None
        return user_id

    def desk(self, name: str) -> str:
        room_id = self.node.members.desk_room_of(self.person(name).id)
        assert room_id is not None
        return room_id

    async def room(self, room_id: str) -> LiveRoom:
        return await self.node.rooms.get(room_id)

    async def event_of(self, room_id: str, kind: str) -> str:
        """The newest event of a kind in a room."""
        room = await self.room(room_id)
        return next(entry.event.event_id for entry in reversed(room.timeline) if entry.event.type == kind)

    async def bodies(self, room_id: str) -> list[str]:
        """All messages of a room, oldest first."""
        room = await self.room(room_id)
        return [str(entry.event.content.get("body")) for entry in room.timeline if entry.event.type == "m.room.message"]

    async def send(self, name: str, room_id: str, kind: str, content: dict[str, object]) -> str:
        return (await self.node.sender.send(Draft(room_id, self.user(name), kind, content))).event_id

    async def say(self, name: str, room_id: str, text: str, reply_to: str | None = None) -> str:
        content: dict[str, object] = {"msgtype": "m.text", "body": text}
        if reply_to is not None:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to}}
        return await self.send(name, room_id, "m.room.message", content)

    async def react(self, name: str, room_id: str, target: str, key: str) -> str:
        relates = {"rel_type": "m.annotation", "event_id": target, "key": key}
        return await self.send(name, room_id, "m.reaction", {"m.relates_to": relates})

    async def vote(self, name: str, room_id: str, target: str, *choices: str) -> str:
        return await self.send(name, room_id, RESPONSE, response_content(target, choices))

    async def read(self, name: str, room_id: str, event_id: str, kind: str = READ) -> None:
        await self.receipts.send(room_id, self.user(name), kind, event_id)

    async def take_back(self, name: str, room_id: str, event_id: str) -> None:
        draft = Draft(room_id, self.user(name), "m.room.redaction", {}, redacts=event_id)
        await self.node.sender.send(draft)


# Nodes with people, as files: made once for all tests of a process that begin with the same ones.
_made: dict[tuple[tuple[str, str], ...], bytes] = {}


async def _make(people: tuple[tuple[str, str], ...]) -> bytes:
    """They moved in a minute before the clock of the tests starts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "street.db"
        async with world(file, clock=FakeClock(FakeClock().now_ms() - 60_000)) as node:
            for number, (name, block) in enumerate(people):
                await node.person(name, block, roles=[] if number else [Role.CHAIR])
        return file.read_bytes()


@asynccontextmanager
async def street(
    file: Path, names: Sequence[tuple[str, str]] = (), *, officer: str = "町田 会長", clock: Clock | None = None
) -> AsyncIterator[Street]:
    """Open a node on ``file``. At its first opening there are people already: ``(name, block)``, and a chair in 1班."""
    if not file.exists():
        people = ((officer, "1班"), *names)
        if people not in _made:
            _made[people] = await _make(people)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_made[people])
        clock = clock or FakeClock()
    async with world(file, clock=clock) as node:
        receipts = Receipts(node.database, node.rooms, node.positions, node.clock)
        tasks = Tasks()
        try:
            yield Street(node, receipts, tasks)
        finally:
            await tasks.stop()
