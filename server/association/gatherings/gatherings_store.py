"""Tables ``gatherings`` and ``gathering_posts``."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, select

from server.association.gatherings.book import GatheringBook
from server.association.gatherings.contents import read_moment
from server.association.gatherings.model import Gathering, Plan, State
from server.association.members.model import Audience
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

gatherings: Final = Table(
    "gatherings", metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("uid", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("starts", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("except_for", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("arranged_by", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("asks", BigInteger, nullable=False),
    Column("called_off", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
gathering_posts: Final = Table(
    "gathering_posts", metadata,
    Column("gathering_id", Text, primary_key=True),
    Column("room_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
)
_PUT: Final = upsert(gatherings)
_PUT_POST: Final = upsert(gathering_posts)


async def load_gatherings(database: Database, book: GatheringBook) -> None:
    """Enter all gatherings, those of the past too, into ``book``."""
    for row in await database.fetch_all(select(gatherings)):
        book.enter(_as_gathering(row))
    for row in await database.fetch_all(select(gathering_posts)):
        book.enter_post(row.gathering_id, row.room_id, row.event_id)


def put_gathering(writes: Writes, gathering: Gathering) -> None:
    """Store a gathering as it is now."""
    plan = gathering.plan
    writes.add(_PUT, {
        "id": gathering.id, "name": gathering.name, "uid": gathering.uid, "title": plan.title,
        "starts": plan.start.isoformat(), "ends": plan.end.isoformat(), "place": plan.place,
        "description": plan.description, "rule": plan.rule,
        "except_for": orjson.dumps([item.isoformat() for item in plan.except_for]).decode(),
        "audience": str(gathering.audience), "state": gathering.state.value, "arranged_by": gathering.by,
        "sequence": gathering.sequence, "created_ms": gathering.created_ms, "changed_ms": gathering.changed_ms,
        "revision": gathering.revision, "asks": int(plan.asks), "reason": gathering.reason,
        "called_off": orjson.dumps([item.isoformat() for item in plan.called_off]).decode(),
    })


def put_post(writes: Writes, gathering_id: str, room_id: str, event_id: str) -> None:
    """Store which message announced it in a room."""
    writes.add(_PUT_POST, {"gathering_id": gathering_id, "room_id": room_id, "event_id": event_id})


def _as_gathering(row: Any) -> Gathering:
    plan = Plan(
        row.title, read_moment(row.starts), read_moment(row.ends), row.place, row.description, row.rule,
        tuple(read_moment(item) for item in orjson.loads(row.except_for)), asks=bool(row.asks),
        called_off=tuple(read_moment(item) for item in orjson.loads(row.called_off)),
    )
    return Gathering(
        row.id, plan, Audience.parse(row.audience), State(row.state), row.arranged_by, row.name, row.uid,
        row.sequence, row.created_ms, row.changed_ms, row.revision, row.reason,
    )
