"""Table ``received_transactions``: what we have answered, for those who ask again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

received: Final = Table(
    "received_transactions", metadata,
    Column("origin", Text, primary_key=True),
    Column("txn_id", Text, primary_key=True),
    Column("ts", BigInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
_KEEP: Final = upsert(received)
_FIND: Final = select(received.c.answer).where(
    received.c.origin == bindparam("from"), received.c.txn_id == bindparam("id")
)


async def find_answer(database: Database, origin: str, txn_id: str) -> bytes | None:
    """What a transaction was answered before."""
    row = await database.fetch_one(_FIND, {"from": origin, "id": txn_id})
    return None if row is None else bytes(row[0])


async def keep_answer(database: Database, origin: str, txn_id: str, ts: int, answer: bytes) -> None:
    """Remember what a transaction was answered."""
    writes = Writes()
    writes.add(_KEEP, {"origin": origin, "txn_id": txn_id, "ts": ts, "answer": answer})
    await database.submit(writes)


async def forget_answers_before(database: Database, ts: int) -> None:
    """Nobody asks again after so long."""
    async with database.write() as tx:
        await tx.execute(delete(received).where(received.c.ts < ts))
