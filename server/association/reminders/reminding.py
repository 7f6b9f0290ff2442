"""Looking round for what is due, and saying it. That it was said is a projection of the message itself, so a node
that is killed in between neither forgets nor repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

from server.association.members.members import Members
from server.association.reminders import reminders_store as store
from server.association.reminders.model import (
    LEAD_MS,
    MARK,
    Appointment,
    Choice,
    Kind,
    due_now,
    readers_of,
    reminder_content,
)
from server.foundation.clock import Clock
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.send_event import Draft, EventSender
from server.rooms.send_to_each import send_to_each
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes

_KEPT_MS: Final = 7 * 86_400_000


class ReminderSource(Protocol):
    """One kind of things that take place."""

    async def between(self, first_ms: int, last_ms: int) -> Sequence[Appointment]:
        """What begins after ``first_ms`` and not after ``last_ms``; nothing that was called off."""


Choices = Callable[[], Awaitable[Mapping[str, Choice]]]
"""What everybody has chosen who has chosen anything."""


class Reminders:
    """Order of life: ``attach``, then ``look_round`` again and again."""

    def __init__(
        self, database: Database, clock: Clock, members: Members, sender: EventSender, choices: Choices,
        sources: Sequence[ReminderSource],
    ) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._sender = sender
        self._choices = choices
        self._sources = sources
        self._turn = asyncio.Lock()
        self._tidied_ms = 0

    def attach(self, acceptor: EventAcceptor) -> None:
        """Follow what the node says."""
        acceptor.project(self._said, ["m.room.message"])

    async def look_round(self) -> int:
        """Send what is due; answers how many reminders. Where nothing is, it costs no SQL of its own."""
        async with self._turn:
            now = self._clock.now_ms()
            await self._tidy(now)
            found = [item for source in self._sources for item in await source.between(now, now + LEAD_MS)]
            due = [(item, kinds) for item in found if (kinds := due_now(item, now))]
            return await self._send(due, now) if due else 0

    async def _send(self, due: Sequence[tuple[Appointment, list[Kind]]], now: int) -> int:
        choices = await self._choices()
        sent = await store.sent(self._database, {item.thing for item, _ in due})
        drafts = []
        for item, kinds in due:
            wanted: dict[str, list[Kind]] = {}
            for kind in kinds:
                for user_id in readers_of(item, kind, choices):
                    if (user_id, item.thing, item.start_ms, kind) not in sent:
                        wanted.setdefault(user_id, []).append(kind)
            drafts += [draft for user_id, missing in sorted(wanted.items())
                       if (draft := self._draft(user_id, item, missing, now)) is not None]
        await send_to_each(self._sender, [[draft] for draft in drafts])
        return len(drafts)

    def _draft(self, user_id: str, item: Appointment, kinds: list[Kind], now: int) -> Draft | None:
        person = self._members.person_of_user(user_id)
        room_id = None if person is None else self._members.desk_room_of(person.id)
        if room_id is None:
            return None
        return Draft(room_id, self._members.node_user_id, "m.room.message", reminder_content(item, kinds, now))

    async def _tidy(self, now: int) -> None:
        if now - self._tidied_ms > _KEPT_MS:
            self._tidied_ms = now
            writes = Writes()
            store.forget_before(writes, now - _KEPT_MS)
            await asyncio.shield(self._database.submit(writes))

    def _said(self, room: LiveRoom, entry: Entry, writes: Writes) -> None:
        """The node has reminded somebody, in their own 窓口."""
        event = entry.event
        mark = event.content.get(MARK)
        if event.sender != self._members.node_user_id or not isinstance(mark, dict):
            return
        person = self._members.person_of_desk_room(room.room_id)
        if person is None or person.user_id is None:
            return
        for kind in mark["kinds"]:
            store.note(writes, person.user_id, mark["thing"], mark["start"], kind)
