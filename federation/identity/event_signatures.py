"""Events as they come from other servers: checks 1 to 3 on receipt, many at a time.

Keys are fetched first, each once; then signatures are checked away from the event loop, for a large room brings
thousands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from federation.identity.key_ring import KeyRing
from server.foundation.errors import BadRequest, Refused
from server.foundation.signatures import signature_is_valid
from server.foundation.tasks import together
from server.rooms.event import Event
from server.rooms.event_format import as_redacted, check_content_hash, read_pdu, required_signers
from server.rooms.redaction import redact
from server.rooms.room_versions import RoomVersion

logger = logging.getLogger(__name__)

_TOGETHER: Final = 50
# Below this many it is quicker to do them here.
_FEW: Final = 3


class _Proof(NamedTuple):
    """A signature that an event must have, with the keys that would do."""

    server: str
    keys: dict[str, bytes]


class EventReader:
    """Reads events of strangers."""

    def __init__(self, key_ring: KeyRing) -> None:
        self._keys = key_ring

    async def read(self, pdus: Sequence[object], version: RoomVersion, helpers: Sequence[str] = ()) -> list[Event]:
        """The events among ``pdus`` that pass; the others are left out."""
        return [event for event in await self.read_each(pdus, version, helpers) if isinstance(event, Event)]

    async def read_each(
        self, pdus: Sequence[object], version: RoomVersion, helpers: Sequence[str] = (), *, spared: str = ""
    ) -> list[Event | Refused]:
        """For each of ``pdus`` the event, redacted where its content is not what was hashed, or why it is none.

        ``spared`` is a server whose signature may still be lacking (ours, under what others bring us to sign).
        """
        events = [_read(pdu, version) for pdu in pdus]
        proofs: dict[int, list[_Proof]] = {}
        needed = [event for event in events if isinstance(event, Event)]
        found = await together([self._proofs(event, helpers, spared) for event in needed])
        for event, proof in zip(needed, found, strict=True):
            proofs[id(event)] = proof
        checked: list[Event | Refused] = []
        for start in range(0, len(events), _TOGETHER):
            part = events[start:start + _TOGETHER]
            if len(part) <= _FEW:
                checked += _check_all(part, proofs)
            else:
                checked += await asyncio.to_thread(_check_all, part, proofs)
        return checked

    async def is_signed_by(self, event: Event, server: str) -> bool:
        """Whether ``server`` has signed an event that need not be signed by it."""
        return _is_signed(redact(event.pdu, event.version), await self._proof(event, server, ()))

    async def _proofs(self, event: Event, helpers: Sequence[str], spared: str) -> list[_Proof]:
        return [await self._proof(event, server, helpers) for server in required_signers(event) if server != spared]

    async def _proof(self, event: Event, server: str, helpers: Sequence[str]) -> _Proof:
        keys: dict[str, bytes] = {}
        for key_id in list(event.pdu["signatures"].get(server) or {})[:5]:
            key = await self._keys.for_event(
                server, key_id, event.origin_server_ts, enforced=event.version.key_validity_enforced, helpers=helpers
            )
            if key is not None:
                keys[key_id] = key
        return _Proof(server, keys)


def _read(pdu: object, version: RoomVersion) -> Event | Refused:
    try:
        event = read_pdu(pdu, version)
        if "\0" in event.type or "\0" in (event.state_key or ""):
            raise BadRequest("Types and state keys contain no NUL")  # not every database can keep one
    except Refused as refused:
        return refused
    return event


def _check_all(events: Sequence[Event | Refused], proofs: dict[int, list[_Proof]]) -> list[Event | Refused]:
    return [_check(event, proofs[id(event)]) if isinstance(event, Event) else event for event in events]


def _check(event: Event, proofs: Sequence[_Proof]) -> Event | Refused:
    signed = redact(event.pdu, event.version)
    if not all(_is_signed(signed, proof) for proof in proofs):
        return Refused("The event is not signed by a server that it needs", code="M_FORBIDDEN", status=403)
    try:
        return event if check_content_hash(event) else as_redacted(event)
    except Refused as refused:
        return refused


def _is_signed(redacted: dict[str, Any], proof: _Proof) -> bool:
    return any(signature_is_valid(redacted, proof.server, key_id, key) for key_id, key in proof.keys.items())
