"""Whether a signed object was really signed by the server that it names, also where others have passed it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from federation.identity.key_store import keys_of
from server.foundation.canonical_json import require_canonical
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.signatures import signature_is_valid
from server.storage.database import Database

_MOST_KEYS: Final = 5


class Proof(StrEnum):
    """What looking at a signature has shown."""

    TRUE = "true"
    FALSE = "false"
    # The server's keys cannot be had now.
    UNKNOWN = "unknown"


class Keys(Protocol):
    """Keys of other servers."""

    async def for_event(
        self, server: str, key_id: str, ts: int, *, enforced: bool, helpers: Sequence[str] = ()
    ) -> bytes | None:
        """A key with which the server may have signed at ``ts``."""


class Proofs:
    """Looks at signatures."""

    def __init__(self, keys: Keys, database: Database, clock: Clock) -> None:
        self._keys = keys
        self._database = database
        self._clock = clock

    async def look(self, signed: Mapping[str, Any], server: str, ts: int, helpers: Sequence[str] = ()) -> Proof:
        """Whether ``server`` has signed ``signed`` with a key that it had at ``ts`` (ms).

        ``helpers`` are servers that may hand its keys on where it does not answer itself.
        """
        value, signatures = dict(signed), signed.get("signatures")
        made = signatures.get(server) if isinstance(signatures, dict) else None
        if not isinstance(made, dict) or not made:
            return Proof.FALSE
        try:
            require_canonical(value)
        except Refused:
            return Proof.FALSE
        found = False
        for key_id in [item for item in made if isinstance(item, str)][:_MOST_KEYS]:
            key = await self._keys.for_event(server, key_id, ts, enforced=True, helpers=helpers)
            if key is not None:
                found = True
                if signature_is_valid(value, server, key_id, key):
                    return Proof.TRUE
        if found or await self._has_fresh_keys(server):
            return Proof.FALSE
        return Proof.UNKNOWN

    async def _has_fresh_keys(self, server: str) -> bool:
        """Whether we know which keys the server has today, so that an unknown one is none of them."""
        now = self._clock.now_ms()
        return any(key.may_sign_at(now) for key in (await keys_of(self._database, server)).values())
