"""Full text search over what a user may see (spec: "Server Side Search"), in any language.

Nothing is written when a message is sent. Whoever searches leaves an index of what they had to read: for every
``BLOCK`` messages of a room a row that says which words are not among them (search_words.py). A search goes through
all rooms of the user at once, from the newest message to the oldest, and stops when it has found enough or read as
much as it may; then it says from where to go on.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final

from server.foundation.errors import NotFound
from server.rooms.event import Event
from server.rooms.history import History, Wanted
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import memberships_of
from server.rooms.past_state_store import state_history
from server.rooms.rooms import Rooms
from server.rooms.search_store import (
    block_of,
    blocks_before,
    last_block_in,
    newest_words,
    oldest_words_in,
    set_block,
)
from server.rooms.search_words import filter_of, may_have, pieces_of, text_in
from server.rooms.visibility import Sight
from server.storage.database import Database

BLOCK: Final = 64
# How much one request may read, in messages, and how many blocks it may write.
MOST_READ: Final = 6_000
MOST_WRITTEN: Final = 50
# Most searches end among the newest messages.
_FIRST_BLOCKS: Final = 4
_BLOCKS_AT_ONCE: Final = 128
# More than a block can have.
_WHOLE_BLOCK: Final = 4 * BLOCK
_NEVER: Final = 2**62
_MOST_ROOMS: Final = 2_000


class Found:
    """An event that was found, and its room."""

    __slots__ = ("event", "room", "stream")

    def __init__(self, stream: int, event: Event, room: LiveRoom) -> None:
        self.stream = stream
        self.event = event
        self.room = room


class Question:
    """What is looked for: ``words`` (in normal letters) under ``keys`` of events that ``wanted`` lets through."""

    __slots__ = ("keys", "left", "pieces", "unindexed", "unknown", "wanted", "words")

    def __init__(self, words: Sequence[str], keys: Sequence[str], wanted: Wanted) -> None:
        self.words = words
        self.keys = keys
        self.wanted = wanted
        self.pieces = {piece for word in words for piece in pieces_of(word)}
        # How many messages may still be read; what was read that should be in the index and is not.
        self.left = MOST_READ
        self.unindexed: dict[str, LiveRoom] = {}
        self.unknown: list[tuple[LiveRoom, int]] = []

    def finds(self, event: Event) -> bool:
        """Whether an event is looked for."""
        text = text_in(event.content, self.keys)
        return all(word in text for word in self.words) and self.wanted(event)

    def rank(self, event: Event) -> float:
        """How much of what an event says are the words that are looked for, 0 to 1."""
        text = text_in(event.content, self.keys)
        found = sum(text.count(word) * len(word) for word in self.words)
        return round(min(1.0, found / len(text)), 4) if text else 0.0


class Search:
    """Searches rooms on behalf of users."""

    def __init__(self, database: Database, rooms: Rooms, history: History) -> None:
        self._database = database
        self._rooms = rooms
        self._sights = history.sights
        self._history = history

    async def rooms_of(self, user_id: str) -> list[str]:
        """Rooms that a user is in, or has left and not forgotten."""
        return [
            item.room_id for item in await memberships_of(self._database, user_id)
            if item.membership in ("join", "leave", "ban") and not item.forgotten
        ]

    async def with_predecessors(self, room_ids: Sequence[str], among: Collection[str]) -> list[str]:
        """These rooms and those that they were upgraded from, as far as they are ``among`` the rooms of the user."""
        found, waiting = dict.fromkeys(room_ids), list(room_ids)
        while waiting and len(found) < _MOST_ROOMS:
            room = await self._rooms.find(waiting.pop())
            before = room.create_event.content.get("predecessor") if room is not None else None
            room_id = before.get("room_id") if isinstance(before, dict) else None
            if isinstance(room_id, str) and room_id in among and room_id not in found:
                found[room_id] = None
                waiting.append(room_id)
        return list(found)

    async def member_at(self, room: LiveRoom, user_id: str, position: int) -> Event | None:
        """How a room showed somebody at a position."""
        changes = await state_history(self._database, room, "m.room.member", user_id)
        return next((event for at, event in reversed(changes) if at <= position), None)

    async def find(
        self, user_id: str, room_ids: Sequence[str], question: Question, before: int | None, limit: int
    ) -> tuple[list[Found], int | None]:
        """Up to ``limit`` events from before a position, the newest first, and the position to go on before."""
        newest = self._history.newest
        top = newest if before is None else min(before - 1, newest)
        walks: list[tuple[int, int, AsyncIterator[tuple[int, list[Found]]]]] = []
        for room in await self._known(room_ids):
            sight = await self._sights.of(room, user_id)
            if room.timeline:
                start = min(top, room.timeline[-1].stream)
                walks.append((-start, room.nid, self._walk(room, sight, question, start)))
        found: list[Found] = []
        # Up to ``unread`` something may be that nobody has looked at; one step down is made in any case.
        while walks and (question.left > 0 or -walks[0][0] >= top):
            if len(found) >= limit and found[limit - 1].stream > -walks[0][0]:
                break
            _, nid, walk = walks[0]
            position, hits = await anext(walk, (0, []))
            found = sorted([*found, *hits], key=lambda hit: -hit.stream)[:limit + 1]
            if position > 0:
                heapq.heapreplace(walks, (-position, nid, walk))
            else:
                heapq.heappop(walks)
        await self._write_index(question)
        return _cut(found, limit, -walks[0][0] if walks else 0)

    async def _known(self, room_ids: Sequence[str]) -> list[LiveRoom]:
        """The rooms of these ids; of some that somebody was invited to elsewhere, this node knows nothing else."""
        try:
            return list((await self._rooms.get_many(room_ids)).values())
        except NotFound:
            return [room for room_id in room_ids if (room := await self._rooms.find(room_id)) is not None]

    async def _walk(
        self, room: LiveRoom, sight: Sight, question: Question, top: int
    ) -> AsyncIterator[tuple[int, list[Found]]]:
        """Down through a room: again and again the position up to which nothing was read yet, and what was found."""
        async for after, until, ends, bits in self._stretches(room, top):
            if not may_have(bits, question.pieces):
                yield after, []
                continue
            if ends and not bits:
                question.unknown.append((room, ends))
            position = until
            while position > after:
                spoken = await newest_words(self._database, room, after, position, BLOCK)
                question.left -= len(spoken) + 1
                position = spoken[-1][0] - 1 if len(spoken) == BLOCK else after
                if not ends and len(spoken) == BLOCK:
                    question.unindexed[room.room_id] = room
                yield position, [
                    Found(stream, event, room) for stream, event in spoken
                    if question.finds(event) and sight.sees(stream) and event.sender not in sight.erased
                ]

    async def _stretches(self, room: LiveRoom, top: int) -> AsyncIterator[tuple[int, int, int, bytes]]:
        """``(after, until, end of its block, bits)`` from ``top`` down; without a block the last two are empty."""
        until, (ends, bits) = top, await block_of(self._database, room, top)
        most = _FIRST_BLOCKS
        while True:
            blocks = await blocks_before(self._database, room, until, most)
            for before_ends, before_bits in blocks:
                yield before_ends, until, ends, bits
                until, ends, bits = before_ends, before_ends, before_bits
            if len(blocks) < most:
                break
            most = _BLOCKS_AT_ONCE
        yield 0, until, ends, bits

    async def _write_index(self, question: Question) -> None:
        """Leave an index of what had to be read without one, block by block, each in a transaction of its own."""
        left = MOST_WRITTEN
        for room in question.unindexed.values():
            while left > 0 and await self._write_block(room, None):
                left -= 1
        for room, ends in question.unknown[:max(0, left)]:
            await self._write_block(room, ends)

    async def _write_block(self, room: LiveRoom, ends: int | None) -> bool:
        """Write the block that ends there, or the next one; whether there were messages enough for it.

        In a transaction, so that nothing can be redacted between reading and writing.
        """
        async with self._database.write() as tx:
            start = await last_block_in(tx, room, _NEVER if ends is None else ends)
            until, most = (self._history.newest, BLOCK) if ends is None else (ends, _WHOLE_BLOCK)
            spoken = await oldest_words_in(tx, room, start, until, most)
            if ends is None and len(spoken) < BLOCK:
                return False
            pieces: set[str] = set()
            for _, event in spoken:
                pieces |= pieces_of(text_in(event.content))
            await set_block(tx, room, spoken[-1][0] if ends is None else ends, filter_of(pieces))
            return True


def _cut(found: list[Found], limit: int, unread: int) -> tuple[list[Found], int | None]:
    """What is certainly in its place, and before which position to go on; ``unread``: up to where something may be."""
    kept = [hit for hit in found if hit.stream > unread][:limit]
    if len(kept) == limit and (unread > 0 or len(found) > limit):
        return kept, kept[-1].stream
    return kept, unread + 1 if unread > 0 else None
