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
from typing import Final, NamedTuple, Protocol

from server.foundation.canonical_json import parse_json
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.ids import is_server_name
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.outgoing import Fetched, Outgoing, TooMuch, Unreachable

PORT: Final = 8448
_KEPT: Final = 2_000
_HOUR_MS: Final = 3_600_000
_DEFAULT_MS: Final = 24 * _HOUR_MS
_MOST_MS: Final = 48 * _HOUR_MS
_LEAST_MS: Final = 60_000
_FAILED_MS: Final = _HOUR_MS
# What is known stays good for so long where the place that told it is out of order.
_OUT_OF_ORDER_MS: Final = 10 * 60_000
_WELL_KNOWN_BYTES: Final = 50 * 1024
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_KEPT: Final = re.compile(r"(?:^|[\s,])no-(?:cache|store)", re.IGNORECASE)


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


class _Delegation(NamedTuple):
    """The name that a server delegates to, or none: until when that is believed, and when it was said."""

    name: str
    until_ts: int
    said_ts: int


class _OutOfOrder(Exception):
    """The question was not answered; that says nothing of what the answer would be."""


class Discovery:
    """Finds servers."""

    def __init__(
        self, outgoing: Outgoing, services: Services, clock: Clock, certificates: SSLContext | bool = True
    ) -> None:
        self._outgoing = outgoing
        self._services = services
        self._clock = clock
        self._certificates = certificates
        self._delegated: OrderedDict[str, _Delegation] = OrderedDict()
        self._asking = KeyedLocks()

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
        """The name that ``server`` delegates to, or nothing. However many want to know, it is asked once."""
        async with self._asking.hold(server):
            known, now = self._delegated.get(server), self._clock.now_ms()
            if known is not None and known.until_ts > now:
                return known.name
            try:
                name, keep_ms = await self._ask_well_known(server)
                self._remember(server, _Delegation(name, now + keep_ms, now))
            except _OutOfOrder:
                name = known.name if known is not None and known.said_ts + _MOST_MS > now else ""
                kept = _Delegation(name, now + _OUT_OF_ORDER_MS, known.said_ts) if name and known is not None else None
                self._remember(server, kept or _Delegation("", now + _FAILED_MS, now))
            return name

    def _remember(self, server: str, delegation: _Delegation) -> None:
        self._delegated[server] = delegation
        self._delegated.move_to_end(server)
        if len(self._delegated) > _KEPT:
            self._delegated.popitem(last=False)

    async def _ask_well_known(self, server: str) -> tuple[str, int]:
        url = f"https://{server}/.well-known/matrix/server"
        try:
            answer = await self._outgoing.fetch(
                "GET", url, limit=_WELL_KNOWN_BYTES, timeout_s=10, redirects=5, ssl=self._certificates
            )
        except TooMuch:
            return "", _FAILED_MS
        except Unreachable:
            raise _OutOfOrder from None
        if answer.status >= 500:
            raise _OutOfOrder
        name = _name_in(answer)
        return (name, _kept_for(answer)) if name else ("", _FAILED_MS)


def _name_in(answer: Fetched) -> str:
    try:
        value = parse_json(answer.body) if answer.status == 200 else None
    except Refused:
        return ""
    name = value.get("m.server") if isinstance(value, dict) else None
    return name if isinstance(name, str) and is_server_name(name) else ""


def _kept_for(answer: Fetched) -> int:
    """For how many milliseconds an answer is believed, within limits."""
    said = answer.headers.get("Cache-Control", "")
    age = _MAX_AGE.search(said)
    keep_ms = 0 if _NOT_KEPT.search(said) else int(age[1]) * 1000 if age is not None else _DEFAULT_MS
    return max(_LEAST_MS, min(keep_ms, _MOST_MS))


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
