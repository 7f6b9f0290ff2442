"""Table ``search_blocks``: what is said in each stretch of a room's past, and reading such stretches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, bindparam, select, text

from server.rooms.event import Event
from server.rooms.event_store import SEEN, events, read_event
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry
from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

search_blocks: Final = Table(
    "search_blocks", metadata,
    Column("room", BigInteger, primary_key=True, autoincrement=False),
    Column("ends", BigInteger, primary_key=True, autoincrement=False),
    Column("bits", LargeBinary, nullable=False),
)

# What has words in it: the keys content.body, content.name and content.topic of the specification.
SEARCHED_TYPES: Final = ("m.room.message", "m.room.name", "m.room.topic")

_SET: Final = upsert(search_blocks)
_EMPTY: Final = text(
    "UPDATE search_blocks SET bits = :bits WHERE room = :room AND ends = (SELECT min(ends) FROM search_blocks"
    " WHERE room = :room AND ends >= (SELECT stream FROM events WHERE event_id = :target))"
).bindparams(bindparam("bits", type_=LargeBinary))
_BLOCKS: Final = (
    select(search_blocks.c.ends, search_blocks.c.bits)
    .where(search_blocks.c.room == bindparam("nid"), search_blocks.c.ends < bindparam("before"))
    .order_by(search_blocks.c.ends.desc()).limit(bindparam("most", type_=Integer))
)
_BLOCK_OF: Final = (
    select(search_blocks.c.ends, search_blocks.c.bits)
    .where(search_blocks.c.room == bindparam("nid"), search_blocks.c.ends >= bindparam("position"))
    .order_by(search_blocks.c.ends).limit(1)
)
_WORDS: Final = (
    select(events.c.stream, events.c.event_id, events.c.json)
    .where(events.c.room == bindparam("nid"), events.c.stream > bindparam("after"))
    .where(events.c.stream <= bindparam("until"), SEEN)
    .where(events.c.type.in_(SEARCHED_TYPES))
)
_NEWEST_WORDS: Final = _WORDS.order_by(events.c.stream.desc()).limit(bindparam("most", type_=Integer))
_OLDEST_WORDS: Final = _WORDS.order_by(events.c.stream).limit(bindparam("most", type_=Integer))

Block = tuple[int, bytes]
Spoken = tuple[int, Event]


def forget_redacted(room: LiveRoom, entry: Entry, writes: Writes) -> None:
    """A projection of redactions: what the stretch of their target says is to be read anew."""
    if entry.event.redacts is not None:
        writes.add(_EMPTY, {"bits": b"", "room": room.nid, "target": entry.event.redacts})


async def set_block(tx: Transaction, room: LiveRoom, ends: int, bits: bytes) -> None:
    """Store what is said from the block before up to the position ``ends``."""
    await tx.execute(_SET, {"room": room.nid, "ends": ends, "bits": bits})


async def blocks_before(database: Database, room: LiveRoom, before: int, most: int) -> list[Block]:
    """Blocks that end before a position, the newest first."""
    rows = await database.fetch_all(_BLOCKS, {"nid": room.nid, "before": before, "most": most})
    return [(int(row[0]), bytes(row[1])) for row in rows]


async def block_of(database: Database, room: LiveRoom, position: int) -> Block:
    """The block that a position is in; ``(0, b"")`` where there is none yet."""
    row = await database.fetch_one(_BLOCK_OF, {"nid": room.nid, "position": position})
    return (0, b"") if row is None else (int(row[0]), bytes(row[1]))


async def last_block_in(tx: Transaction, room: LiveRoom, before: int = 2**62) -> int:
    """Where the newest block before a position ends, 0 without any."""
    row = (await tx.execute(_BLOCKS, {"nid": room.nid, "before": before, "most": 1})).first()
    return 0 if row is None else int(row[0])


async def newest_words(database: Database, room: LiveRoom, after: int, until: int, most: int) -> list[Spoken]:
    """Up to ``most`` events that have words, with their positions, the newest first."""
    asked = {"nid": room.nid, "after": after, "until": until, "most": most}
    return _read(await database.fetch_all(_NEWEST_WORDS, asked), room)


async def oldest_words_in(tx: Transaction, room: LiveRoom, after: int, until: int, most: int) -> list[Spoken]:
    """The same, the oldest first, as the transaction sees them."""
    asked = {"nid": room.nid, "after": after, "until": until, "most": most}
    return _read((await tx.execute(_OLDEST_WORDS, asked)).all(), room)


def _read(rows: Sequence[Any], room: LiveRoom) -> list[Spoken]:
    return [(int(row[0]), read_event(row[2], room.version, row[1], room)) for row in rows]
