"""Where a server is to be found (spec: "Resolving server names").

Literal addresses and explicit ports as they are; else ``.well-known``, then SRV, then port 8448. Answers are kept for
as long as they say, within limits. Which networks may be reached is not decided here but at the socket.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from ssl import SSLContext
from typing import Final, Protocol

from server.foundation.canonical_json import parse_json
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.ids import is_server_name
from server.foundation.outgoing import Outgoing, Unreachable

PORT: Final = 8448
_KEPT: Final = 2_000
_HOUR_MS: Final = 3_600_000
_DEFAULT_MS: Final = 24 * _HOUR_MS
_MOST_MS: Final = 48 * _HOUR_MS
_LEAST_MS: Final = 60_000
_FAILED_MS: Final = _HOUR_MS
_WELL_KNOWN_BYTES: Final = 50 * 1024
_MAX_AGE: Final = re.compile(r"max-age\s*=\s*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect; what the certificate must be for, and what the request calls the server."""

    host: str
    port: int
    certificate_name: str
    host_header: str

    @property
    def url(self) -> str:
        """The beginning of all addresses there."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class Services(Protocol):
    """The SRV records of the domain name system."""

    async def find(self, name: str) -> list[tuple[str, int]]:
        """``(host, port)`` by priority and weight; empty where there is none."""


class Discovery:
    """Finds servers."""

    def __init__(
        self, outgoing: Outgoing, services: Services, clock: Clock, certificates: SSLContext | bool = True
    ) -> None:
        self._outgoing = outgoing
        self._services = services
        self._clock = clock
        self._certificates = certificates
        self._delegated: OrderedDict[str, tuple[str, int]] = OrderedDict()

    async def find(self, server: str) -> list[Place]:
        """Where to try, the best first; nowhere if it is no name of a server."""
        if not is_server_name(server):
            return []
        host, port = split_name(server)
        if _is_address(host):
            return [Place(host, port or PORT, host, server)]
        if port is not None:
            return [Place(host, port, host, server)]
        delegated = await self._well_known(server)
        if not delegated:
            return await self._by_service(server)
        host, port = split_name(delegated)
        if _is_address(host) or port is not None:
            return [Place(host, port or PORT, host, delegated)]
        return await self._by_service(delegated)

    async def _by_service(self, name: str) -> list[Place]:
        for service in (f"_matrix-fed._tcp.{name}", f"_matrix._tcp.{name}"):
            found = await self._services.find(service)
            if found:
                return [Place(host, port, name, name) for host, port in found]
        return [Place(name, PORT, name, name)]

    async def _well_known(self, server: str) -> str:
        """The name that ``server`` delegates to, or nothing."""
        now = self._clock.now_ms()
        known = self._delegated.get(server)
        if known is not None and known[1] > now:
            return known[0]
        name, keep_ms = await self._ask_well_known(server)
        self._delegated[server] = (name, now + keep_ms)
        self._delegated.move_to_end(server)
        if len(self._delegated) > _KEPT:
            self._delegated.popitem(last=False)
        return name

    async def _ask_well_known(self, server: str) -> tuple[str, int]:
        url = f"https://{server}/.well-known/matrix/server"
        try:
            answer = await self._outgoing.fetch(
                "GET", url, limit=_WELL_KNOWN_BYTES, timeout_s=10, redirects=5, ssl=self._certificates
            )
            value = parse_json(answer.body) if answer.status == 200 else None
        except (Unreachable, Refused):
            value = None
        name = value.get("m.server") if isinstance(value, dict) else None
        if not isinstance(name, str) or not is_server_name(name):
            return "", _FAILED_MS
        said = _MAX_AGE.search(answer.headers.get("Cache-Control", ""))
        keep_ms = int(said[1]) * 1000 if said is not None else _DEFAULT_MS
        return name, max(_LEAST_MS, min(keep_ms, _MOST_MS))


def split_name(server: str) -> tuple[str, int | None]:
    """Host (without brackets) and port of a server name."""
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else None
    host, _, port = server.partition(":")
    return host, int(port) if port else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
