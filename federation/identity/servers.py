"""Requests of ours to other servers: found, encrypted, signed, within limits (spec: "Authentication", "TLS").

What an answer means is for the caller; here it is JSON, or a refusal.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from yarl import URL

from federation.identity.discovery import Discovery, Place
from federation.identity.x_matrix import authorization, authorization_of_bytes
from server.foundation.canonical_json import canonical_json, parse_json
from server.foundation.errors import Refused
from server.foundation.outgoing import Fetched, ForbiddenAddress, Opened, Outgoing, Unreachable
from server.foundation.signatures import OldKey, SigningKey
from server.rooms.ports import PeerFailed

Query = Sequence[tuple[str, str]]

# The whole state of a large room fits.
MOST_BYTES: Final = 256 * 1024 * 1024
_USUAL_BYTES: Final = 20 * 1024 * 1024
_SECONDS: Final = 30.0
_CODE: Final = re.compile(r"[A-Z_]{1,40}")
_PLAIN: Final = {"Accept-Encoding": "identity"}


class PeerUnreachable(PeerFailed):
    """The other server cannot be reached."""


class PeerRefused(PeerFailed):
    """The other server has understood and said no; ``status``, ``code`` and ``reason`` are its own."""

    @property
    def in_the_log(self) -> str:
        """What nobody can fill with words (``foundation/logs.py``)."""
        return f"the other server refuses ({self.status} {self.code if _CODE.fullmatch(self.code) else '?'})"


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Who asks."""

    server_name: str
    key: SigningKey
    old_keys: tuple[OldKey, ...] = ()


class Servers:
    """Asks other servers."""

    def __init__(
        self, identity: OwnIdentity, discovery: Discovery, outgoing: Outgoing, certificates: ssl.SSLContext | bool
    ) -> None:
        self._identity = identity
        self._discovery = discovery
        self._outgoing = outgoing
        self._certificates = certificates

    async def get(self, server: str, path: str, query: Query = (), **limits: Any) -> Any:
        """Ask with GET; see ``ask``."""
        return await self.ask(server, "GET", path, query, **limits)

    async def ask(
        self, server: str, method: str, path: str, query: Query = (), content: Mapping[str, Any] | None = None, *,
        limit: int = _USUAL_BYTES, timeout_s: float = _SECONDS, signed: bool = True,
    ) -> Any:
        """The JSON that ``server`` answers. ``path`` is encoded already, see ``path_of``.

        Raises ``PeerRefused`` with the server's own words, ``PeerFailed`` where it cannot be reached or makes no sense.
        """
        answer = await self.fetch(server, method, path, query, content, limit=limit, timeout_s=timeout_s, signed=signed)
        return _json_of(answer)

    async def tell(self, server: str, path: str, content: bytes, *, timeout_s: float) -> Any:
        """PUT ``content``, canonical JSON that is written already; answers and raises like ``ask``."""
        mine = self._identity
        if server == mine.server_name:
            raise PeerFailed("This is our own server")
        header = authorization_of_bytes(mine.key, "PUT", path, mine.server_name, server, content)
        headers = {"Authorization": header, "Content-Type": "application/json"}
        return _json_of(await self._try_places(server, "PUT", path, content, headers, _USUAL_BYTES, timeout_s))

    async def fetch(
        self, server: str, method: str, path: str, query: Query = (), content: Mapping[str, Any] | None = None, *,
        limit: int = _USUAL_BYTES, timeout_s: float = _SECONDS, signed: bool = True,
    ) -> Fetched:
        """The answer as it is; raises ``PeerFailed`` where there is none."""
        uri, headers = self._request(server, method, path, query, content, signed=signed)
        body = canonical_json(content) if content is not None else None
        return await self._try_places(server, method, uri, body, headers, limit, timeout_s)

    async def _try_places(
        self, server: str, method: str, uri: str, body: bytes | None, headers: Mapping[str, str], limit: int,
        timeout_s: float,
    ) -> Fetched:
        fault: Unreachable = Unreachable("nowhere to be found")
        for place in await self._discovery.find(server):
            try:
                return await self._send(place, method, uri, body, headers, limit, timeout_s)
            except Unreachable as failed:
                fault = failed
        raise unreachable(fault) from None

    @asynccontextmanager
    async def stream(
        self, server: str, path: str, query: Query = (), *, timeout_s: float = _SECONDS, signed: bool = True,
        redirects: int = 0,
    ) -> AsyncIterator[Opened]:
        """GET of a file: the head of the answer, the body still to come. Raises ``PeerFailed`` where there is none."""
        uri, headers = self._request(server, "GET", path, query, None, signed=signed)
        async with AsyncExitStack() as closing:
            yield await self._open(closing, server, uri, headers, timeout_s, redirects)

    async def _open(
        self, closing: AsyncExitStack, server: str, uri: str, headers: Mapping[str, str], timeout_s: float,
        redirects: int,
    ) -> Opened:
        fault: Unreachable = Unreachable("nowhere to be found")
        for place in await self._discovery.find(server):
            try:
                return await closing.enter_async_context(self._outgoing.stream(
                    URL(place.url + uri, encoded=True), timeout_s=timeout_s, redirects=redirects,
                    headers={**headers, **_PLAIN, "Host": place.host_header}, ssl=self._certificates,
                    server_hostname=place.certificate_name,
                ))
            except Unreachable as failed:
                fault = failed
        raise unreachable(fault) from None

    @asynccontextmanager
    async def stream_from(self, url: str, *, timeout_s: float = _SECONDS, redirects: int = 0) -> AsyncIterator[Opened]:
        """GET from an address of the web that another server has named; it is told nothing of us."""
        async with AsyncExitStack() as closing:
            try:
                opened = await closing.enter_async_context(self._outgoing.stream(
                    url, timeout_s=timeout_s, redirects=redirects, headers=_PLAIN, ssl=self._certificates
                ))
            except Unreachable as fault:
                raise unreachable(fault) from None
            yield opened

    def _request(
        self, server: str, method: str, path: str, query: Query, content: Mapping[str, Any] | None, *, signed: bool
    ) -> tuple[str, dict[str, str]]:
        if server == self._identity.server_name:
            raise PeerFailed("This is our own server")
        uri = path + ("?" + urlencode(query, quote_via=quote) if query else "")
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if signed:
            mine = self._identity
            headers["Authorization"] = authorization(mine.key, method, uri, mine.server_name, server, content)
        return uri, headers

    async def _send(
        self, place: Place, method: str, uri: str, body: bytes | None, headers: Mapping[str, str], limit: int,
        timeout_s: float,
    ) -> Fetched:
        return await self._outgoing.fetch(
            method, URL(place.url + uri, encoded=True), body=body, headers={**headers, "Host": place.host_header},
            limit=limit, timeout_s=timeout_s, ssl=self._certificates, server_hostname=place.certificate_name,
        )


def _json_of(answer: Fetched) -> Any:
    try:
        value = parse_json(answer.body)
    except Refused:
        value = None
    if 200 <= answer.status < 300 and value is not None:
        return value
    raise refusal(answer.status, value)


def path_of(*segments: str) -> str:
    """An encoded path: ``path_of("/_matrix/federation/v1/event", event_id)``. The first segment is taken as it is."""
    return "/".join([segments[0], *(quote(segment, safe="") for segment in segments[1:])])


def certificate_rules(*, verify: bool, authorities: Path | None) -> ssl.SSLContext | bool:
    """How certificates of other servers are checked: as the system does, and by further ``authorities`` (PEM)."""
    if not verify:
        return False
    context = ssl.create_default_context()
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


def unreachable(fault: Unreachable) -> PeerUnreachable:
    """What is told of a server that gives no answer."""
    if isinstance(fault, ForbiddenAddress):
        return PeerUnreachable("The other server is in a network into which this node does not go")
    return PeerUnreachable("The other server cannot be reached", detail=str(fault))


def refusal(status: int, value: object) -> PeerFailed:
    """What is told of an answer, ``value`` if it was JSON, that is not what was asked for."""
    if isinstance(value, dict) and isinstance(value.get("errcode"), str) and 400 <= status < 500:
        reason = value.get("error")
        extra = {name: value[name] for name in ("room_version", "retry_after_ms") if name in value}
        return PeerRefused(
            reason if isinstance(reason, str) else "The other server refuses this", code=value["errcode"],
            status=status, extra=extra,
        )
    return PeerFailed("The other server did not answer as it should", detail=f"status {status}")
