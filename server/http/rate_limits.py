"""All limits of a node: who asks too often waits (spec, "Rate limiting")."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.settings import IpNetwork
from server.http.limiter import Limiter
from server.http.login_attempts import LoginAttempts


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
        self.logins = LoginAttempts(clock, limits.login_attempts_per_minute * on)
        # Wrong registration tokens of an address: ``check`` before, ``take`` after a failure.
        self.attempts = Limiter(
            clock, limits.login_attempts_per_minute / 60, limits.login_attempts_per_minute * on
        )
        # Logins of further devices that somebody asks for (spec: at most one in a minute is encouraged).
        self.login_tokens = Limiter(clock, 1 / 60, 3 * on)

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
