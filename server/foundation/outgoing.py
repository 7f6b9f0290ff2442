"""HTTP to the outside world: push gateways, link previews, application services, other servers.

Whoever can name an address here could make the node knock at doors of its own network (the router, a camera, a
database). So no connection goes to a private or special address unless its network was allowed by the operator. What
is checked is the address of the socket itself: neither a name that resolves to ``127.0.0.1`` nor a redirect nor an
odd way to write a number gets around it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from server.foundation.settings import IpNetwork

_REDIRECTS: Final = (301, 302, 303, 307, 308)
# So long may what was sent stay without even the other machine's "received" (TCP); slow answers are another matter.
_UNHEARD_MS: Final = 20_000
_AT_ONCE: Final = 64
_AT_ONCE_PER_HOST: Final = 8
# What was meant for one server is not shown to the next, nor called by its name.
_FOR_ONE_HOST: Final = frozenset({"authorization", "host"})

# IPv6 addresses that carry an IPv4 address: where a packet really goes is decided by that one.
_NAT64: Final = ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """No answer that can be used: no such name, refused, too late, broken."""


class ForbiddenAddress(Unreachable):
    """The address lies in a network into which this request may not go."""


class TooMuch(Unreachable):
    """The answer is larger than was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. ``url`` is where it came from after redirects; names of ``headers`` in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Opened:
    """An answer whose body is still to come, as it was packed. Fields as in ``Fetched``."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self.url = str(answer.url)
        self._answer = answer

    async def chunks(self, silence_s: float) -> AsyncIterator[bytes]:
        """The body piece by piece; raises ``Unreachable`` where it breaks off or nothing comes for ``silence_s``."""
        pieces = self._answer.content.iter_any()
        while True:
            with _told_as_unreachable():
                async with asyncio.timeout(silence_s):
                    piece = await anext(pieces, b"")
            if not piece:
                return
            yield piece


class _Forbidden(OSError):
    pass


class Outgoing:
    """One pool of connections with one idea of where they may go.

    ``allowed_networks`` are private networks that are allowed all the same, ``at_once`` the most connections.
    """

    def __init__(
        self,
        allowed_networks: Sequence[IpNetwork] = (),
        *,
        user_agent: str = "Kairan",
        resolver: AbstractResolver | None = None,
        at_once: int = _AT_ONCE,
        at_once_per_host: int = _AT_ONCE_PER_HOST,
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._at_once = at_once, at_once_per_host
        self._user_agent = user_agent
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def fetch(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int,
        timeout_s: float,
        redirects: int = 0,
        ssl: SSLContext | bool = True,
        server_hostname: str | None = None,
    ) -> Fetched:
        """One request and its whole answer, at most ``limit`` bytes (unpacked) within ``timeout_s`` seconds.

        Follows up to ``redirects`` redirects, as GET without the body. ``ssl`` and ``server_hostname`` are as in
        aiohttp: how a certificate is checked, and for which name. A ``URL`` goes out as it is. Raises ``Unreachable``.
        """
        with _told_as_unreachable():
            async with asyncio.timeout(timeout_s):
                tls = _tls(ssl, server_hostname)
                answer = await self._follow(method, url, body, dict(headers or {}), redirects, tls)
                try:
                    return Fetched(answer.status, answer.headers, await _body(answer, limit), str(answer.url))
                finally:
                    answer.release()

    @asynccontextmanager
    async def stream(
        self,
        url: str | URL,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float,
        redirects: int = 0,
        ssl: SSLContext | bool = True,
        server_hostname: str | None = None,
    ) -> AsyncIterator[Opened]:
        """GET for what is too large for memory; ``timeout_s`` is for the head of the answer. Else as ``fetch``.

        The body is not unpacked: whoever wants it plain says so in ``Accept-Encoding``.
        """
        with _told_as_unreachable():
            async with asyncio.timeout(timeout_s):
                answer = await self._follow(
                    "GET", url, None, dict(headers or {}), redirects,
                    {**_tls(ssl, server_hostname), "auto_decompress": False},
                )
        try:
            yield Opened(answer)
        finally:
            answer.release()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(
        self, method: str, url: str | URL, body: bytes | None, headers: dict[str, str], redirects: int,
        options: dict[str, Any],
    ) -> aiohttp.ClientResponse:
        while True:
            self._require_allowed(str(url))
            answer = await self._open_session().request(
                method, url, data=body, headers=headers, allow_redirects=False, **options
            )
            onward = answer.headers.get("Location")
            if redirects == 0 or answer.status not in _REDIRECTS or onward is None:
                return answer
            answer.release()
            method, url, body, redirects = "GET", urljoin(str(answer.url), onward), None, redirects - 1
            headers = {name: value for name, value in headers.items() if name.lower() not in _FOR_ONE_HOST}
            options.pop("server_hostname", None)

    def _require_allowed(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise Unreachable("not an address of the web")

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._at_once[0], limit_per_host=self._at_once[1], resolver=self._resolver,
                    socket_factory=self._open_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": self._user_agent}, trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _open_socket(self, info: Any) -> socket.socket:
        family, kind, protocol, _, place = info
        if not self.may_connect(place[0]):
            raise _Forbidden("forbidden")
        opened = socket.socket(family, kind, protocol)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # A connection from before a cut looks open: without it an alert would wait behind what never arrives.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_MS)
        return opened

    def may_connect(self, host: str) -> bool:
        """Whether an IP address, as text, is public or in an allowed network."""
        address = _real(ip_address(host.partition("%")[0]))
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return address.is_global and not address.is_multicast


def _real(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _tls(ssl: SSLContext | bool, server_hostname: str | None) -> dict[str, Any]:
    return {"ssl": ssl} if server_hostname is None else {"ssl": ssl, "server_hostname": server_hostname}


@contextmanager
def _told_as_unreachable() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unreachable("no answer in time") from None
    except (aiohttp.ClientError, ValueError, OSError) as fault:
        if isinstance(getattr(fault, "os_error", fault), _Forbidden):
            raise ForbiddenAddress("the address is in a network that is not allowed") from None
        raise Unreachable(type(fault).__name__) from None


async def _body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    data = bytearray()
    async for piece in answer.content.iter_any():
        data += piece
        if len(data) > limit:
            answer.close()
            raise TooMuch(f"more than {limit} bytes")
    return bytes(data)
