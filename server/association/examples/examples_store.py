"""Table ``good_examples``."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.association.examples.model import Example, Kind
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

good_examples: Final = Table(
    "good_examples", metadata,
    Column("kind", Text, primary_key=True),
    Column("thing_id", Text, primary_key=True),
    Column("note", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_PUT: Final = upsert(good_examples)
_DROP: Final = delete(good_examples).where(
    good_examples.c.kind == bindparam("which_kind"), good_examples.c.thing_id == bindparam("which")
)


def put_example(writes: Writes, example: Example) -> None:
    """Store an example, or another note on it."""
    writes.add(_PUT, {"kind": example.kind.value, "thing_id": example.thing_id, "note": example.note,
                      "officer": example.officer, "ts": example.ts})


def drop_example(writes: Writes, kind: Kind, thing_id: str) -> None:
    """It is none any more."""
    writes.add(_DROP, {"which_kind": kind.value, "which": thing_id})


async def load_examples(database: Database) -> list[Example]:
    """All of them, the newest first."""
    e = good_examples.c
    rows = await database.fetch_all(select(good_examples).order_by(e.ts.desc(), e.kind, e.thing_id))
    return [_as_example(row) for row in rows]


async def find_example(database: Database, kind: Kind, thing_id: str) -> Example | None:
    """One of them."""
    e = good_examples.c
    row = await database.fetch_one(select(good_examples).where(e.kind == kind.value, e.thing_id == thing_id))
    return None if row is None else _as_example(row)


def _as_example(row: Any) -> Example:
    return Example(Kind(row.kind), row.thing_id, row.note, row.officer, row.ts)
