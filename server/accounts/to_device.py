"""Messages from device to device (spec, "Send-to-Device messaging"): kept until the device has them.

A device has what it was given when it comes back with the ``since`` of that answer. In memory: where the messages
that wait for each device stand, so that nobody's sync asks the database for nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from server.accounts.changes import Changes
from server.accounts.sessions_store import devices_of
from server.accounts.to_device_store import (
    Device,
    ToDeviceMessage,
    add_message,
    add_transaction,
    drop_messages,
    drop_transactions,
    forget_transactions_before,
    messages_for,
    move_messages,
    transactions_of,
    waiting,
    waiting_between,
)
from server.foundation.clock import Clock
from server.foundation.errors import TooLarge
from server.storage.database import Database, Writes

ALL_DEVICES: Final = "*"
MAX_CONTENT_BYTES: Final = 65_536
_KEPT_SENDERS: Final = 4_000
_KEPT_PER_SENDER: Final = 300
_TRANSACTION_MS: Final = 7 * 24 * 3600 * 1000

# By user and by device id (or "*"), the content.
Messages = Mapping[str, Mapping[str, Any]]
# Enters what is for users of other servers: rows, sender, type, messages.
SendFar = Callable[[Writes, str, str, Messages], None]


class ToDevice:
    """All inboxes of devices."""

    def __init__(self, database: Database, clock: Clock, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes
        self._waiting: dict[Device, tuple[int, int]] = {}
        self._sent: OrderedDict[Device, OrderedDict[str, asyncio.Future[None] | None]] = OrderedDict()
        self._send_far: SendFar | None = None

    def send_far_by(self, send: SendFar) -> None:
        """``send`` puts messages to users of other servers on their way, with the rows of the others."""
        self._send_far = send

    async def open(self) -> None:
        """Learn what waits for whom."""
        self._waiting = await waiting(self._database)

    def last_position(self, user_id: str, device_id: str) -> int:
        """The position of the newest message that waits for a device; 0 where none does. Costs no SQL."""
        return self._waiting.get((user_id, device_id), (0, 0))[1]

    async def send_once(self, sender: Device, kind: str, txn_id: str, messages: Messages) -> None:
        """Send to devices, unless this device has done so under the same transaction id before."""
        key = f"{kind} {txn_id}"
        sent = await self._sent_by(sender)
        while key in sent:
            flying = sent[key]
            if flying is None:
                return
            await asyncio.shield(flying)
        done = sent[key] = asyncio.get_running_loop().create_future()
        try:
            await self._send(sender, kind, messages, key)
            sent[key] = None
        except BaseException:
            sent.pop(key, None)
            raise
        finally:
            done.set_result(None)
        if len(sent) > _KEPT_PER_SENDER:
            sent.popitem(last=False)

    async def send(self, sender: str, kind: str, messages: Messages) -> None:
        """Send without a transaction id (from another server, from the node itself)."""
        await self._send((sender, ""), kind, messages, None)

    async def waiting_for(
        self, user_id: str, device_id: str, after: int, until: int, limit: int
    ) -> list[ToDeviceMessage]:
        """Up to ``limit`` messages with ``after < stream <= until``.

        Where more are waiting, the rest are given later positions, so that an acknowledgement of ``until`` does not
        take them away unseen; listeners hear of it, so that the device comes again at once.
        """
        device = (user_id, device_id)
        lowest, highest = self._waiting.get(device, (0, 0))
        if highest <= after:
            return []
        # What is acknowledged may still be on its way out of the table.
        found = await messages_for(self._database, device, max(after, lowest - 1), until, limit + 1)
        if len(found) > limit:
            found = found[:limit]
            await self._postpone(device, found[-1].stream, until)
        return found

    async def page(self, user_id: str, device_id: str, after: int, limit: int) -> list[ToDeviceMessage]:
        """Up to ``limit`` messages after a position, without moving or forgetting any."""
        return await messages_for(self._database, (user_id, device_id), after, 2**62, limit)

    def acknowledge(self, user_id: str, device_id: str, until: int) -> None:
        """The device has everything up to ``until``. Written behind; lost in a crash, it is only asked for again."""
        lowest, highest = self._waiting.get((user_id, device_id), (0, 0))
        if not lowest or until < lowest:
            return
        if highest <= until:
            del self._waiting[user_id, device_id]
        else:
            self._waiting[user_id, device_id] = (until + 1, highest)
        writes = Writes()
        drop_messages(writes, (user_id, device_id), until)
        self._database.submit(writes)

    async def forget_transactions(self) -> None:
        """Forget transaction ids of more than a week ago."""
        await forget_transactions_before(self._database, self._clock.now_ms() - _TRANSACTION_MS)

    def drop(self, user_id: str, device_id: str, writes: Writes) -> None:
        """Forget a device's inbox, with the rows of ``writes``."""
        drop_messages(writes, (user_id, device_id), 2**62)
        drop_transactions(writes, (user_id, device_id))
        writes.after_commit.append(lambda: self._forget((user_id, device_id)))

    async def _send(self, sender: Device, kind: str, messages: Messages, txn_id: str | None) -> None:
        addressed = await self._addressed(messages)
        writes = Writes()
        if txn_id is not None:
            add_transaction(writes, sender, txn_id, self._clock.now_ms())
        if self._send_far is not None:
            self._send_far(writes, sender[0], kind, messages)
        if addressed:
            position = self._changes.enter(writes, sorted({device[0] for device, _ in addressed}))
            writes.after_commit.insert(0, lambda: self._note([device for device, _ in addressed], position))
            for device, content in addressed:
                add_message(writes, device, ToDeviceMessage(position, sender[0], kind, content))
        await asyncio.shield(self._database.submit(writes))

    async def _addressed(self, messages: Messages) -> list[tuple[Device, bytes]]:
        """Every existing device that is meant, with the content for it; raises ``TooLarge``."""
        wanted = {user_id: {name: _packed(content) for name, content in by_device.items()}
                  for user_id, by_device in messages.items()}
        found = []
        for device in await devices_of(self._database, list(wanted)):
            by_device = wanted[device.user_id]
            content = by_device.get(device.device_id, by_device.get(ALL_DEVICES))
            if content is not None:
                found.append(((device.user_id, device.device_id), content))
        return found

    async def _postpone(self, device: Device, after: int, until: int) -> None:
        async with self._database.write() as tx:
            old = await waiting_between(tx, device, after, until)
            moves = [(position, self._changes.enter(tx, [device[0]])) for position in old]
            if moves:
                await move_messages(tx, device, moves)
                newest = moves[-1][1]
                tx.after_commit.insert(0, lambda: self._note([device], newest))

    async def _sent_by(self, sender: Device) -> OrderedDict[str, asyncio.Future[None] | None]:
        sent = self._sent.get(sender)
        if sent is None:
            stored = await transactions_of(self._database, sender, _KEPT_PER_SENDER)
            sent = self._sent.setdefault(sender, OrderedDict((txn_id, None) for txn_id in reversed(stored)))
            if len(self._sent) > _KEPT_SENDERS:
                self._sent.popitem(last=False)
        return sent

    def _note(self, devices: Iterable[Device], position: int) -> None:
        for device in devices:
            lowest, highest = self._waiting.get(device, (position, position))
            self._waiting[device] = (min(lowest, position), max(highest, position))

    def _forget(self, device: Device) -> None:
        self._waiting.pop(device, None)
        self._sent.pop(device, None)


def as_events(messages: Sequence[ToDeviceMessage]) -> list[dict[str, Any]]:
    """Messages as ``/sync`` shows them."""
    return [
        {"sender": message.sender, "type": message.type, "content": orjson.Fragment(message.content)}
        for message in messages
    ]


def _packed(content: Any) -> bytes:
    data = orjson.dumps(content)
    if len(data) > MAX_CONTENT_BYTES:
        raise TooLarge("A message to a device has at most 64 KiB")
    return data
