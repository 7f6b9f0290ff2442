"""HTTP Basic with an app password (RFC 7617). Wrong ones are counted per account and address."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from aiohttp import web

from server.caldav.settings import CaldavSettings
from server.calendars.app_passwords import AppPasswords
from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded, Refused

_KEPT = 10_000

AddressOf = Callable[[web.Request], str]
"""Where a request comes from, behind proxies that are trusted."""

RequireStanding = Callable[[str, bool], Awaitable[None]]
"""Raises ``Refused`` where a user may not come in now, or, with ``True``, may not write."""


def peer_address(request: web.Request) -> str:
    """Whoever is connected: right where there is no proxy."""
    return request.remote or ""


async def everybody(_user_id: str, _writes: bool) -> None:
    """Nobody is turned away: right where there are no officers."""


class NotLoggedIn(Refused):
    """401: the caller did not say who they are, or not truly."""

    status = 401


class Authentication:
    """Says who calls."""

    def __init__(
        self, app_passwords: AppPasswords, clock: Clock, settings: CaldavSettings, address_of: AddressOf
    ) -> None:
        self._app_passwords = app_passwords
        self._settings = settings
        self._address_of = address_of
        self._failures = Failures(clock, settings.wrong_passwords, settings.forget_after_s)

    async def caller(self, request: web.Request) -> str:
        """The caller's full user id; raises 401, or 429 after too many wrong passwords."""
        name, secret = read_basic(request.headers.get("Authorization", ""))
        source = (name.lower(), self._address_of(request))
        owner = self._app_passwords.owner_if_seen(secret)
        if owner is None:
            # A device that is logged in is not locked out by somebody who guesses; everybody else waits.
            self._failures.require_few(source)
        owner = await self._app_passwords.owner(secret)
        if owner is None or not self._is_name_of(name, owner):
            self._failures.count(source)
            raise NotLoggedIn("The name or the app password is wrong")
        return owner

    def _is_name_of(self, name: str, owner: str) -> bool:
        full = name if name.startswith("@") else f"@{name}:{self._settings.server_name}"
        # Telephones like to begin with a capital.
        return hmac.compare_digest(full.lower().encode(), owner.lower().encode())


class Failures:
    """Counts what went wrong lately; old ones and the least recent sources are forgotten."""

    def __init__(self, clock: Clock, allowed: int, window_s: float) -> None:
        self._clock = clock
        self._allowed = allowed
        self._window_s = window_s
        self._seen: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def require_few(self, source: tuple[str, str]) -> None:
        """Raise ``LimitExceeded`` if ``source`` was wrong too often."""
        recent = self._recent(source)
        if len(recent) >= self._allowed:
            wait = recent[0] + self._window_s - self._clock.monotonic()
            raise LimitExceeded("Too many wrong passwords; wait a little", math.ceil(max(wait, 1.0)) * 1000)

    def count(self, source: tuple[str, str]) -> None:
        """One more."""
        self._seen[source] = [*self._recent(source), self._clock.monotonic()]
        self._seen.move_to_end(source)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def _recent(self, source: tuple[str, str]) -> list[float]:
        oldest = self._clock.monotonic() - self._window_s
        return [moment for moment in self._seen.get(source, ()) if moment > oldest]


def read_basic(header: str) -> tuple[str, str]:
    """Name and password of a Basic header; raises 401."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 1000:
        raise NotLoggedIn("Log in with your name and an app password")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        name = name.replace("%40", "@")
        if name.startswith("@") and ":" in secret:
            # A full user id has a colon of its own; an app password has none.
            server_name, colon, secret = secret.rpartition(":")
            name = f"{name}:{server_name}"
    except (binascii.Error, UnicodeDecodeError):
        raise NotLoggedIn("The login cannot be read") from None
    if not colon or not name or not secret:
        raise NotLoggedIn("Log in with your name and an app password")
    return name, secret
