"""Devices and their access tokens (spec, "Client Authentication" and "Device Management").

A token is kept on disk as its SHA-256 only; the tokens in use are in memory, so that a request costs no SQL.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from server.accounts.consents import Consents
from server.accounts.device_lists import DeviceLists
from server.accounts.sessions_store import (
    Caller,
    Device,
    StoredToken,
    add_session,
    devices_of,
    drop_device,
    find_device,
    find_token,
    rename_device,
    settle,
)
from server.accounts.tokens import Lifetimes, NewSession, hash_of, new_tokens, soft_logout, unknown_token
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Database, Writes

__all__ = ["Caller", "Device", "Sessions"]

MAX_DEVICE_ID_BYTES: Final = 255
MAX_NAME_CHARACTERS: Final = 100
_KEPT_TOKENS: Final = 20_000

# Adds what must go with a device to the rows of its removal: ``(user_id, device_id, writes)``.
DropWithDevice = Callable[[str, str, Writes], None]


class Sessions:
    """Who is logged in, where. ``device_lists`` hears of devices that went or changed their name."""

    def __init__(
        self, database: Database, clock: Clock, device_lists: DeviceLists, consents: Consents, lifetimes: Lifetimes
    ) -> None:
        self._database = database
        self._clock = clock
        self._device_lists = device_lists
        self._consents = consents
        self._lifetimes = lifetimes
        self._callers: OrderedDict[str, Caller] = OrderedDict()
        self._tokens: dict[tuple[str, str], set[str]] = {}
        self._removals = 0
        self._naming = KeyedLocks()
        self._dropped_with: list[DropWithDevice] = []

    def when_dropped(self, drop: DropWithDevice) -> None:
        """Let ``drop`` add rows wherever a device is removed (keys, inbox, pushers …)."""
        self._dropped_with.append(drop)

    def known(self, token: str) -> Caller | None:
        """The caller of a token that is in memory."""
        caller = self._callers.get(token)
        if caller is not None and caller.expires_ts is not None and caller.expires_ts <= self._clock.now_ms():
            return None
        return caller

    async def find(self, token: str) -> Caller:
        """The caller of a token; raises ``UnknownToken``, with ``soft_logout`` where it has only come to its end."""
        hashed = hash_of(token)
        while True:
            removals = self._removals
            found = await find_token(self._database, hashed)
            if found is None:
                raise await unknown_token(self._database, self._clock, "This access token is not known any more")
            stored, caller = found
            if stored.expires_ts is not None and stored.expires_ts <= self._clock.now_ms():
                raise soft_logout("This access token has come to its end")
            if not caller.is_guest and await self._consents.owes(caller.user_id):
                caller = replace(caller, owes_consent=True)
            if stored.is_fresh:
                await self._settle(stored)
            elif removals == self._removals:
                return self._remember(token, caller)
            # Something was logged out while we were reading; it may have been this token.

    async def create(
        self,
        user_id: str,
        device_id: str | None = None,
        display_name: str | None = None,
        *,
        is_guest: bool = False,
        is_admin: bool = False,
        renewable: bool = False,
    ) -> NewSession:
        """Log in. A device that is named again keeps its keys, not its tokens."""
        caller = Caller(user_id, device_id or new_device_id(), is_guest, is_admin)
        if device_id is None:
            return await self._log_in(caller, display_name, renewable)
        async with self._naming.hold((user_id, device_id)):
            # Two at once with one device id would each remove the other's token from the same commit.
            return await self._log_in(caller, display_name, renewable)

    async def _log_in(self, caller: Caller, display_name: str | None, renewable: bool) -> NewSession:
        if len(caller.device_id.encode()) > MAX_DEVICE_ID_BYTES:
            raise InvalidParam(f"A device id has at most {MAX_DEVICE_ID_BYTES} bytes")
        now = self._clock.now_ms()
        device = Device(caller.user_id, caller.device_id, _checked_name(display_name), now)
        session, token, refresh = new_tokens((caller.user_id, caller.device_id), now, self._lifetimes, renewable)
        writes = Writes()
        add_session(writes, device, token, refresh)
        # Read at its first use, with all that is to be known about its owner.
        writes.after_commit.append(lambda: self._forget(caller.user_id, [caller.device_id]))
        await asyncio.shield(self._database.submit(writes))
        return session

    async def rename(self, user_id: str, device_id: str, name: str | None) -> None:
        """Give a device a display name; raises ``NotFound``."""
        await self.device(user_id, device_id)
        writes = Writes()
        rename_device(writes, user_id, device_id, _checked_name(name))
        self._device_lists.enter(writes, [user_id])
        await asyncio.shield(self._database.submit(writes))

    async def drop(self, user_id: str, device_ids: Iterable[str]) -> None:
        """Log devices out for good, with all that belongs to them."""
        gone = list(device_ids)
        if not gone:
            return
        writes = Writes()
        for device_id in gone:
            drop_device(writes, user_id, device_id)
            for drop in self._dropped_with:
                drop(user_id, device_id, writes)
        writes.after_commit.append(lambda: self._forget(user_id, gone))
        self._device_lists.enter(writes, [user_id])
        await asyncio.shield(self._database.submit(writes))

    async def drop_all(self, user_id: str, *, but: str | None = None) -> None:
        """Log a user out everywhere, or everywhere but on the device ``but``."""
        devices = await self.devices(user_id)
        await self.drop(user_id, [device.device_id for device in devices if device.device_id != but])

    async def devices(self, user_id: str) -> list[Device]:
        """All devices of a user."""
        return await devices_of(self._database, [user_id])

    async def device(self, user_id: str, device_id: str) -> Device:
        """One device; raises ``NotFound``."""
        found = await find_device(self._database, user_id, device_id)
        if found is None:
            raise NotFound("You have no such device")
        return found

    def change_callers(self, user_id: str, change: Callable[[Caller], Caller]) -> None:
        """Let ``change`` replace what is in memory of a user, and let it be read anew where it is being read now."""
        self._removals += 1
        for token, caller in self._callers.items():
            if caller.user_id == user_id:
                self._callers[token] = change(caller)

    def forget_tokens(self, user_id: str, device_id: str) -> None:
        """Read the tokens of a device anew at their next use."""
        self._forget(user_id, [device_id])

    async def _settle(self, token: StoredToken) -> None:
        """An access token of a renewal is used for the first time: what it was given for ends."""
        device = (token.user_id, token.device_id)
        async with self._database.write() as tx:
            await settle(tx, device, token.hash, token.refresh_hash)
            tx.after_commit.append(lambda: self.forget_tokens(*device))

    def _remember(self, token: str, caller: Caller) -> Caller:
        self._callers[token] = caller
        self._tokens.setdefault((caller.user_id, caller.device_id), set()).add(token)
        if len(self._callers) > _KEPT_TOKENS:
            oldest, owner = self._callers.popitem(last=False)
            self._discard(oldest, owner)
        return caller

    def _forget(self, user_id: str, device_ids: Iterable[str]) -> None:
        self._removals += 1
        for device_id in device_ids:
            for token in self._tokens.pop((user_id, device_id), ()):
                self._callers.pop(token, None)

    def _discard(self, token: str, caller: Caller) -> None:
        key = (caller.user_id, caller.device_id)
        tokens = self._tokens.get(key)
        if tokens is not None:
            tokens.discard(token)
            if not tokens:
                del self._tokens[key]


def new_device_id() -> str:
    """Ten random capital letters, as users see them in lists of devices."""
    return random_letters(10).upper()


def _checked_name(name: str | None) -> str | None:
    if name is not None and len(name) > MAX_NAME_CHARACTERS:
        raise InvalidParam(f"A device name has at most {MAX_NAME_CHARACTERS} characters")
    return name
