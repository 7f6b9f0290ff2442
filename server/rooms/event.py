"""One room event (PDU): its fields, its id, its hashes and our signature (spec: "PDUs", "Signing Events").

An ``Event`` is a value: made once, never changed. What only this node knows of it (stream position, rejection,
transaction id) stands beside it in ``timeline.Entry``, never inside.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from server.foundation.canonical_json import canonical_json
from server.foundation.errors import TooLarge
from server.foundation.signatures import SigningKey, unpadded_base64
from server.rooms.redaction import redact
from server.rooms.room_versions import RoomVersion

MAX_EVENT_BYTES = 65_536
# Others measure an event together with the ``unsigned`` that they keep beside it, empty or not.
UNSIGNED_BYTES = len(',"unsigned":{}')

StateKey = tuple[str, str]
_UNSIGNED = ("signatures", "unsigned")


class Event:
    """A whole event of a room. ``pdu`` is the object as it is hashed, signed and sent between servers."""

    __slots__ = (
        "auth_events", "client_bytes", "content", "depth", "event_id", "origin_server_ts", "pdu", "power",
        "prev_events", "room_id", "sender", "state_key", "type", "version",
    )

    def __init__(self, pdu: dict[str, Any], version: RoomVersion, event_id: str, room_id: str) -> None:
        self.pdu = pdu
        self.version = version
        self.event_id = event_id
        self.room_id = room_id
        self.type: str = pdu["type"]
        self.sender: str = pdu["sender"]
        self.state_key: str | None = pdu.get("state_key")
        self.content: dict[str, Any] = pdu["content"]
        self.depth: int = pdu["depth"]
        self.origin_server_ts: int = pdu["origin_server_ts"]
        self.prev_events: list[str] = pdu["prev_events"]
        self.auth_events: list[str] = pdu["auth_events"]
        # What auth_rules/power_levels.py made of a power level event; parsed at most once.
        self.power: Any = None
        # How clients see it as state; made at most once, see timeline.state_bytes.
        self.client_bytes: bytes | None = None

    @property
    def key(self) -> StateKey:
        """``(type, state_key)`` of a state event; only for events that have one."""
        assert self.state_key is not None
        return (self.type, self.state_key)

    @property
    def redacts(self) -> str | None:
        """The id of the event that this one redacts; version 11 moved it into the content."""
        target = self.content.get("redacts") if self.version.redaction_v11 else self.pdu.get("redacts")
        return target if isinstance(target, str) else None

    def __repr__(self) -> str:
        return f"<Event {self.event_id} {self.type} in {self.room_id}>"


def content_hash(pdu: dict[str, Any]) -> str:
    """SHA-256 over the event without ``unsigned``, ``signatures`` and ``hashes``, in unpadded base64."""
    covered = {name: value for name, value in pdu.items() if name not in ("unsigned", "signatures", "hashes")}
    return unpadded_base64(hashlib.sha256(canonical_json(covered)).digest())


def reference_hash(pdu: dict[str, Any], version: RoomVersion) -> bytes:
    """SHA-256 over the redacted event without signatures: what an event id stands for."""
    redacted = redact(pdu, version)
    covered = {name: value for name, value in redacted.items() if name not in ("unsigned", "signatures", "age_ts")}
    return hashlib.sha256(canonical_json(covered)).digest()


def event_id_from_hash(digest: bytes, version: RoomVersion) -> str:
    """``$`` and the reference hash in the base64 of that room version."""
    encode = base64.urlsafe_b64encode if version.url_safe_event_ids else base64.b64encode
    return "$" + encode(digest).rstrip(b"=").decode()


def seal(pdu: dict[str, Any], version: RoomVersion, server_name: str, key: SigningKey) -> Event:
    """Hash, sign and name a new local event. ``pdu`` is taken over and completed. Raises ``M_TOO_LARGE``.

    The bytes that are signed are those whose hash names the event, so the redacted form is built once.
    """
    pdu["hashes"] = {"sha256": content_hash(pdu)}
    signed = canonical_json(redact(pdu, version))
    pdu["signatures"] = {server_name: {key.key_id: key.sign(signed)}}
    event_id = event_id_from_hash(hashlib.sha256(signed).digest(), version)
    if len(canonical_json(pdu)) + UNSIGNED_BYTES > MAX_EVENT_BYTES:
        raise TooLarge("The event is larger than 65536 bytes")
    return Event(pdu, version, event_id, room_id_of(pdu, version, event_id))


def own_signature(event: Event, key: SigningKey) -> str:
    """Our signature for somebody else's event: under an invitation, under a join that one of ours vouches for."""
    covered = redact(event.pdu, event.version)
    return key.sign(canonical_json({name: item for name, item in covered.items() if name not in _UNSIGNED}))


def room_id_of(pdu: dict[str, Any], version: RoomVersion, event_id: str) -> str:
    """The room of an event; the create event of version 12 carries none, its own hash names the room."""
    if version.room_id_is_create_hash and pdu["type"] == "m.room.create":
        return "!" + event_id[1:]
    return str(pdu["room_id"])
