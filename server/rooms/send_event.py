"""A local event on its way into a room: draft, rules, signature, acceptance, commit.

Nothing here waits while it holds the room's lock, but for the lock itself; the commit is awaited after it is let go,
so that many senders share one commit (group commit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from server.foundation.canonical_json import canonical_json, require_canonical
from server.foundation.clock import Clock
from server.foundation.errors import BadRequest, Forbidden, InvalidParam, NotFound, Refused
from server.foundation.signatures import OldKey, SigningKey
from server.rooms.accept_event import EventAcceptor, TxnKey
from server.rooms.auth_rules.allowed import check_auth
from server.rooms.auth_rules.selection import auth_types_for
from server.rooms.event import Event, seal
from server.rooms.event_store import entry_of, room_of_event
from server.rooms.live_room import LiveRoom
from server.rooms.relations import relation_of, renew_bundle, require_possible_relation
from server.rooms.rooms import Rooms
from server.rooms.timeline import Entry
from server.rooms.transactions import Transactions
from server.storage.database import Conflict, Database, Stale, Writes

MAX_ID_BYTES = 255
# Names the member who vouches for somebody in a restricted room (room version 8).
VOUCHER = "join_authorised_via_users_server"
_CHUNK = 50
_ATTEMPTS = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody here wants to say. ``redacts`` is the target of a redaction.

    ``replaces`` is the state event that must still stand when the draft enters the room; otherwise it is refused.
    ``ts`` (ms) is when it was said, where that was not now.
    """

    room_id: str
    sender: str
    type: str
    content: dict[str, Any]
    state_key: str | None = None
    redacts: str | None = None
    replaces: str | None = None
    ts: int | None = None

    def check(self) -> None:
        """Raise ``Refused`` where the draft can be no event."""
        if "\0" in self.type or "\0" in (self.state_key or ""):
            raise InvalidParam("Types and state keys contain no NUL", code="M_BAD_JSON")
        if not self.type or len(self.type.encode()) > MAX_ID_BYTES:
            raise InvalidParam("An event type has 1 to 255 bytes", code="M_BAD_JSON")
        if self.state_key is not None and len(self.state_key.encode()) > MAX_ID_BYTES:
            raise InvalidParam("The state key is longer than 255 bytes", code="M_BAD_JSON")
        if not isinstance(self.content, dict):
            raise BadRequest("The content of an event is an object")
        require_canonical(self.content)
        if self.type == "m.room.tombstone" and self.content.get("replacement_room") == self.room_id:
            raise InvalidParam("A room cannot be its own successor")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs for this node, and with what it signed before."""

    server_name: str
    key: SigningKey
    old_keys: tuple[OldKey, ...] = ()


async def _upon_what_stands(send: Callable[[], Awaitable[T]]) -> T:
    """``send`` again where an earlier event of the room was not written after all."""
    for _ in range(_ATTEMPTS):
        try:
            return await send()
        except Stale:
            continue
    raise Refused("The node is overloaded; please try again", status=503)


@contextmanager
def _undone_if_refused(writes: Writes) -> Iterator[None]:
    """What was entered before a refusal is in memory only; it must not stay there."""
    try:
        yield
    except BaseException:
        for undo in writes.on_failure:
            undo()
        raise


def _event_id_of(event: Event | None) -> str | None:
    return event.event_id if event is not None else None


class EventSender:
    """Sends local events. One an instance a node."""

    def __init__(
        self, database: Database, rooms: Rooms, acceptor: EventAcceptor, clock: Clock, identity: Identity
    ) -> None:
        self._database = database
        self.rooms = rooms
        self._acceptor = acceptor
        self._clock = clock
        self.identity = identity
        self._transactions = Transactions(database)

    async def send_once(self, draft: Draft, device_id: str, txn_id: str) -> str:
        """Send ``draft``, or answer the event that this device's same request has led to before."""
        scope = f"{draft.room_id} {draft.redacts or draft.type}"
        key: TxnKey = (draft.sender, device_id, scope, txn_id)
        known = await self._transactions.find(key)
        if known is not None:
            return known
        self._transactions.begin(key)
        event_id: str | None = None
        try:
            event_id = await self._send_or_find(draft, key)
        finally:
            self._transactions.end(key, event_id)
        return event_id

    async def _send_or_find(self, draft: Draft, key: TxnKey) -> str:
        try:
            return (await self.send(draft, txn=key)).event_id
        except (Conflict, Refused):
            # The table may know this transaction from before the start: then what was said stands, whatever has
            # become of the room since, and the new event was not written.
            stored = await self._transactions.find_stored(key)
            if stored is None:
                raise
            return stored

    async def send(self, draft: Draft, *, txn: TxnKey | None = None) -> Event:
        """Send ``draft``; answers when it is on disk.

        Raises ``Forbidden``, ``NotFound``, ``BadRequest`` or ``TooLarge``, and then nothing was written.
        """
        draft.check()
        return await _upon_what_stands(lambda: self._send(draft, txn))

    async def _send(self, draft: Draft, txn: TxnKey | None) -> Event:
        found = await self.rooms.get(draft.room_id)
        redacting = await self._find_target(found, draft)
        related = relation_of(redacting.event.content) if redacting is not None else None
        await require_possible_relation(self._database, found, draft.sender, draft.type, draft.content)
        async with self.rooms.hold(found) as room:
            same = self._same_state(room, draft)
            if same is not None:
                return same
            writes = Writes()
            with _undone_if_refused(writes):
                event = self.enter(room, draft, writes, txn=txn, redacting=redacting)
                commit = self._database.submit(writes)
        await asyncio.shield(commit)
        if related is not None:
            await renew_bundle(self._database, room, related[0])
        return event

    async def send_all(self, room: LiveRoom, drafts: Sequence[Draft]) -> list[Event]:
        """Send several drafts to one room, all or none of them, in one commit."""
        for draft in drafts:
            draft.check()

        async def send() -> list[Event]:
            async with self.rooms.hold(room) as held:
                commit, events = self._enter_all({held.room_id: held}, drafts)
            await asyncio.shield(commit)
            return events

        return await _upon_what_stands(send)

    async def send_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """Send many drafts to many rooms, ``_CHUNK`` in a commit, letting others through in between.

        A chunk is written whole or not at all; a refusal ends the sending there.
        """
        sent: list[Event] = []
        for start in range(0, len(drafts), _CHUNK):
            chunk = drafts[start:start + _CHUNK]
            sent += await _upon_what_stands(partial(self._send_chunk, chunk))
        return sent

    async def _send_chunk(self, drafts: Sequence[Draft]) -> list[Event]:
        for draft in drafts:
            draft.check()
        async with AsyncExitStack() as locks:
            rooms: dict[str, LiveRoom] = {}
            # Always in the same order, so that two that send to the same rooms cannot wait for each other.
            for room_id, room in (await self.rooms.get_many(sorted({draft.room_id for draft in drafts}))).items():
                rooms[room_id] = await locks.enter_async_context(self.rooms.hold(room))
            commit, events = self._enter_all(rooms, drafts)
        await asyncio.shield(commit)
        return events

    def _enter_all(
        self, rooms: dict[str, LiveRoom], drafts: Sequence[Draft]
    ) -> tuple[asyncio.Future[None], list[Event]]:
        """Enter drafts under their rooms' locks and submit them; on a refusal nothing of it stays."""
        writes = Writes()
        with _undone_if_refused(writes):
            events = [self.enter(rooms[draft.room_id], draft, writes) for draft in drafts]
            return self._database.submit(writes), events

    def enter(
        self,
        room: LiveRoom,
        draft: Draft,
        writes: Writes,
        *,
        txn: TxnKey | None = None,
        redacting: Entry | None = None,
    ) -> Event:
        """Build, check, sign and accept under the room's lock, without waiting. The caller submits ``writes``."""
        current = room.state.get((draft.type, draft.state_key or ""))
        if draft.replaces is not None and draft.replaces != _event_id_of(current):
            raise Refused("Somebody else has just changed this", code="M_BAD_STATE", status=409)
        event = self._build(room, draft)
        check_auth(event, room.state)
        self._acceptor.accept(room, event, writes, txn=txn, redacting=redacting)
        return event

    def accept_first(self, room: LiveRoom, create: Event, writes: Writes) -> None:
        """Enter the create event of a new room."""
        check_auth(create, room.state)
        self._acceptor.accept(room, create, writes)

    def now_ms(self) -> int:
        """The time that a new event carries."""
        return self._clock.now_ms()

    def propose(self, room: LiveRoom, draft: Draft) -> Event:
        """The event that ``draft`` would become now, checked and signed by us, and not entered."""
        draft.check()
        event = self._build(room, draft)
        check_auth(event, room.state)
        return event

    def _build(self, room: LiveRoom, draft: Draft) -> Event:
        pdu = self.unsigned_pdu(room, draft)
        return seal(pdu, room.version, self.identity.server_name, self.identity.key)

    def unsigned_pdu(self, room: LiveRoom, draft: Draft) -> dict[str, Any]:
        """What ``draft`` would be as an event of this room, without hash and signature."""
        state = room.state
        wanted = auth_types_for(draft.type, draft.sender, draft.state_key, draft.content, room.version)
        pdu: dict[str, Any] = {
            "auth_events": [state[key].event_id for key in wanted if key in state],
            "content": draft.content,
            "depth": min(room.tip.depth + 1, 2**53 - 1),
            "origin_server_ts": self._clock.now_ms() if draft.ts is None else draft.ts,
            "prev_events": room.tip.extremities[:20],
            "room_id": room.room_id,
            "sender": draft.sender,
            "type": draft.type,
        }
        if draft.state_key is not None:
            pdu["state_key"] = draft.state_key
        if draft.redacts is not None:
            if room.version.redaction_v11:
                pdu["content"] = {**draft.content, "redacts": draft.redacts}
            else:
                pdu["redacts"] = draft.redacts
        return pdu

    def _same_state(self, room: LiveRoom, draft: Draft) -> Event | None:
        """Setting a state to what it is already makes no new event, but must be allowed all the same."""
        if draft.state_key is None:
            return None
        current = room.state.get((draft.type, draft.state_key))
        if current is None or current.content != draft.content or current.sender != draft.sender:
            return None
        if canonical_json(current.content) != canonical_json(draft.content):
            return None  # 1 is not true, though Python takes them for equal
        return current if room.membership(draft.sender) == "join" else None

    async def _find_target(self, room: LiveRoom, draft: Draft) -> Entry | None:
        """What a redaction is about; checks that its sender may (own messages, or the power to redact)."""
        if draft.redacts is None:
            return None
        if room.membership(draft.sender) != "join":
            raise Forbidden("You are not in this room")
        target = room.find(draft.redacts) or await entry_of(self._database, room, draft.redacts)
        if target is None:
            if await room_of_event(self._database, draft.redacts) is not None:
                raise InvalidParam("This event belongs to another room")
            raise NotFound("There is no such event in this room")
        if target.event.sender != draft.sender:
            levels = room.levels()
            if levels.of_user(draft.sender) < levels.redact:
                raise Forbidden("You may not delete what others have written")
        return None if target.redacted_because is not None else target
