"""Table ``server_keys``: the signing keys of other servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

server_keys: Final = Table(
    "server_keys", metadata,
    Column("server", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("valid_until_ts", BigInteger, nullable=False),
    Column("expired_ts", BigInteger),
)
published_keys: Final = Table(
    "published_keys", metadata,
    Column("server", Text, primary_key=True),
    Column("json", LargeBinary, nullable=False),
    Column("valid_until_ts", BigInteger, nullable=False),
)
_SAVE: Final = upsert(server_keys)
_SAVE_PUBLISHED: Final = upsert(published_keys)
_OF_SERVER: Final = select(server_keys).where(server_keys.c.server == bindparam("of"))


class ServerKey(NamedTuple):
    """A public key of a server, and until when it may be believed. ``expired_ts`` is set for one of the past."""

    server: str
    key_id: str
    public: bytes
    valid_until_ts: int
    expired_ts: int | None

    def may_sign_at(self, ts: int) -> bool:
        """Whether an event of this time may carry its signature (room version 5)."""
        return ts <= (self.valid_until_ts if self.expired_ts is None else self.expired_ts)


async def keys_of(database: Database, server: str) -> dict[str, ServerKey]:
    """What is known of a server's keys, by key id."""
    rows = await database.fetch_all(_OF_SERVER, {"of": server})
    return {
        row.key_id: ServerKey(row.server, row.key_id, bytes(row.public), row.valid_until_ts, row.expired_ts)
        for row in rows
    }


async def save_keys(database: Database, keys: Sequence[ServerKey], published: bytes) -> None:
    """Keep the keys of one server, and the object in which it has published them."""
    writes = Writes()
    for key in keys:
        writes.add(_SAVE, key._asdict())
    newest = max(keys, key=lambda key: key.valid_until_ts)
    writes.add(_SAVE_PUBLISHED, {"server": newest.server, "json": published, "valid_until_ts": newest.valid_until_ts})
    await database.submit(writes)


async def published_of(database: Database, server: str) -> tuple[bytes, int] | None:
    """What a server has published, as it came, and until when it may be believed."""
    row = await database.fetch_one(
        select(published_keys.c.json, published_keys.c.valid_until_ts).where(published_keys.c.server == server)
    )
    return None if row is None else (bytes(row[0]), int(row[1]))
