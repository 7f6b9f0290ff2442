"""Doors: our files and their small pictures, for other servers (server-server API, "Content Repository").

The answer is ``multipart/mixed``: a JSON object without meaning so far, then the file.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from aiohttp import hdrs, web

from federation.inbound.caller import Peer, peer
from server.foundation.errors import NotFound
from server.http.media_services import MEDIA
from server.http.requests import bool_query, int_query, required_query
from server.media.model import Mxc, content_disposition, is_media_id
from server.media.thumbnail_sizes import size_for

_WAIT_MS: Final = 20_000
_LONGEST_WAIT_MS: Final = 60_000
_PIECE: Final = 256 * 1024


async def download(request: web.Request) -> web.StreamResponse:
    """GET media/download/{mediaId}"""
    mxc = _mxc(await peer(request), request)
    opened = await request.app[MEDIA].media.open(mxc, wait_ms=_patience(request))
    return await _send(request, opened.path, opened.item.content_type, opened.item.filename)


async def thumbnail(request: web.Request) -> web.StreamResponse:
    """GET media/thumbnail/{mediaId}"""
    mxc = _mxc(await peer(request), request)
    for name in ("width", "height"):
        required_query(request, name)
    size = size_for(
        int_query(request, "width", 0), int_query(request, "height", 0), request.query.get("method", "scale"),
        animated=bool_query(request, "animated"),
    )
    path, content_type, _ = await request.app[MEDIA].thumbnails.get(mxc, size, wait_ms=_patience(request))
    return await _send(request, path, content_type, f"thumbnail{path.suffix}")


def _mxc(who: Peer, request: web.Request) -> Mxc:
    media_id = request.match_info["mediaId"]
    if not is_media_id(media_id):
        raise NotFound("No such file")
    return Mxc(who.federation.identity.server_name, media_id)


def _patience(request: web.Request) -> int:
    return max(0, min(int_query(request, "timeout_ms", _WAIT_MS), _LONGEST_WAIT_MS))


async def _send(request: web.Request, path: Path, content_type: str, filename: str | None) -> web.StreamResponse:
    """The file goes out piece by piece, as fast as the other server reads."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except FileNotFoundError:
        raise NotFound("No such file") from None
    with file:
        boundary = uuid4().hex
        before = (
            f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--{boundary}\r\n"
            f"Content-Type: {content_type}\r\n"
            f"Content-Disposition: {content_disposition(content_type, filename)}\r\n\r\n"
        ).encode()
        after = f"\r\n--{boundary}--\r\n".encode()
        answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: f"multipart/mixed; boundary={boundary}"})
        answer.content_length = len(before) + _size(file) + len(after)
        await answer.prepare(request)
        await answer.write(before)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await answer.write(piece)
        await answer.write_eof(after)
    return answer


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size
