"""Lists of devices of other servers' users (spec: "Tracking the device list for a user").

Of users with whom one of us shares a room the list is kept, and their server tells what changes. Where something it
told is missing, and where somebody came back, the list is outdated; it is fetched anew, at once and when it is asked
for. Where the server does not answer, what is known stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from federation.identity.servers import Servers, path_of
from federation.outbound.far_devices_store import (
    FarList,
    all_far_lists,
    drop_far_lists,
    far_lists,
    read_far_keys,
    replace_far_cross_signing,
    replace_far_devices,
    set_far_list,
    set_stale,
)
from federation.outbound.far_keys_format import MOST_DEVICES, FarUser, cross_signing_in, read_devices
from federation.outbound.near_store import near_to_us
from server.accounts.cross_signing import MASTER, SELF_SIGNING
from server.accounts.cross_signing_store import drop_signatures_by
from server.accounts.device_lists import DeviceLists
from server.accounts.key_formats import public_part, without_signatures
from server.foundation.errors import BadRequest, Refused
from server.foundation.ids import server_name_of
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.tasks import Tasks
from server.rooms.ports import PeerFailed
from server.storage.database import Database, Transaction

logger = logging.getLogger(__name__)

Json = dict[str, Any]

# At one server.
_AT_ONCE: Final = 4
# The rest is found again by ``look_after``.
_MOST_BEHIND: Final = 1_000


class DeviceUpdate(NamedTuple):
    """One ``m.device_list_update``. Without ``keys`` the device has none any more, or is gone."""

    user_id: str
    device_id: str
    stream_id: int
    prev_ids: tuple[int, ...]
    keys: Json | None


class FarDevices:
    """All lists that are kept of other servers' users."""

    def __init__(
        self, database: Database, servers: Servers, device_lists: DeviceLists, tasks: Tasks, server_name: str
    ) -> None:
        self._database = database
        self._servers = servers
        self._device_lists = device_lists
        self._tasks = tasks
        self._server_name = server_name
        self._one_at_a_time = KeyedLocks()
        self._turns = KeyedLocks()
        self._being_fetched: set[str] = set()
        # Who has gone, and from which room.
        self._gone: deque[tuple[frozenset[str], str]] = deque()
        self._forgetting = asyncio.Lock()

    async def look_after(self) -> None:
        """Forget the lists of those who have gone, fetch those that are outdated. To be called now and then."""
        kept = await all_far_lists(self._database)
        await self.forget_strangers([item.user_id for item in kept])
        for item in kept:
            if item.is_stale:
                self._fetch_soon(item.user_id)

    async def forget_strangers(self, user_ids: Iterable[str], left: str = "") -> None:
        """Forget the lists of those who share no room with any of us any more: nobody tells us of their changes.

        ``left`` is a room that they have left: also who is back there by now was away, and may have changed.
        """
        wanted = list(user_ids)
        kept = await far_lists(self._database, wanted)
        gone = sorted(set(kept) - await near_to_us(self._database, list(kept), self._server_name, left))
        if gone:
            async with self._database.write() as tx:
                await drop_far_lists(tx, gone)

    def went(self, user_ids: Iterable[str], left: str = "") -> None:
        """They are away from a room with us; see ``forget_strangers``. Who asks for keys waits until that is done."""
        self._gone.append((frozenset(user_ids), left))
        self._tasks.start("devices of strangers", self._forget_gone())

    async def _forget_gone(self) -> None:
        async with self._forgetting:
            while self._gone:
                await self.forget_strangers(*self._gone.popleft())

    async def near(self, user_ids: Iterable[str]) -> set[str]:
        """Those of ``user_ids`` with whom one of us shares a room."""
        if self._gone or self._forgetting.locked():
            await self._forget_gone()
        return await near_to_us(self._database, list(user_ids), self._server_name)

    async def take(self, update: DeviceUpdate) -> None:
        """Their server tells of a change."""
        async with self._one_at_a_time.hold(update.user_id):
            known = (await far_lists(self._database, [update.user_id])).get(update.user_id)
            if known is not None and update.prev_ids and update.stream_id <= known.stream_id:
                return
            is_next = known is not None and not known.is_stale and known.stream_id in update.prev_ids
            async with self._database.write() as tx:
                if is_next:
                    await self._enter_update(tx, update)
                else:
                    await set_stale(tx, update.user_id)
                await self._device_lists.enter_now(tx, [update.user_id])
        if not is_next:
            self._fetch_soon(update.user_id)

    async def take_cross_signing(self, user_id: str, master: object, self_signing: object) -> None:
        """Their server tells of new cross-signing keys; raises ``BadRequest`` where they are none."""
        async with self._one_at_a_time.hold(user_id), self._database.write() as tx:
            _, old = await read_far_keys(tx, user_id)
            new = cross_signing_in(user_id, master or old.get(MASTER), self_signing or old.get(SELF_SIGNING))
            if not new:
                raise BadRequest("These are no cross-signing keys")
            if user_id in await far_lists(self._database, [user_id]):
                await self._enter_cross_signing(tx, user_id, old, new)
            await self._device_lists.enter_now(tx, [user_id])

    async def bring_up_to_date(self, user_ids: Iterable[str], timeout_s: float) -> dict[str, Refused]:
        """Fetch what is missing or outdated of users near to us; answers whose list is not to be had, and why.

        An outdated list is better than none: where its server does not answer, it stays, and that is no failure.
        """
        wanted = sorted(user_ids)
        kept = await far_lists(self._database, wanted)
        missing = [user_id for user_id in wanted if user_id not in kept or kept[user_id].is_stale]
        faults = await asyncio.gather(*(self._try_to_fetch(user_id, timeout_s) for user_id in missing))
        return {
            user_id: fault for user_id, fault in zip(missing, faults, strict=True)
            if fault is not None and user_id not in kept
        }

    async def _try_to_fetch(self, user_id: str, timeout_s: float | None) -> Refused | None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._fetch(user_id)
        except TimeoutError:
            return PeerFailed("The other server is slow")
        except Refused as refused:
            return refused
        return None

    def _fetch_soon(self, user_id: str) -> None:
        if user_id not in self._being_fetched and len(self._being_fetched) < _MOST_BEHIND:
            self._being_fetched.add(user_id)
            self._tasks.start("devices of others", self._fetch_behind(user_id))

    async def _fetch_behind(self, user_id: str) -> None:
        try:
            fault = await self._try_to_fetch(user_id, None)
            if fault is not None:
                logger.info("a device list of %s cannot be fetched now: %s", server_name_of(user_id), fault)
        finally:
            self._being_fetched.discard(user_id)

    async def _fetch(self, user_id: str) -> None:
        """Fetch a list that is missing or outdated; raises ``Refused``."""
        turn = (server_name_of(user_id), hash(user_id) % _AT_ONCE)
        async with self._one_at_a_time.hold(user_id), self._turns.hold(turn):
            known = (await far_lists(self._database, [user_id])).get(user_id)
            if known is not None and not known.is_stale:
                return  # somebody else has done it while we waited
            path = path_of("/_matrix/federation/v1/user/devices", user_id)
            found = read_devices(await self._servers.get(server_name_of(user_id), path), user_id)
            async with self._database.write() as tx:
                await self._enter_list(tx, user_id, found)
                if known is not None:
                    await self._device_lists.enter_now(tx, [user_id])

    async def _enter_list(self, tx: Transaction, user_id: str, found: FarUser) -> None:
        _, keys = await read_far_keys(tx, user_id)
        await set_far_list(tx, FarList(user_id, found.stream_id, is_stale=False))
        await replace_far_devices(tx, user_id, found.devices)
        await self._enter_cross_signing(tx, user_id, keys, found.cross_signing)

    async def _enter_update(self, tx: Transaction, update: DeviceUpdate) -> None:
        devices, _ = await read_far_keys(tx, update.user_id)
        devices.pop(update.device_id, None)
        if update.keys is not None and len(devices) < MOST_DEVICES:
            devices[update.device_id] = update.keys
        await replace_far_devices(tx, update.user_id, devices)
        await set_far_list(tx, FarList(update.user_id, update.stream_id, is_stale=False))

    async def _enter_cross_signing(
        self, tx: Transaction, user_id: str, old: dict[str, Json], new: dict[str, Json]
    ) -> None:
        replaced = [
            public_part(key, usage)[0] for usage, key in old.items()
            if without_signatures(key) != without_signatures(new.get(usage))
        ]
        if replaced:
            await drop_signatures_by(tx, user_id, replaced)
        await replace_far_cross_signing(tx, user_id, new)
