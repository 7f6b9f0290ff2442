"""Doors: uploading, downloading and thumbnails (client-server API, "Content Repository").

The deprecated addresses under ``/_matrix/media`` ask for a token as the new ones do, and say 404 to whoever has none:
the freeze that the spec has foreseen since v1.11. Only files from before ``MediaLimits.open_until_ts`` stay open, or
all where ``[media] allow_unauthenticated_downloads`` says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from server.foundation.errors import BadRequest, NotFound
from server.foundation.ids import is_server_name
from server.http.answers import Handler, json_answer
from server.http.arriving import pieces
from server.http.keys import SETTINGS
from server.http.media_services import MEDIA, REMOTE_MEDIA, MediaServices
from server.http.requests import bool_query, caller, int_query, member, required_query
from server.http.routes import Doors
from server.media.model import Mxc, OpenedMedia, content_disposition, is_media_id
from server.media.thumbnail_sizes import ThumbnailSize, size_for

# Spec, "Serving inline content" and the content repository's security considerations: what a stranger has uploaded
# runs nothing, includes nothing, and is taken for nothing but what it says it is.
_SAFE: Final = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; "
        "style-src 'unsafe-inline'; media-src 'self'; object-src 'self';"
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive, noimageindex",
    # The content of an id never changes; only the caller's own cache may keep it.
    "Cache-Control": "private, max-age=86400, immutable",
}
# Spec v1.7: how long a client waits for content that has not come yet, and the longest that it may.
_WAIT_MS: Final = 20_000
_LONGEST_WAIT_MS: Final = 60_000
# What is read of a file at once; a few of these lie in memory for whoever asks and does not take it.
_READ_BYTES: Final = 64 * 1024
_OLD: Final = ("/_matrix/media/v3", "/_matrix/media/r0", "/_matrix/media/v1")


def add_routes(doors: Doors) -> None:
    """Register all doors of this file; they need ``MEDIA`` and the keys of ``server.http.keys``."""
    doors.get("v1/media/config", config)
    for method in ("GET", "HEAD"):
        _add_reading(doors, method, "v1/media", download, thumbnail)
        for old in _OLD:
            _add_reading(doors, method, old, old_download, old_thumbnail)
    doors.post("/_matrix/media/v1/create", create)
    for old in _OLD:
        doors.get(f"{old}/config", config)
        doors.post(f"{old}/upload", upload)
        doors.put(f"{old}/upload/{{server_name}}/{{media_id}}", upload_to)


def _add_reading(doors: Doors, method: str, below: str, whole: Handler, small: Handler) -> None:
    doors.add(method, f"{below}/download/{{server_name}}/{{media_id}}", whole)
    doors.add(method, f"{below}/download/{{server_name}}/{{media_id}}/{{filename}}", whole)
    doors.add(method, f"{below}/thumbnail/{{server_name}}/{{media_id}}", small)


async def config(request: web.Request) -> web.Response:
    """How large a file may be."""
    await caller(request)
    return json_answer({"m.upload.size": _services(request).media.limits.upload_bytes})


async def upload(request: web.Request) -> web.Response:
    """Keep a file."""
    sender = await member(request)
    uri = await _services(request).media.keep(sender.user_id, **_upload_of(request))
    return json_answer({"content_uri": uri})


async def create(request: web.Request) -> web.Response:
    """Give out a URI whose content comes later (spec v1.7)."""
    sender = await member(request)
    uri, until = await _services(request).media.reserve(sender.user_id)
    return json_answer({"content_uri": uri, "unused_expires_at": until})


async def upload_to(request: web.Request) -> web.Response:
    """Bring the content of a URI given out by ``create``."""
    sender = await member(request)
    await _services(request).media.fill(sender.user_id, _mxc(request), **_upload_of(request))
    return json_answer({})


async def download(request: web.Request) -> web.StreamResponse:
    """A file, or a part of it (``Range``)."""
    asking = await caller(request)
    return _file(request, await _open(request, asking.user_id))


async def old_download(request: web.Request) -> web.StreamResponse:
    """The same at its deprecated address."""
    opened = await _open_to_caller(request)
    return _file(request, opened)


async def thumbnail(request: web.Request) -> web.StreamResponse:
    """A small picture of a picture."""
    asking = await caller(request)
    _wanted_size(request)
    return await _thumbnail(request, await _open(request, asking.user_id))


async def old_thumbnail(request: web.Request) -> web.StreamResponse:
    """The same at its deprecated address."""
    _wanted_size(request)
    return await _thumbnail(request, await _open_to_caller(request))


async def _thumbnail(request: web.Request, opened: OpenedMedia) -> web.StreamResponse:
    mxc = _mxc(request)
    services = _services(request) if _is_ours(request, mxc) else await request.app[REMOTE_MEDIA].open()
    path, content_type, _ = await services.thumbnails.get(mxc, _wanted_size(request))
    name = opened.item.filename and f"thumbnail-{Path(opened.item.filename).stem}{path.suffix}"
    return _answer(path, content_type, name or f"thumbnail{path.suffix}")


async def _open_to_caller(request: web.Request) -> OpenedMedia:
    """The file, for whoever has a token, or else if it is from the time before tokens were asked for."""
    if hdrs.AUTHORIZATION in request.headers or "access_token" in request.query:
        return await _open(request, (await caller(request)).user_id)
    media = _services(request).media
    # Strangers are not waited for, and nothing is fetched for them.
    opened = await media.open(_mxc(request))
    if opened.item.created_ts >= media.limits.open_until_ts:
        raise NotFound("No such file")
    return opened


async def _open(request: web.Request, user_id: str) -> OpenedMedia:
    """A file of this node, or a copy of another server's, which is fetched if need be."""
    mxc, wait_ms = _mxc(request), _patience(request)
    if _is_ours(request, mxc):
        return await _services(request).media.open(mxc, wait_ms=wait_ms)
    if REMOTE_MEDIA not in request.app or not bool_query(request, "allow_remote", default=True):
        raise NotFound("No such file")
    late = request.app[REMOTE_MEDIA]
    media = (await late.open()).media
    return await media.open(mxc, wait_ms=wait_ms, fetching=lambda: late.fetches.take(user_id))


def _is_ours(request: web.Request, mxc: Mxc) -> bool:
    return mxc.server_name == request.app[SETTINGS].server_name


def _patience(request: web.Request) -> int:
    """For how long (ms) the caller waits. ``allow_redirect`` is looked at and decides nothing: this node answers with
    files, never with a redirect."""
    for name in ("allow_remote", "allow_redirect"):
        bool_query(request, name)
    return min(int_query(request, "timeout_ms", _WAIT_MS), _LONGEST_WAIT_MS)


def _upload_of(request: web.Request) -> dict[str, Any]:
    encoded = hdrs.CONTENT_ENCODING in request.headers
    return {
        "content_type": request.headers.get(hdrs.CONTENT_TYPE),
        "filename": request.query.get("filename"),
        "content": _chunks(request),
        "declared_size": None if encoded else request.content_length,
    }


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it arrives; the body is never parsed, whatever its type says."""
    try:
        async for chunk in pieces(request.content):
            yield chunk
    except web.RequestPayloadError as fault:
        raise BadRequest("The upload could not be read", code="M_UNKNOWN", detail=str(fault)) from None


def _mxc(request: web.Request) -> Mxc:
    server_name, media_id = request.match_info["server_name"], request.match_info["media_id"]
    if not is_media_id(media_id) or not is_server_name(server_name):
        raise NotFound("No such file")
    return Mxc(server_name, media_id)


def _wanted_size(request: web.Request) -> ThumbnailSize:
    for name in ("width", "height"):
        required_query(request, name)
    return size_for(
        int_query(request, "width", 0), int_query(request, "height", 0), request.query.get("method", "scale"),
        animated=bool_query(request, "animated"),
    )


def _file(request: web.Request, opened: OpenedMedia) -> web.FileResponse:
    name = request.match_info.get("filename") or opened.item.filename
    return _answer(opened.path, opened.item.content_type, name)


def _answer(path: Path, content_type: str, filename: str | None) -> web.FileResponse:
    disposition = content_disposition(content_type, filename)
    headers = {**_SAFE, hdrs.CONTENT_TYPE: content_type, hdrs.CONTENT_DISPOSITION: disposition}
    return web.FileResponse(path, chunk_size=_READ_BYTES, headers=headers)


def _services(request: web.Request) -> MediaServices:
    return request.app[MEDIA]
