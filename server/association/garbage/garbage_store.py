"""Tables ``garbage_plans``, ``garbage_changes``, ``garbage_areas``, ``garbage_centers`` and ``garbage_things``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, delete, insert, or_, select

from server.association.garbage.book import GarbageBook
from server.association.garbage.contents import change_json, plan_content, read_change, read_plan
from server.association.garbage.model import Area, BlockPlan, Break, DayOff
from server.association.garbage.open_data import AreaList, Thing
from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

plans: Final = Table(
    "garbage_plans", metadata,
    Column("block_id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
changes: Final = Table(
    "garbage_changes", metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
areas: Final = Table(
    "garbage_areas", metadata,
    Column("name", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
)
centers: Final = Table(
    "garbage_centers", metadata,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)
things: Final = Table(
    "garbage_things", metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("kana", Text, nullable=False),
)
_PUT_PLAN: Final = upsert(plans)
_PUT_CHANGE: Final = upsert(changes)


async def load_garbage(database: Database, book: GarbageBook) -> None:
    """Enter what holds in each block."""
    for row in await database.fetch_all(select(plans)):
        plan = read_plan(orjson.loads(row.content))
        book.enter_plan(replace(plan, changed_ms=row.changed_ms, revision=row.revision))
    for row in await database.fetch_all(select(changes)):
        change, blocks = read_change(orjson.loads(row.content))
        book.enter_change(replace(change, revision=row.revision), blocks)


def put_plan(writes: Writes, plan: BlockPlan) -> None:
    """Store what holds in a block."""
    writes.add(_PUT_PLAN, {"block_id": plan.block_id, "content": orjson.dumps(plan_content(plan)).decode(),
                           "changed_ms": plan.changed_ms, "revision": plan.revision})


def put_change(writes: Writes, change: DayOff, blocks: list[str]) -> None:
    """Store an exception."""
    content = orjson.dumps(change_json(change, blocks)).decode()
    writes.add(_PUT_CHANGE, {"id": change.id, "content": content, "revision": change.revision})


async def replace_areas(tx: Transaction, read: AreaList) -> None:
    """The city's lists of areas and centers in place of those before."""
    await tx.execute(delete(areas))
    await tx.execute(delete(centers))
    await tx.execute(insert(areas), [
        {"name": area.name, "place": place, "content": orjson.dumps({
            "kinds": area.kinds, "center": area.center, "remarks": area.remarks,
        }).decode()} for place, area in enumerate(read.areas)
    ])
    found = [
        {"name": name, "content": orjson.dumps([[item.first, item.last] for item in breaks]).decode()}
        for name, breaks in read.breaks.items()
    ]
    if found:
        await tx.execute(insert(centers), found)


async def area_names(database: Database) -> list[str]:
    """All areas, in the order of the list."""
    return [row.name for row in await database.fetch_all(select(areas.c.name).order_by(areas.c.place))]


async def center_names(database: Database) -> list[str]:
    """All centers that have breaks."""
    return [row.name for row in await database.fetch_all(select(centers.c.name).order_by(centers.c.name))]


async def find_area(database: Database, name: str) -> Area | None:
    """One area."""
    row = await database.fetch_one(select(areas.c.content).where(areas.c.name == name))
    if row is None:
        return None
    value = orjson.loads(row.content)
    kinds = tuple((kind, cell) for kind, cell in value["kinds"])
    return Area(name, kinds, value["center"], tuple(value["remarks"]))


async def breaks_of(database: Database, center: str) -> tuple[Break, ...]:
    """The breaks of a center; none of one that is not known."""
    row = await database.fetch_one(select(centers.c.content).where(centers.c.name == center))
    pairs = [] if row is None else orjson.loads(row.content)
    return tuple(Break(date.fromisoformat(first), date.fromisoformat(last)) for first, last in pairs)


async def replace_things(tx: Transaction, found: Sequence[Thing]) -> None:
    """What belongs where, in place of what was known before."""
    await tx.execute(delete(things))
    rows = [{"place": place, "name": item.name, "kind": item.kind, "notice": item.notice, "kana": item.kana}
            for place, item in enumerate(found)]
    await tx.execute(insert(things), rows)


async def find_things(database: Database, words: str, limit: int) -> list[Thing]:
    """Things whose name contains some words."""
    t, sign = things.c, "\\"
    like = "%" + words.replace(sign, sign * 2).replace("%", sign + "%").replace("_", sign + "_") + "%"
    rows = await database.fetch_all(
        select(things).where(or_(t.name.like(like, escape=sign), t.kana.like(like, escape=sign)))
        .order_by(t.place).limit(limit))
    return [_as_thing(row) for row in rows]


async def has_things(database: Database) -> bool:
    """Whether anything can be looked up."""
    return await database.fetch_one(select(things.c.place).limit(1)) is not None


def _as_thing(row: Any) -> Thing:
    return Thing(row.name, row.kind, row.notice, row.kana)
