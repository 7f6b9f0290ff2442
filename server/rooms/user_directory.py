"""Finding people, and the rooms that one shares with them (spec: "User Directory", "Mutual rooms").

Somebody finds those who share a room with them, and the members of rooms that all may join or read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from server.rooms.people_words import rank_of, words_of_term
from server.rooms.user_directory_store import Listed, find_people, read_rooms, rooms_shared, rooms_to_read
from server.storage.database import Database

# How many rows are put in order; who has found more should ask for more.
_MOST_ROWS: Final = 1_000
_ROOMS_AT_ONCE: Final = 50


class SharedRooms(NamedTuple):
    """A page of rooms, how many there are in all, and whether more follow."""

    room_ids: Sequence[str]
    total: int
    has_more: bool


class UserDirectory:
    """Finds people on behalf of users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, asker: str, term: str, limit: int) -> tuple[list[Listed], bool]:
        """Up to ``limit`` people, those who fit best first, and whether there are more."""
        await self._read_rooms()
        rows = await find_people(self._database, asker, words_of_term(term), _MOST_ROWS)
        found: dict[str, Listed] = {}
        for row in sorted(rows, key=lambda row: (rank_of(term, row.words), row.display_name is None, row.user_id)):
            found.setdefault(row.user_id, row)
        return list(found.values())[:limit], len(found) > limit

    async def shared_rooms(self, asker: str, user_id: str, after: str, limit: int) -> SharedRooms:
        """Rooms that both are in, in the order of their ids, on from ``after``."""
        room_ids, total = await rooms_shared(self._database, asker, user_id, after, limit + 1)
        return SharedRooms(room_ids[:limit], total, len(room_ids) > limit)

    async def _read_rooms(self) -> None:
        """Write the rows of rooms that are older than the directory, or were joined on another server."""
        missing = await rooms_to_read(self._database)
        for start in range(0, len(missing), _ROOMS_AT_ONCE):
            async with self._database.write() as tx:
                await read_rooms(tx, missing[start:start + _ROOMS_AT_ONCE])
