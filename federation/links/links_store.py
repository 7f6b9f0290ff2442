"""Tables ``areas``, ``link_codes``, ``links``, ``linked_choices``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select, update

from federation.links.model import Area, CodeRecord, Direction, Link, LinkState, NodeKind, Terms
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

areas: Final = Table(
    "areas", metadata, Column("code", Text, primary_key=True), Column("name", Text, nullable=False)
)
link_codes: Final = Table(
    "link_codes", metadata,
    Column("hash", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("expires_ts", BigInteger, nullable=False),
    Column("used_by", Text, nullable=False),
    Column("used_ts", BigInteger),
    Column("room_id", Text, nullable=False),
    Column("withdrawn_ts", BigInteger),
)
links: Final = Table(
    "links", metadata,
    Column("room_id", Text, primary_key=True),
    Column("direction", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("offered", Text, nullable=False),
    Column("mandates", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun_ts", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
linked_choices: Final = Table(
    "linked_choices", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)

_PUT_AREA: Final = upsert(areas)
_PUT_CODE: Final = upsert(link_codes, replace=["used_by", "used_ts", "room_id", "withdrawn_ts"])
_WITHDRAW: Final = (
    update(link_codes).where(link_codes.c.hash == bindparam("known"), link_codes.c.used_by == "")
    .values(withdrawn_ts=bindparam("at"))
)
_PUT_LINK: Final = upsert(links)
_CHOOSE: Final = upsert(linked_choices)


def put_area(writes: Writes, area: Area) -> None:
    """Enter an area, or give it another name."""
    writes.add(_PUT_AREA, area.as_json())


async def all_areas(database: Database) -> list[Area]:
    """All areas by code."""
    rows = await database.fetch_all(select(areas).order_by(areas.c.code))
    return [Area(row.code, row.name) for row in rows]


def put_code(writes: Writes, code: CodeRecord) -> None:
    """Enter a code, or that it was used."""
    writes.add(_PUT_CODE, {
        "hash": code.hash, "number": code.number, "terms": _dumps(code.terms.as_json()), "issuer": code.issuer,
        "created_ts": code.created_ts, "expires_ts": code.expires_ts, "used_by": code.used_by,
        "used_ts": code.used_ts, "room_id": code.room_id, "withdrawn_ts": code.withdrawn_ts,
    })


def withdraw_code(writes: Writes, code_hash: str, ts: int) -> None:
    """Nobody may use a code any more that nobody has used."""
    writes.add(_WITHDRAW, {"known": code_hash, "at": ts})


async def find_code(database: Database, code_hash: str) -> CodeRecord | None:
    """One code."""
    row = await database.fetch_one(select(link_codes).where(link_codes.c.hash == code_hash))
    return None if row is None else _as_code(row)


async def all_codes(database: Database, limit: int) -> list[CodeRecord]:
    """Codes, the newest first."""
    c = link_codes.c
    rows = await database.fetch_all(select(link_codes).order_by(c.created_ts.desc(), c.number).limit(limit))
    return [_as_code(row) for row in rows]


def put_link(writes: Writes, link: Link) -> None:
    """Enter a link, or what has become of it."""
    writes.add(_PUT_LINK, {
        "room_id": link.room_id, "direction": link.direction.value, "server": link.server, "user_id": link.user_id,
        "name": link.name, "kind": link.kind.value, "terms": _dumps(link.terms.as_json()),
        "offered": _dumps(link.offered.as_json()), "mandates": _dumps(list(link.mandates)),
        "state": link.state.value, "begun_ts": link.begun_ts, "changed_ts": link.changed_ts, "reason": link.reason,
    })


async def all_links(database: Database) -> list[Link]:
    """All links, ended ones too, the oldest first."""
    rows = await database.fetch_all(select(links).order_by(links.c.begun_ts, links.c.room_id))
    return [_as_link(row) for row in rows]


def choose(writes: Writes, name: str, value: object) -> None:
    """Keep what the officers have chosen."""
    writes.add(_CHOOSE, {"name": name, "value": _dumps(value)})


async def choices(database: Database) -> dict[str, Any]:
    """Everything that they have chosen."""
    return {row.name: orjson.loads(row.value) for row in await database.fetch_all(select(linked_choices))}


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _as_code(row: Any) -> CodeRecord:
    return CodeRecord(
        hash=row.hash, number=row.number, terms=Terms.from_json(orjson.loads(row.terms)), issuer=row.issuer,
        created_ts=row.created_ts, expires_ts=row.expires_ts, used_by=row.used_by, used_ts=row.used_ts,
        room_id=row.room_id, withdrawn_ts=row.withdrawn_ts,
    )


def _as_link(row: Any) -> Link:
    mandates: Sequence[Any] = orjson.loads(row.mandates)
    return Link(
        room_id=row.room_id, direction=Direction(row.direction), server=row.server, user_id=row.user_id,
        name=row.name, kind=NodeKind(row.kind), terms=Terms.from_json(orjson.loads(row.terms)),
        offered=Terms.from_json(orjson.loads(row.offered)), mandates=tuple(mandates), state=LinkState(row.state),
        begun_ts=row.begun_ts, changed_ts=row.changed_ts, reason=row.reason,
    )
