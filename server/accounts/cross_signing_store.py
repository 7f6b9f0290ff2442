"""Tables ``cross_signing_keys`` and ``key_signatures``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Column, LargeBinary, Table, Text, delete, select

from server.storage.database import Database, Transaction, metadata
from server.storage.upsert import upsert

Json = dict[str, Any]

cross_signing_keys: Final = Table(
    "cross_signing_keys", metadata,
    Column("user_id", Text, primary_key=True),
    Column("usage", Text, primary_key=True),
    Column("json", LargeBinary, nullable=False),
)
key_signatures: Final = Table(
    "key_signatures", metadata,
    Column("target_user", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("signer", Text, primary_key=True),
    Column("signer_key", Text, primary_key=True),
    Column("signature", Text, nullable=False),
)

_SET_KEY: Final = upsert(cross_signing_keys)
_SET_SIGNATURE: Final = upsert(key_signatures)


@dataclass(frozen=True, slots=True)
class KeySignature:
    """A signature that came after the key. ``target`` is a device id, or the public part of a cross-signing key."""

    target_user: str
    target: str
    signer: str
    signer_key: str
    signature: str


async def cross_signing_keys_of(database: Database, user_ids: Sequence[str]) -> dict[str, dict[str, Json]]:
    """The cross-signing keys of these users, by user and usage."""
    found: dict[str, dict[str, Json]] = {}
    rows = await database.fetch_all(select(cross_signing_keys).where(cross_signing_keys.c.user_id.in_(user_ids)))
    for row in rows:
        found.setdefault(row.user_id, {})[row.usage] = orjson.loads(row.json)
    return found


async def signatures_on(database: Database, user_ids: Sequence[str], reader: str) -> list[KeySignature]:
    """Signatures on keys of these users that ``reader`` may see: the users' own, and ``reader``'s."""
    rows = await database.fetch_all(
        select(key_signatures).where(
            key_signatures.c.target_user.in_(user_ids),
            (key_signatures.c.signer == key_signatures.c.target_user) | (key_signatures.c.signer == reader),
        )
    )
    return [KeySignature(*row) for row in rows]


async def set_cross_signing_key(tx: Transaction, user_id: str, usage: str, key: Json) -> None:
    """Store a cross-signing key over the one of its usage."""
    await tx.execute(_SET_KEY, {"user_id": user_id, "usage": usage, "json": orjson.dumps(key)})


async def add_signatures(tx: Transaction, signatures: Sequence[KeySignature]) -> None:
    """Store signatures."""
    await tx.execute(_SET_SIGNATURE, [
        {"target_user": item.target_user, "target": item.target, "signer": item.signer,
         "signer_key": item.signer_key, "signature": item.signature}
        for item in signatures
    ])


async def drop_signatures_by(tx: Transaction, signer: str, signer_keys: Sequence[str]) -> None:
    """Forget the signatures made with keys that have been replaced."""
    await tx.execute(
        delete(key_signatures).where(
            key_signatures.c.signer == signer, key_signatures.c.signer_key.in_(signer_keys)
        )
    )


async def drop_cross_signing(tx: Transaction, user_id: str) -> None:
    """Forget the keys of a user, and all signatures by them and on theirs."""
    await tx.execute(delete(cross_signing_keys).where(cross_signing_keys.c.user_id == user_id))
    await tx.execute(
        delete(key_signatures).where((key_signatures.c.signer == user_id) | (key_signatures.c.target_user == user_id))
    )
