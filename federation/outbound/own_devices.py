"""What other servers are told of our users' devices and cross-signing keys.

Each change of a list has a number, and names the one before it, so that whoever has missed one knows it and asks for
the whole. What to tell is found by comparing what there is with what was told last: nothing is lost, whoever has
changed it, and nothing is told twice. Names of devices are a matter between people and their own server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from server.accounts.accounts import Accounts
from server.accounts.cross_signing import MASTER, SELF_SIGNING
from server.accounts.device_lists_told_store import Told, read_told, set_told, untold_users
from server.foundation.canonical_json import canonical_json
from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.foundation.ids import server_name_of
from server.foundation.keyed_locks import KeyedLocks
from server.outbox.outbox import Outbox
from server.rooms.membership_store import users_who_share_rooms
from server.storage.database import Database, Writes

Json = dict[str, Any]

# In digests, the cross-signing keys; no device is called so.
_CROSS_SIGNING: Final = ""
# The name of a device that is gone where nobody knows which one it was.
_SOME_DEVICE: Final = "GONE"


class OwnDevices:
    """Our users' devices, as other servers see them."""

    def __init__(self, database: Database, accounts: Accounts, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._outbox = outbox
        self._clock = clock
        self._one_at_a_time = KeyedLocks()

    async def list_of(self, user_id: str) -> Json:
        """The answer of ``GET user/devices``; raises ``NotFound``."""
        if not self._accounts.users.is_ours(user_id) or not await self._accounts.user_exists(user_id):
            raise NotFound("There is no such user here")
        async with self._one_at_a_time.hold(user_id):
            told = await self._tell(user_id)
            if told is None:
                # From now on others know something: what changes must reach them, even if we fall over.
                told = Told(self._clock.now_ms(), self._accounts.device_lists.latest(user_id), {})
                await self._keep(user_id, told, {}, Writes())
            shown = await self._shown(user_id)
        keys = shown.pop(_CROSS_SIGNING)
        return {
            "user_id": user_id, "stream_id": told.stream_id, **keys,
            "devices": [{"device_id": device_id, "keys": keys} for device_id, keys in shown.items()],
        }

    async def query(self, wanted: Mapping[str, list[str]]) -> Json:
        """The answer of ``POST user/keys/query``; users of other servers are left out."""
        ours = {user_id: names for user_id, names in wanted.items() if self._accounts.users.is_ours(user_id)}
        answer = await self._accounts.cross_signing.query("", ours)
        for devices in answer["device_keys"].values():
            for keys in devices.values():
                keys.pop("unsigned", None)
        return {name: answer[name] for name in ("device_keys", "master_keys", "self_signing_keys")}

    async def tell(self, user_ids: Iterable[str]) -> None:
        """The devices or keys of these users of ours have changed."""
        for user_id in sorted(user_ids):
            if self._accounts.users.is_ours(user_id):
                async with self._one_at_a_time.hold(user_id):
                    await self._tell(user_id, is_news=True)

    async def tell_what_was_missed(self) -> None:
        """The node fell over between a change and telling of it."""
        await self.tell(await untold_users(self._database))

    async def _tell(self, user_id: str, *, is_news: bool = False) -> Told | None:
        """Put into the outbox what others do not know yet; answers what they know then."""
        told = await read_told(self._database, user_id)
        if told is None and not is_news:
            return None
        change = self._accounts.device_lists.latest(user_id)
        if told is not None and change <= told.change_stream:
            return told
        shown = await self._shown(user_id)
        digests = {name: _digest(keys) for name, keys in shown.items()}
        before = told.digests if told is not None else {}
        destinations = await self._destinations(user_id)
        if digests == before or not destinations:
            return told
        writes = Writes()
        number = told.stream_id if told is not None else 0
        previous = [number] if before else []  # whoever has fetched the list before our first word fetches it again
        for name in _changed(before, digests):
            number = max(number + 1, self._clock.now_ms())
            told_of = _device_edu(user_id, name, shown.get(name), number, previous)
            self._outbox.add_message(writes, destinations, told_of)
            previous = [number]
        if before.get(_CROSS_SIGNING) != digests[_CROSS_SIGNING] and shown[_CROSS_SIGNING]:
            self._outbox.add_message(writes, destinations, _edu(
                "m.signing_key_update", {"user_id": user_id, **shown[_CROSS_SIGNING]}
            ))
        return await self._keep(user_id, Told(number, change, digests), before, writes)

    async def _keep(self, user_id: str, told: Told, before: Mapping[str, str], writes: Writes) -> Told:
        set_told(writes, user_id, told, before)
        await self._database.submit(writes)
        return told

    async def _shown(self, user_id: str) -> dict[str, Json]:
        """What others may see: keys by device id, and under the empty one the cross-signing keys."""
        found = await self.query({user_id: []})
        keys = {
            f"{usage}_key": found[f"{usage}_keys"][user_id] for usage in (MASTER, SELF_SIGNING)
            if user_id in found[f"{usage}_keys"]
        }
        return {_CROSS_SIGNING: keys, **found["device_keys"].get(user_id, {})}

    async def _destinations(self, user_id: str) -> set[str]:
        near = await users_who_share_rooms(self._database, [user_id])
        return {server_name_of(other) for other in near} - {self._accounts.server_name}


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The devices to tell of; where nobody knows what was told, all of them, and at least one."""
    if not before:
        return sorted(now.keys() - {_CROSS_SIGNING}) or [_SOME_DEVICE]
    names = before.keys() | now.keys()
    return sorted(name for name in names - {_CROSS_SIGNING} if before.get(name) != now.get(name))


def _device_edu(user_id: str, device_id: str, keys: Json | None, number: int, previous: list[int]) -> bytes:
    content = {"user_id": user_id, "device_id": device_id, "stream_id": number, "prev_id": previous}
    return _edu("m.device_list_update", {**content, "deleted": True} if keys is None else {**content, "keys": keys})


def _edu(kind: str, content: Json) -> bytes:
    return canonical_json({"edu_type": kind, "content": content})


def _digest(keys: Json) -> str:
    return hashlib.sha256(orjson.dumps(keys, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
