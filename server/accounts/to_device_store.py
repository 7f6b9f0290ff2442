"""Tables ``to_device_messages`` and ``to_device_transactions``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, func, insert, select, update

from server.storage.database import Database, Transaction, Writes, metadata
from server.storage.upsert import upsert

Device = tuple[str, str]

messages: Final = Table(
    "to_device_messages", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("stream", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
transactions: Final = Table(
    "to_device_transactions", metadata,
    Column("user_id", Text, primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("txn_id", Text, primary_key=True),
    Column("ts", BigInteger, nullable=False),
)

_ADD: Final = insert(messages)
_ADD_TRANSACTION: Final = upsert(transactions, replace=())
_DROP_TRANSACTIONS: Final = delete(transactions).where(
    transactions.c.user_id == bindparam("who"), transactions.c.device_id == bindparam("which")
)
_OF_DEVICE: Final = (messages.c.user_id == bindparam("who"), messages.c.device_id == bindparam("which"))
_DROP_UNTIL: Final = delete(messages).where(*_OF_DEVICE, messages.c.stream <= bindparam("until"))
_MOVE: Final = (
    update(messages).where(*_OF_DEVICE, messages.c.stream == bindparam("old")).values(stream=bindparam("new"))
)


@dataclass(frozen=True, slots=True)
class ToDeviceMessage:
    """A message that waits for a device. ``content`` is JSON."""

    stream: int
    sender: str
    type: str
    content: bytes


def add_message(writes: Writes, device: Device, message: ToDeviceMessage) -> None:
    """Store a message for a device."""
    writes.add(_ADD, {
        "user_id": device[0], "device_id": device[1], "stream": message.stream, "sender": message.sender,
        "type": message.type, "content": message.content,
    })


def add_transaction(writes: Writes, sender: Device, txn_id: str, now_ms: int) -> None:
    """Remember that this device's request has been carried out."""
    writes.add(_ADD_TRANSACTION, {
        "user_id": sender[0], "device_id": sender[1], "txn_id": txn_id, "ts": now_ms,
    })


def drop_messages(writes: Writes, device: Device, until: int) -> None:
    """Forget what a device has got."""
    writes.add(_DROP_UNTIL, {"who": device[0], "which": device[1], "until": until})


def drop_transactions(writes: Writes, device: Device) -> None:
    """Forget what a device has sent."""
    writes.add(_DROP_TRANSACTIONS, {"who": device[0], "which": device[1]})


async def messages_for(
    database: Database, device: Device, after: int, until: int, limit: int
) -> list[ToDeviceMessage]:
    """The oldest messages of a device with ``after < stream <= until``."""
    rows = await database.fetch_all(
        select(messages.c.stream, messages.c.sender, messages.c.type, messages.c.content)
        .where(messages.c.user_id == device[0], messages.c.device_id == device[1],
               messages.c.stream > after, messages.c.stream <= until)
        .order_by(messages.c.stream).limit(limit)
    )
    return [ToDeviceMessage(int(row.stream), row.sender, row.type, row.content) for row in rows]


async def waiting_between(tx: Transaction, device: Device, after: int, until: int) -> list[int]:
    """The positions of a device's messages with ``after < stream <= until``, in order."""
    rows = await tx.execute(
        select(messages.c.stream)
        .where(messages.c.user_id == device[0], messages.c.device_id == device[1],
               messages.c.stream > after, messages.c.stream <= until)
        .order_by(messages.c.stream)
    )
    return [int(row[0]) for row in rows.fetchall()]


async def move_messages(tx: Transaction, device: Device, moves: Iterable[tuple[int, int]]) -> None:
    """Give messages of a device later positions: ``(old, new)``."""
    await tx.execute(_MOVE, [
        {"who": device[0], "which": device[1], "old": old, "new": new} for old, new in moves
    ])


async def waiting(database: Database) -> dict[Device, tuple[int, int]]:
    """The lowest and the highest position of what waits for each device."""
    columns = (messages.c.user_id, messages.c.device_id)
    rows: Sequence[tuple[str, str, int, int]] = await database.fetch_all(
        select(*columns, func.min(messages.c.stream), func.max(messages.c.stream)).group_by(*columns)
    )
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}


async def transactions_of(database: Database, sender: Device, limit: int) -> list[str]:
    """The newest transaction ids of a device."""
    rows = await database.fetch_all(
        select(transactions.c.txn_id)
        .where(transactions.c.user_id == sender[0], transactions.c.device_id == sender[1])
        .order_by(transactions.c.ts.desc()).limit(limit)
    )
    return [row[0] for row in rows]


async def forget_transactions_before(database: Database, ts: int) -> None:
    """Clients that ask again after so long are not expected any more."""
    async with database.write() as tx:
        await tx.execute(delete(transactions).where(transactions.c.ts < ts))
