"""The keys of other servers: from memory, from the database, from themselves, or from somebody who vouches for them."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from federation.identity.key_store import ServerKey, keys_of, published_of, save_keys
from federation.identity.own_keys import published_keys
from federation.identity.published_keys import read_published
from federation.identity.servers import OwnIdentity, Servers, path_of
from server.foundation.canonical_json import canonical_json, parse_json
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.signatures import sign_json, signature_is_valid
from server.rooms.ports import PeerFailed
from server.storage.database import Database

Json = dict[str, Any]

logger = logging.getLogger(__name__)

_KEPT: Final = 2_000
# A server that has said what it has to say, or has not answered, is not asked again at once for each of its events.
_PAUSE_MS: Final = 60_000
_SILENT_PAUSE_MS: Final = 5_000
_BYTES: Final = 256 * 1024
_SECONDS: Final = 15.0
_MOST_VOUCHED: Final = 5


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
        # What one server says of another's keys; believed of it alone, and never kept.
        self._hearsay: OrderedDict[tuple[str, str], dict[str, ServerKey]] = OrderedDict()
        # When whom (first) was asked for whose keys (second).
        self._asked: dict[tuple[str, str], int] = {}
        self._asking = KeyedLocks()

    async def for_request(self, server: str, key_id: str) -> bytes | None:
        """A key with which ``server`` may sign today."""
        now = self._clock.now_ms()
        key = await self._find(server, key_id, now)
        return None if key is None or key.expired_ts is not None or not key.may_sign_at(now) else key.public

    async def for_event(
        self, server: str, key_id: str, ts: int, *, enforced: bool, helpers: Sequence[str] = ()
    ) -> bytes | None:
        """A key with which ``server`` may have signed an event of the time ``ts``.

        ``enforced``: whether the room version holds to that. ``helpers`` are servers whose word is taken, for this
        event only, where nothing is known of a server and it cannot be reached: whoever lets us into a room tells us
        what it is in any case, though there are servers in it that are gone for ever. Nobody else's word is.
        """
        key = await self._find(server, key_id, ts if enforced else 0)
        if key is None and helpers and server != self._identity.server_name and not await self._stored(server):
            key = await self._from_hearsay(server, key_id, helpers)
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
                await self._ask(server)
            known = await published_of(self._database, server)
        published = _as_list(parse_json(known[0])) if known is not None else []
        return [sign_json(value, mine.server_name, mine.key) for value in published]

    async def _find(self, server: str, key_id: str, ts: int) -> ServerKey | None:
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
            await self._ask(server)
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
            # Somebody who has asked may have learned more while we were reading.
            known = self._known.setdefault(server, await keys_of(self._database, server))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

    def _is_due(self, whom: str, server: str) -> bool:
        """Nobody is asked for the same keys again and again, however many events name them."""
        now = self._clock.now_ms()
        if self._asked.get((whom, server), 0) + _PAUSE_MS > now:
            return False
        if len(self._asked) > _KEPT:
            self._asked.clear()
        self._asked[whom, server] = now
        return True

    async def _ask(self, server: str) -> None:
        if not self._is_due(server, server):
            return
        try:
            value = await self._servers.get(
                server, "/_matrix/key/v2/server", limit=_BYTES, timeout_s=_SECONDS, signed=False
            )
            await self._learn(server, value)
        except Refused as refused:
            logger.info("keys were not got from their server: %s", refused)
            # Who wants to join and tries once more shall not hear the same for a minute.
            self._asked[server, server] = self._clock.now_ms() - _PAUSE_MS + _SILENT_PAUSE_MS
            await self._ask_notaries(server)

    async def _ask_notaries(self, server: str) -> None:
        for notary in self._notaries:
            for value in await self._vouched_by(notary, server):
                try:
                    await self._learn(server, value)
                except Refused:
                    continue
                return

    async def _from_hearsay(self, server: str, key_id: str, helpers: Sequence[str]) -> ServerKey | None:
        for helper in helpers:
            async with self._asking.hold((helper, server)):
                told = self._hearsay.get((helper, server), {})
                if not told and self._is_due(helper, server):
                    told = await self._listen_to(helper, server)
            if key_id in told:
                return told[key_id]
        return None

    async def _listen_to(self, helper: str, server: str) -> dict[str, ServerKey]:
        told: dict[str, ServerKey] = {}
        for value in await self._vouched_by(helper, server):
            try:
                told |= {key.key_id: key for key in read_published(value, server, self._clock.now_ms())}
            except Refused:
                continue
        self._hearsay[helper, server] = told
        if len(self._hearsay) > _KEPT:
            self._hearsay.popitem(last=False)
        return told

    async def _vouched_by(self, notary: str, server: str) -> list[Any]:
        """What a notary hands on of a server's keys, where it has signed it; nothing where it does not answer."""
        if notary in (server, self._identity.server_name):
            return []
        path = path_of("/_matrix/key/v2/query", server)
        try:
            answer = await self._servers.get(notary, path, limit=_BYTES, timeout_s=_SECONDS, signed=False)
        except Refused:
            return []
        told = answer.get("server_keys") if isinstance(answer, dict) else None
        return [value for value in told[:_MOST_VOUCHED] if await self._has_signed(notary, value)] if isinstance(
            told, list) else []

    async def _has_signed(self, notary: str, value: Any) -> bool:
        """A notary signs what it hands on, so that it can be held to it."""
        signatures = value.get("signatures") if isinstance(value, dict) else None
        signed = signatures.get(notary) if isinstance(signatures, dict) else None
        for key_id in list(signed)[:_MOST_VOUCHED] if isinstance(signed, dict) else ():
            key = await self.for_request(notary, key_id)
            if key is not None and signature_is_valid(value, notary, key_id, key):
                return True
        return False

    async def _learn(self, server: str, value: Any) -> None:
        """Keep what a server has published. What is known and still holds is not lost by it."""
        now = self._clock.now_ms()
        fresh = read_published(value, server, now)
        known = await published_of(self._database, server)
        named = {key.key_id for key in fresh}
        before = [
            item for item in _as_list(parse_json(known[0]))
            if item["valid_until_ts"] > now and not item["verify_keys"].keys() <= named
        ] if known is not None else []
        try:
            published = canonical_json([value, *before[:_MOST_VOUCHED]])
        except TypeError:
            raise PeerFailed("The keys are no canonical JSON") from None
        await save_keys(self._database, fresh, published)
        self._known[server] = {**await self._stored(server), **{key.key_id: key for key in fresh}}


def _as_list(published: Any) -> list[Json]:
    return published if isinstance(published, list) else [published]
