"""Files of other servers: media's port ``FarMedia``, over HTTP.

First the signed door of Matrix 1.11; where a server does not know it, the open one of before. Source: server-server
API, "Content Repository"; client-server API, ``GET /_matrix/media/v3/download``.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp.multipart import content_disposition_filename, parse_content_disposition

from federation.identity.servers import PeerUnreachable, Servers, path_of, refusal, unreachable
from federation.outbound.multipart import Parts, boundary_in
from server.foundation.canonical_json import parse_json
from server.foundation.errors import Refused
from server.foundation.outgoing import Opened, Unreachable
from server.media.model import Mxc
from server.media.ports import FarFile, ServerSilent
from server.rooms.ports import PeerFailed

_SIGNED: Final = "/_matrix/federation/v1/media/download"
_OPEN: Final = "/_matrix/media/v3/download"
_HEAD_S: Final = 20.0
_SILENCE_S: Final = 20.0
_MOST_JSON: Final = 64 * 1024
_REDIRECTS: Final = 3
_LONGEST_URL: Final = 8 * 1024
# How servers of before Matrix 1.11 say that they do not know the door.
_UNKNOWN_DOOR: Final = frozenset({400, 404, 405})
# What the specification lets this door say beside 4xx.
_SAID_BY_SERVERS: Final = frozenset({(504, "M_NOT_YET_UPLOADED"), (502, "M_TOO_LARGE")})


class HttpFarMedia:
    """Implements ``server.media.ports.FarMedia``."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @asynccontextmanager
    async def fetch(self, mxc: Mxc, *, wait_ms: int) -> AsyncIterator[FarFile]:
        """A file of another server."""
        async with AsyncExitStack() as closing:
            opened, fault = await self._signed(closing, mxc, wait_ms)
            if fault is None:
                yield await self._in_parts(closing, opened)
            elif _does_not_know(opened, fault):
                yield await self._of_old_server(closing, mxc)
            else:
                raise fault

    async def _signed(
        self, closing: AsyncExitStack, mxc: Mxc, wait_ms: int
    ) -> tuple[Opened, Refused | None]:
        try:
            opened = await closing.enter_async_context(self._servers.stream(
                mxc.server_name, path_of(_SIGNED, mxc.media_id), [("timeout_ms", str(wait_ms))],
                timeout_s=_HEAD_S + wait_ms / 1000,
            ))
        except PeerUnreachable as fault:
            raise ServerSilent(fault.reason, detail=fault.detail) from None
        return opened, None if opened.status == 200 else await _refusal(opened)

    async def _of_old_server(self, closing: AsyncExitStack, mxc: Mxc) -> FarFile:
        opened = await closing.enter_async_context(self._servers.stream(
            mxc.server_name, path_of(_OPEN, mxc.server_name, mxc.media_id), [("allow_remote", "false")],
            timeout_s=_HEAD_S, signed=False, redirects=_REDIRECTS,
        ))
        if opened.status != 200:
            raise await _refusal(opened)
        return _plain(opened)

    async def _in_parts(self, closing: AsyncExitStack, opened: Opened) -> FarFile:
        """What the JSON of the first part says is for later versions of Matrix; the second is the file or its place."""
        boundary = boundary_in(opened.headers.get("Content-Type", ""))
        if boundary is None:
            raise PeerFailed("The other server did not answer as it should", detail="no multipart/mixed")
        _require_plain(opened)
        parts = Parts(_body(opened), boundary)
        await parts.begin()
        await parts.whole(_MOST_JSON)
        headers = await parts.begin()
        place = headers.get("location")
        if place is not None:
            return await self._elsewhere(closing, place)
        return FarFile(
            headers.get("content-type"), _filename(headers.get("content-disposition")), _size(opened.headers),
            parts.chunks(),
        )

    async def _elsewhere(self, closing: AsyncExitStack, place: str) -> FarFile:
        if not place.isascii() or len(place) > _LONGEST_URL or not place.lower().startswith("https://"):
            raise PeerFailed("The other server did not answer as it should", detail="no usable Location")
        opened = await closing.enter_async_context(
            self._servers.stream_from(place, timeout_s=_HEAD_S, redirects=_REDIRECTS)
        )
        if opened.status != 200:
            raise await _refusal(opened)
        return _plain(opened)


def _plain(opened: Opened) -> FarFile:
    _require_plain(opened)
    headers = opened.headers
    return FarFile(
        headers.get("Content-Type"), _filename(headers.get("Content-Disposition")), _size(headers), _body(opened)
    )


def _require_plain(opened: Opened) -> None:
    """A file is taken as it is: what nobody unpacks cannot be a bomb."""
    if opened.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PeerFailed("The other server did not answer as it should", detail="packed although asked for plain")


def _does_not_know(opened: Opened, fault: Refused) -> bool:
    return opened.status in _UNKNOWN_DOOR and fault.code in ("M_UNRECOGNIZED", PeerFailed.code)


async def _body(opened: Opened) -> AsyncIterator[bytes]:
    try:
        async for chunk in opened.chunks(_SILENCE_S):
            yield chunk
    except Unreachable as fault:
        raise unreachable(fault) from None


async def _refusal(opened: Opened) -> Refused:
    """In the other server's words as far as they are for our people: whether our node may ask is not their matter."""
    told = bytearray()
    async for chunk in _body(opened):
        told += chunk
        if len(told) > _MOST_JSON:
            break
    try:
        value = parse_json(bytes(told[:_MOST_JSON]))
    except Refused:
        value = None
    code = value.get("errcode") if isinstance(value, dict) else None
    if (opened.status, code) in _SAID_BY_SERVERS:
        return Refused("The other server cannot give this file", code=str(code), status=opened.status)
    fault = refusal(opened.status, value)
    return PeerFailed(fault.reason, detail=f"status {opened.status}") if opened.status in (401, 403, 429) else fault


def _filename(disposition: str | None) -> str | None:
    if disposition is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a stranger writes there is nothing for our logs
        try:
            _, params = parse_content_disposition(disposition)
            return content_disposition_filename(params, "filename")
        except (LookupError, ValueError):  # an encoding that nobody knows
            return None


def _size(headers: Mapping[str, str]) -> int | None:
    said = headers.get("Content-Length", "")
    return int(said) if said.isdecimal() and len(said) < 16 else None
