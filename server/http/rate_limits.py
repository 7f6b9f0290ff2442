"""Token buckets in memory: who asks too often waits (spec, "Rate limiting").

A bucket holds ``burst`` tokens and is filled again at ``per_second``. Buckets that are full are forgotten, and at
most ``_MOST_KEYS`` are kept, so that many addresses cannot fill the memory.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded
from server.foundation.settings import IpNetwork

_MOST_KEYS: Final = 20_000
_SLACK: Final = 1e-9


class Limiter:
    """One limit, counted separately for each key (a user, an address)."""

    __slots__ = ("_burst", "_clock", "_full_at", "_per_second")

    def __init__(self, clock: Clock, per_second: float, burst: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        # The moment when the key's bucket is full again. It says all: how many tokens are left now.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> None:
        """Use one token of ``key``; raises ``LimitExceeded`` where there is none."""
        self.check(key)
        if self._burst:
            now = self._clock.monotonic()
            self._full_at[key] = max(self._full_at.get(key, now), now) + 1 / self._per_second
            if len(self._full_at) > _MOST_KEYS:
                self._full_at.popitem(last=False)

    def check(self, key: str) -> None:
        """Raise ``LimitExceeded`` where ``key`` has no token left; use none."""
        full_at = self._full_at.get(key)
        if full_at is None:
            return
        missing = (full_at - self._clock.monotonic()) * self._per_second
        if missing <= 0:
            del self._full_at[key]
        elif missing > self._burst - 1 + _SLACK:
            wait = (missing - self._burst + 1) / self._per_second
            raise LimitExceeded("Too many requests; please wait a little", max(1, int(wait * 1000)))


class RateLimits:
    """All limits of a node, and how to learn a request's real address."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        limits = settings.limits
        on = 1 if limits.enabled else 0
        self._proxies = settings.http.trusted_proxies
        self.requests = Limiter(clock, limits.requests_per_second, limits.request_burst * on)
        self.messages = Limiter(clock, limits.messages_per_second, limits.message_burst * on)
        self.registrations = Limiter(
            clock, limits.registrations_per_minute / 60, limits.registrations_per_minute * on
        )
        # Wrong passwords and codes: ``check`` before, ``take`` after a failure.
        self.attempts = Limiter(
            clock, limits.login_attempts_per_minute / 60, limits.login_attempts_per_minute * on
        )

    def address(self, request: web.Request) -> str:
        """The caller's address: of the connection, or what our own reverse proxy says it is."""
        peer = request.remote or ""
        if not self._proxies or not _is_one_of(peer, self._proxies):
            return peer
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            if hop.strip() and not _is_one_of(hop.strip(), self._proxies):
                return hop.strip()
        return peer


def _is_one_of(text: str, networks: Sequence[IpNetwork]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)
