"""Table ``consents``: who has agreed to which version of a text, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

consents: Final = Table(
    "consents", metadata,
    Column("user_id", Text, primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("accepted_ts", BigInteger, nullable=False),
)
# The first yes counts.
_ADD: Final = upsert(consents, replace=())
_DROP: Final = delete(consents).where(consents.c.user_id == bindparam("who"))


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody's yes to one version of a text."""

    policy: str
    version: str
    accepted_ts: int


def add_consents(writes: Writes, user_id: str, given: Sequence[Consent]) -> None:
    """Store them; one that is there already keeps its date."""
    for consent in given:
        writes.add(_ADD, {
            "user_id": user_id, "policy": consent.policy, "version": consent.version,
            "accepted_ts": consent.accepted_ts,
        })


def drop_consents(writes: Writes, user_id: str) -> None:
    """Forget what somebody has agreed to."""
    writes.add(_DROP, {"who": user_id})


async def consents_of(database: Database, user_id: str) -> list[Consent]:
    """What somebody has agreed to."""
    rows = await database.fetch_all(
        select(consents.c.policy, consents.c.version, consents.c.accepted_ts).where(consents.c.user_id == user_id)
        .order_by(consents.c.policy, consents.c.version)
    )
    return [Consent(row.policy, row.version, int(row.accepted_ts)) for row in rows]
