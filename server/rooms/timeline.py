"""An event as this node holds it in a room's timeline, and how it looks to a client.

The bytes that go to clients are made once an event and shared by everybody who is told of it (DESIGN section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from server.foundation.canonical_json import json_to_keep
from server.rooms.event import Event, StateKey

# Bits of events.flags.
REJECTED = 1
SOFT_FAILED = 2
NOTIFIES = 4
# Known only because others rest on it (auth events, state before our time); it has no place in the timeline.
OUTLIER = 8
# What no reader sees.
UNSEEN = REJECTED | SOFT_FAILED | OUTLIER

Json = dict[str, Any]
# State that was replaced and what replaced it, by key; ``None`` where there is nothing.
Moves = Mapping[StateKey, tuple[Event | None, Event | None]]


class Entry:
    """One event with what only this node knows of it.

    ``stream`` is its position in the node's one order, ``replaced`` the state event that it displaced,
    ``txn`` the sending device and transaction id (``"DEVICE txn"``), ``related`` the bundle of relations.
    """

    __slots__ = (
        "_bytes", "bundled_up_to", "event", "flags", "moved", "participants", "redacted_because", "related",
        "replaced", "room_snapshot", "snapshot", "stream", "txn",
    )

    def __init__(
        self,
        event: Event,
        stream: int,
        snapshot: int,
        *,
        replaced: Event | None = None,
        flags: int = 0,
        txn: str | None = None,
    ) -> None:
        self.event = event
        self.stream = stream
        self.snapshot = snapshot
        self.replaced = replaced
        self.flags = flags
        self.txn = txn
        # Where the room had forked: everything that this event, by state resolution, has changed of its state.
        self.moved: Moves | None = None
        # The room's state after it, where that is not the state after the event.
        self.room_snapshot: int | None = None
        self.related: Json | None = None
        # The position of the last event that is counted in ``related``.
        self.bundled_up_to = 0
        # Who has written in the thread that this event began.
        self.participants: set[str] | None = None
        self.redacted_because: Json | None = None
        self._bytes: bytes | None = None

    @property
    def changes(self) -> Moves:
        """What this event has changed of the room's state."""
        if self.moved is not None:
            return self.moved
        return {} if self.event.state_key is None else {self.event.key: (self.replaced, self.event)}

    def forget_bytes(self) -> None:
        """Something that shows to clients has changed (an edit, a reaction, a redaction)."""
        self._bytes = None

    def sync_bytes(self) -> bytes:
        """The event as ``/sync`` shows it (no ``room_id``), the same bytes for all."""
        if self._bytes is None:
            self._bytes = json_to_keep(self.client_json(with_room_id=False))
        return self._bytes

    def bytes_for(self, user_id: str, device_id: str) -> bytes:
        """Like ``sync_bytes``; the sender also finds the transaction id, a thread's writer that he took part."""
        if not self.is_special_for(user_id, device_id):
            return self.sync_bytes()
        return orjson.dumps(self.shown_to(user_id, device_id, with_room_id=False))

    def is_special_for(self, user_id: str, device_id: str) -> bool:
        """Whether this device sees the event otherwise than all others do."""
        if self.participants is not None and user_id in self.participants:
            return True
        return self.own_txn_id(user_id, device_id) is not None

    def shown_to(self, user_id: str, device_id: str, *, with_room_id: bool = True) -> Json:
        """The event as one device sees it."""
        shown = self.client_json(with_room_id=with_room_id, txn_id=self.own_txn_id(user_id, device_id))
        if self.participants is not None and user_id in self.participants:
            relations = shown["unsigned"]["m.relations"]
            thread = {**relations["m.thread"], "current_user_participated": True}
            shown["unsigned"]["m.relations"] = {**relations, "m.thread": thread}
        return shown

    def own_txn_id(self, user_id: str, device_id: str) -> str | None:
        """The transaction id, if this very device has sent the event."""
        if self.txn is None or self.event.sender != user_id:
            return None
        device, _, txn_id = self.txn.partition(" ")
        return txn_id if device == device_id else None

    def client_json(self, *, with_room_id: bool = True, txn_id: str | None = None) -> Json:
        """The event in the client-server API's form (spec: "Room event format")."""
        shown = client_event(self.event, with_room_id=with_room_id)
        unsigned = self._unsigned(txn_id)
        if unsigned:
            shown["unsigned"] = unsigned
        return shown

    def _unsigned(self, txn_id: str | None) -> Json:
        unsigned: Json = {}
        if self.replaced is not None:
            unsigned["prev_content"] = self.replaced.content
            unsigned["prev_sender"] = self.replaced.sender
            unsigned["replaces_state"] = self.replaced.event_id
        if txn_id is not None:
            unsigned["transaction_id"] = txn_id
        if self.redacted_because is not None:
            unsigned["redacted_because"] = self.redacted_because
        if self.related:
            unsigned["m.relations"] = self.related
        return unsigned


def client_event(event: Event, *, with_room_id: bool = True) -> Json:
    """An event for a client, without ``unsigned``. Redactions carry ``redacts`` in both places, old and new."""
    shown: Json = {
        "content": event.content,
        "event_id": event.event_id,
        "origin_server_ts": event.origin_server_ts,
        "sender": event.sender,
        "type": event.type,
    }
    if event.state_key is not None:
        shown["state_key"] = event.state_key
    if with_room_id:
        shown["room_id"] = event.room_id
    if event.type == "m.room.redaction" and event.redacts is not None:
        shown["redacts"] = event.redacts
        shown["content"] = {**event.content, "redacts": event.redacts}
    return shown


def state_bytes(event: Event) -> bytes:
    """A state event as ``/sync`` shows it in ``state``, made once."""
    if event.client_bytes is None:
        event.client_bytes = json_to_keep(client_event(event, with_room_id=False))
    return event.client_bytes


def stripped(event: Event) -> Json:
    """Stripped state, as somebody invited sees it (spec: "Stripped state")."""
    return {
        "content": event.content,
        "sender": event.sender,
        "state_key": event.state_key,
        "type": event.type,
        **({"event_id": event.event_id, "origin_server_ts": event.origin_server_ts}
           if event.type == "m.room.create" else {}),
    }


def text_of(content: Mapping[str, Any], name: str) -> str:
    """A string field of a content that a stranger wrote; empty where it is none."""
    value = content.get(name)
    return value if isinstance(value, str) else ""
