"""Tables ``share_codes`` and ``shares``."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, select, update

from federation.links.model import NodeKind
from federation.sharing.model import Share, ShareCode, ShareState, Terms
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

share_codes: Final = Table(
    "share_codes", metadata,
    Column("hash", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("expires_ts", BigInteger, nullable=False),
    Column("used_by", Text, nullable=False),
    Column("room_id", Text, nullable=False),
    Column("withdrawn_ts", BigInteger),
)
shares: Final = Table(
    "shares", metadata,
    Column("room_id", Text, primary_key=True),
    Column("server", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("is_ours", Integer, nullable=False),
    Column("given", Text, nullable=False),
    Column("taken", Text, nullable=False),
    Column("space_id", Text, nullable=False),
    Column("board_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun_ts", BigInteger, nullable=False),
    Column("changed_ts", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

_PUT_CODE: Final = upsert(share_codes, replace=["used_by", "room_id"])
_WITHDRAW: Final = (
    update(share_codes).where(share_codes.c.hash == bindparam("known"), share_codes.c.used_by == "")
    .values(withdrawn_ts=bindparam("at"))
)
_PUT: Final = upsert(shares)


def put_code(writes: Writes, code: ShareCode) -> None:
    """Enter a code, or that it was used."""
    writes.add(_PUT_CODE, {
        "hash": code.hash, "number": code.number, "name": code.name, "terms": _dumps(code.terms.as_json()),
        "issuer": code.issuer, "created_ts": code.created_ts, "expires_ts": code.expires_ts, "used_by": code.used_by,
        "room_id": code.room_id, "withdrawn_ts": code.withdrawn_ts,
    })


def withdraw_code(writes: Writes, code_hash: str, ts: int) -> None:
    """Nobody may use a code any more that nobody has used."""
    writes.add(_WITHDRAW, {"known": code_hash, "at": ts})


async def find_code(database: Database, code_hash: str) -> ShareCode | None:
    """One code."""
    row = await database.fetch_one(select(share_codes).where(share_codes.c.hash == code_hash))
    return None if row is None else _as_code(row)


async def newest_codes(database: Database, limit: int) -> list[ShareCode]:
    """Codes, the newest first."""
    c = share_codes.c
    rows = await database.fetch_all(select(share_codes).order_by(c.created_ts.desc(), c.number).limit(limit))
    return [_as_code(row) for row in rows]


def put_share(writes: Writes, share: Share) -> None:
    """Enter a share, or what has become of it."""
    writes.add(_PUT, {
        "room_id": share.room_id, "server": share.server, "user_id": share.user_id, "name": share.name,
        "kind": share.kind.value, "is_ours": int(share.is_ours), "given": _dumps(share.given.as_json()),
        "taken": _dumps(share.taken.as_json()), "space_id": share.space_id, "board_id": share.board_id,
        "state": share.state.value, "begun_ts": share.begun_ts, "changed_ts": share.changed_ts,
        "reason": share.reason,
    })


async def all_shares(database: Database) -> list[Share]:
    """All shares, ended ones too, the oldest first."""
    rows = await database.fetch_all(select(shares).order_by(shares.c.begun_ts, shares.c.room_id))
    return [_as_share(row) for row in rows]


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _as_code(row: Any) -> ShareCode:
    return ShareCode(
        hash=row.hash, number=row.number, name=row.name, terms=Terms.from_json(orjson.loads(row.terms)),
        issuer=row.issuer, created_ts=row.created_ts, expires_ts=row.expires_ts, used_by=row.used_by,
        room_id=row.room_id, withdrawn_ts=row.withdrawn_ts,
    )


def _as_share(row: Any) -> Share:
    return Share(
        room_id=row.room_id, server=row.server, user_id=row.user_id, name=row.name, kind=NodeKind(row.kind),
        is_ours=bool(row.is_ours), given=Terms.from_json(orjson.loads(row.given)),
        taken=Terms.from_json(orjson.loads(row.taken)), space_id=row.space_id, board_id=row.board_id,
        state=ShareState(row.state), begun_ts=row.begun_ts, changed_ts=row.changed_ts, reason=row.reason,
    )
