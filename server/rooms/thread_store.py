"""Table ``threads``: the threads of each room, by their newest answer. A projection of events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, exists, or_, select

from server.rooms.event_store import events, relations
from server.rooms.live_room import LiveRoom
from server.rooms.relations import relation_of
from server.rooms.timeline import Entry
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

threads: Final = Table(
    "threads", metadata,
    Column("room", BigInteger, primary_key=True, autoincrement=False),
    Column("root", Text, primary_key=True),
    Column("latest", BigInteger, nullable=False),
)

_THREAD: Final = "m.thread"
_SET: Final = upsert(threads)


def follow_threads(room: LiveRoom, entry: Entry, writes: Writes) -> None:
    """A projection: the event's thread has a new answer."""
    if "m.relates_to" not in entry.event.content:
        return
    relation = relation_of(entry.event.content)
    if relation is not None and relation[1] == _THREAD:
        writes.add(_SET, {"room": room.nid, "root": relation[0], "latest": entry.stream})


async def newest_threads(
    database: Database, room: LiveRoom, before: int, limit: int, participant: str | None = None
) -> list[tuple[str, int]]:
    """``(root, latest answer)`` of up to ``limit`` threads with answers left, those with the newest answer first.

    Where ``participant`` is given, only threads that this user began or has answered in.
    """
    answer = relations.alias("answer")
    answers = select(answer.c.event_id).where(answer.c.target == threads.c.root, answer.c.rel_type == _THREAD)
    asked = select(threads.c.root, threads.c.latest).where(threads.c.room == room.nid, threads.c.latest < before)
    if participant is None:
        asked = asked.where(exists(answers))
    else:
        root = select(events.c.stream).where(events.c.event_id == threads.c.root, events.c.sender == participant)
        own = answers.where(answer.c.sender == participant)
        asked = asked.where(exists(answers), or_(exists(root), exists(own)))
    rows = await database.fetch_all(asked.order_by(threads.c.latest.desc()).limit(limit))
    return [(str(row[0]), int(row[1])) for row in rows]
