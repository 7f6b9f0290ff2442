"""Keys of other servers' users for our clients: from the lists that are kept, or from their servers at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from federation.identity.servers import PeerRefused, Servers
from federation.outbound.delivery import Delivery
from federation.outbound.far_devices import FarDevices
from federation.outbound.far_devices_store import far_lists
from federation.outbound.far_keys_format import FarUser, read_claim, read_query
from server.accounts.cross_signing import MASTER, SELF_SIGNING, CrossSigning
from server.foundation.errors import Refused
from server.foundation.ids import server_name_of
from server.storage.database import Database

Json = dict[str, Any]
T = TypeVar("T")

_QUERY: Final = "/_matrix/federation/v1/user/keys/query"
_CLAIM: Final = "/_matrix/federation/v1/user/keys/claim"
# Lists that are fetched one by one for one question; the rest is asked for together and not kept.
_MOST_FETCHED: Final = 20
# Whoever did not answer for so long is not waited for again and again.
_GIVEN_UP_MS: Final = 60_000
_SERVERS_AT_ONCE: Final = 20
_PARTS: Final = ("device_keys", "master_keys", "self_signing_keys")


class FarKeys:
    """Implements ``server.http.far_keys.FarKeys``."""

    def __init__(
        self, database: Database, servers: Servers, devices: FarDevices, cross_signing: CrossSigning, delivery: Delivery
    ) -> None:
        self._database = database
        self._servers = servers
        self._devices = devices
        self._cross_signing = cross_signing
        self._delivery = delivery

    async def query_keys(self, reader: str, wanted: Mapping[str, Sequence[str]], timeout_s: float) -> Json:
        """Devices and cross-signing keys, and which servers did not answer."""
        near = await self._devices.near(wanted)
        kept = set(await far_lists(self._database, sorted(near)))
        answer: Json = {part: {} for part in _PARTS}
        failures: dict[str, Json] = {}

        async def one(server: str, users: Mapping[str, Sequence[str]]) -> None:
            patience = self._patience(server, timeout_s)
            listed = [user_id for user_id in users if user_id in kept]
            listed += [user_id for user_id in users if user_id in near and user_id not in kept][:_MOST_FETCHED]
            faults = await self._devices.bring_up_to_date(listed, patience)
            _merge(answer, await self._cross_signing.query(reader, {
                user_id: users[user_id] for user_id in listed if user_id not in faults
            }))
            for fault in faults.values():
                failures[server] = _failure(fault)
            if not faults or all(isinstance(fault, PeerRefused) for fault in faults.values()):
                rest = {user_id: users[user_id] for user_id in users if user_id not in listed or user_id in faults}
                await self._query_at_once(server, rest, patience, answer, failures)

        await _each(_by_server(wanted), one)
        return {**answer, "failures": failures}

    async def _query_at_once(
        self, server: str, users: Mapping[str, Sequence[str]], patience: float, answer: Json, failures: Json
    ) -> None:
        """Ask for keys that are not kept."""
        if not users:
            return
        asked = {"device_keys": {user_id: list(devices) for user_id, devices in users.items()}}
        try:
            found = await self._servers.ask(server, "POST", _QUERY, content=asked, timeout_s=patience)
            _merge(answer, _as_answer(read_query(found, users), users))
            failures.pop(server, None)
        except Refused as refused:
            failures[server] = _failure(refused)

    async def claim_keys(self, wanted: Mapping[str, Mapping[str, str]], timeout_s: float) -> Json:
        """One-time keys, and which servers did not answer."""
        keys: Json = {}
        failures: dict[str, Json] = {}

        async def one(server: str, users: Mapping[str, Mapping[str, str]]) -> None:
            patience = self._patience(server, timeout_s)
            try:
                found = await self._servers.ask(
                    server, "POST", _CLAIM, content={"one_time_keys": users}, timeout_s=patience
                )
                keys.update(read_claim(found, users))
            except Refused as refused:
                failures[server] = _failure(refused)

        await _each(_by_server(wanted), one)
        return {"one_time_keys": keys, "failures": failures}

    def _patience(self, server: str, timeout_s: float) -> float:
        pause = self._delivery.pause_of(server)
        return timeout_s if pause is None or pause.pause_ms < _GIVEN_UP_MS else min(timeout_s, 2.0)


async def _each(by_server: Mapping[str, T], ask: Callable[[str, T], Awaitable[None]]) -> None:
    """Ask all servers beside each other, not too many at once."""
    turns = asyncio.Semaphore(_SERVERS_AT_ONCE)

    async def one(server: str, users: T) -> None:
        async with turns:
            await ask(server, users)

    await asyncio.gather(*(one(server, users) for server, users in by_server.items()))


def _failure(fault: Refused) -> Json:
    return {"errcode": fault.code, "error": fault.reason}


def _by_server(wanted: Mapping[str, T]) -> dict[str, dict[str, T]]:
    found: dict[str, dict[str, T]] = {}
    for user_id, of_user in wanted.items():
        found.setdefault(server_name_of(user_id), {})[user_id] = of_user
    return found


def _as_answer(found: Mapping[str, FarUser], wanted: Mapping[str, Sequence[str]]) -> Json:
    answer: Json = {part: {} for part in _PARTS}
    for user_id, user in found.items():
        answer["device_keys"][user_id] = {
            device_id: keys for device_id, keys in user.devices.items()
            if not wanted[user_id] or device_id in wanted[user_id]
        }
        for usage in (MASTER, SELF_SIGNING):
            if usage in user.cross_signing:
                answer[f"{usage}_keys"][user_id] = user.cross_signing[usage]
    return answer


def _merge(answer: Json, found: Json) -> None:
    for part in _PARTS:
        answer.setdefault(part, {}).update(found.get(part, {}))
