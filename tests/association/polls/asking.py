"""A street with polls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.association.members.model import EVERYONE, Audience, Purpose
from server.association.polls.actions import Polls
from server.association.polls.model import Counting, Poll, Question
from server.rooms.poll_events import START
from tests.association.speaking import Street, street
from tests.fakes.clock import FakeClock

CHAIR = "町田 会長"
PEOPLE = (("青木 一", "1班"), ("井上 二", "1班"), ("上田 三", "2班"))


@dataclass(slots=True)
class Asking:
    street: Street
    polls: Polls
    clock: FakeClock

    @property
    def chair(self) -> str:
        return self.street.user(CHAIR)

    @property
    def hall(self) -> str:
        """The 掲示板, in which everybody is asked."""
        return self.street.node.members.hall_room(Purpose.BOARD)

    async def ask(
        self, *choices: str, audience: Audience = EVERYONE, most: int = 1, deadline: int | None = None,
        counting: Counting = Counting.PERSON,
    ) -> Poll:
        chosen = choices or ("出る", "出ない")
        question = Question(
            text="お祭りに出ますか", choices=chosen, audience=audience, most=most, deadline=deadline,
            counting=counting)
        return await self.polls.start(self.chair, question)

    async def events(self, room_id: str | None = None) -> tuple[str, str]:
        """The newest question in a room: the plain message and the native poll."""
        room = await self.street.room(room_id or self.hall)
        message = next(entry.event.event_id for entry in reversed(room.timeline)
                       if "jp.kairan.poll" in entry.event.content and entry.event.type == "m.room.message")
        return message, await self.street.event_of(room.room_id, START)

    async def votes(self, poll: Poll) -> dict[str, int]:
        result = await self.polls.results.result(self.chair, poll.id)
        return {choice.text: result.persons.votes[choice.id] for choice in poll.choices}


@asynccontextmanager
async def asking(file: Path) -> AsyncIterator[Asking]:
    """Open a node with polls; on the same file again it is the node after a restart."""
    clock = FakeClock()
    async with street(file, PEOPLE, clock=clock) as found:
        node = found.node
        polls = Polls(node.database, node.members, node.sender, node.clock, found.tasks)
        polls.attach(node.acceptor)
        await polls.open()
        yield Asking(found, polls, clock)
