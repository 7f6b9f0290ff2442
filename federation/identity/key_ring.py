"""The keys of other servers: from memory, from the database, from themselves, or from somebody who vouches for them."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from federation.identity.key_store import ServerKey, keys_of, published_of, save_keys
from federation.identity.own_keys import published_keys
from federation.identity.published_keys import read_published
from federation.identity.servers import OwnIdentity, Servers
from server.foundation.canonical_json import canonical_json, parse_json
from server.foundation.clock import Clock
from server.foundation.errors import BadRequest, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.signatures import sign_json, signature_is_valid
from server.rooms.ports import PeerFailed
from server.storage.database import Database

Json = dict[str, Any]

logger = logging.getLogger(__name__)

_KEPT: Final = 2_000
# A server that has not answered is not asked again at once for each of its events.
_PAUSE_MS: Final = 60_000
_BYTES: Final = 256 * 1024
_SECONDS: Final = 15.0


class KeyRing:
    """Finds keys."""

    def __init__(
        self, database: Database, servers: Servers, identity: OwnIdentity, clock: Clock, notaries: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._servers = servers
        self._identity = identity
        self._clock = clock
        self._notaries = tuple(notaries)
        self._known: OrderedDict[str, dict[str, ServerKey]] = OrderedDict()
        self._asked: dict[str, int] = {}
        self._asking = KeyedLocks()

    async def for_request(self, server: str, key_id: str) -> bytes | None:
        """A key with which ``server`` may sign today."""
        key = await self._find(server, key_id, self._clock.now_ms(), ())
        return None if key is None or key.expired_ts is not None else key.public

    async def for_event(
        self, server: str, key_id: str, ts: int, *, enforced: bool, helpers: Sequence[str] = ()
    ) -> bytes | None:
        """A key with which ``server`` may have signed an event of the time ``ts``.

        ``enforced``: whether the room version holds to that. ``helpers`` are servers that may know the keys of one
        that cannot be reached.
        """
        key = await self._find(server, key_id, ts if enforced else 0, helpers)
        return None if key is None or (enforced and not key.may_sign_at(ts)) else key.public

    async def vouch(self, server: str, until_ts: int) -> list[Json]:
        """What a server has published of its keys, with our signature; asked for anew where it has ended before then.

        Empty where nothing is known. What has ended is better than nothing.
        """
        mine = self._identity
        if server == mine.server_name:
            return [published_keys(server, mine.key, self._clock.now_ms(), mine.old_keys)]
        known = await published_of(self._database, server)
        if known is None or known[1] < until_ts:
            async with self._asking.hold(server):
                await self._ask(server, ())
            known = await published_of(self._database, server)
        return [] if known is None else [sign_json(parse_json(known[0]), mine.server_name, mine.key)]

    async def _find(self, server: str, key_id: str, ts: int, helpers: Sequence[str]) -> ServerKey | None:
        mine = self._identity
        if server == mine.server_name:
            return self._own(key_id)
        key = (await self._stored(server)).get(key_id)
        if key is not None and (key.may_sign_at(ts) or key.expired_ts is not None):
            return key
        async with self._asking.hold(server):
            newer = (await self._stored(server)).get(key_id)
            if newer is not None and newer != key:
                return newer
            await self._ask(server, helpers)
        return (await self._stored(server)).get(key_id)

    def _own(self, key_id: str) -> ServerKey | None:
        mine = self._identity
        if key_id == mine.key.key_id:
            return ServerKey(mine.server_name, key_id, mine.key.public, self._clock.now_ms() + 1, None)
        for old in mine.old_keys:
            if old.key_id == key_id:
                return ServerKey(mine.server_name, key_id, old.public, 0, old.expired_ts)
        return None

    async def _stored(self, server: str) -> dict[str, ServerKey]:
        known = self._known.get(server)
        if known is None:
            known = self._known[server] = await keys_of(self._database, server)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    async def _ask(self, server: str, helpers: Sequence[str]) -> None:
        now = self._clock.now_ms()
        if self._asked.get(server, 0) + _PAUSE_MS > now and not helpers:
            return
        if len(self._asked) > _KEPT:
            self._asked.clear()
        self._asked[server] = now
        try:
            value = await self._servers.get(
                server, "/_matrix/key/v2/server", limit=_BYTES, timeout_s=_SECONDS, signed=False
            )
            await self._learn(server, value)
        except Refused as refused:
            logger.info("keys were not got from their server: %s", refused.reason)
            await self._ask_others(server, helpers)

    async def _ask_others(self, server: str, helpers: Sequence[str]) -> None:
        for notary in dict.fromkeys([*self._notaries, *helpers]):
            if notary in (server, self._identity.server_name):
                continue
            try:
                answer = await self._servers.get(
                    notary, f"/_matrix/key/v2/query/{server}", limit=_BYTES, timeout_s=_SECONDS, signed=False
                )
                for value in answer.get("server_keys", []):
                    await self._require_vouched(value, notary)
                    await self._learn(server, value)
                return
            except (Refused, AttributeError, TypeError):
                continue

    async def _require_vouched(self, value: Any, notary: str) -> None:
        """A notary signs what it hands on, so that it can be held to it."""
        signed = value.get("signatures", {}).get(notary, {})
        keys = await self._stored(notary)
        known = [keys[key_id] for key_id in signed if key_id in keys]
        if not any(signature_is_valid(value, notary, key.key_id, key.public) for key in known):
            raise BadRequest("The notary has not signed what it says")

    async def _learn(self, server: str, value: object) -> None:
        """Keep what a server has published. What is known and still holds is not lost by it."""
        fresh = read_published(value, server, self._clock.now_ms())
        try:
            await save_keys(self._database, fresh, canonical_json(value))
        except TypeError:
            raise PeerFailed("The keys are no canonical JSON") from None
        self._known[server] = {**await self._stored(server), **{key.key_id: key for key in fresh}}
