"""Files beside a circular: kept as they arrive with a form, and given out to whoever may read the circular."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

from aiohttp import BodyPartReader, web

from server.association.circulars.model import Attachment
from server.foundation.errors import Forbidden, InvalidParam, LimitExceeded, NotFound, Refused
from server.http.media_services import REMOTE_MEDIA
from server.media.model import ANY_TYPE, INLINE_TYPES, Mxc, OpenedMedia, bare_type, content_disposition
from server.media.photo_cleaning import cleaned
from server.media.thumbnail_sizes import SCALED
from server.media.thumbnails import Thumbnails
from server.web.forms import Keeper, Upload, chunks_of
from server.web.visit import Visit

_File = TypeVar("_File")

PDF: Final = "application/pdf"
_NOT_HERE: Final = "このファイルは、まだ 届いていません。送った 相手の サーバーが 止まっているかも しれません。"
_NO_FILE: Final = "このファイルは ありません。"
_LOCKED: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


def numbered(files: Sequence[_File], number: str) -> _File:
    """The file that an address names by its place, counted from 0; raises ``NotFound``."""
    if not (number.isascii() and number.isdigit() and len(number) < 3 and int(number) < len(files)):
        raise NotFound(_NO_FILE)
    return files[int(number)]


def keeper_for(visit: Visit) -> Keeper:
    """Keeps what arrives as files of who is logged in, and refuses what no circular carries."""

    async def keep(part: BodyPartReader) -> Upload:
        kind = bare_type(part.headers.get("Content-Type", ANY_TYPE))
        if kind != PDF and not kind.startswith("image/"):
            raise InvalidParam("つけられるのは、PDFと 写真だけです。")
        name = part.filename or "ファイル"
        # Where a photo was taken goes to nobody who reads the circular.
        chunks = chunks_of(part) if kind == PDF else cleaned(chunks_of(part))
        mxc = await visit.services.node.media.media.keep(visit.user_id, kind, name, chunks)
        return Upload(part.name or "", name, kind, mxc)

    return keep


async def attachments_of(
    visit: Visit, urls: Sequence[str], known: Sequence[Attachment] = ()
) -> tuple[Attachment, ...]:
    """The files that a form names: those of the circular already, and those that the same officer has brought.

    Raises ``InvalidParam``, ``NotFound``, and ``Forbidden`` for somebody else's file.
    """
    there = {item.url: item for item in known}
    found = []
    for url in dict.fromkeys(urls):
        found.append(there[url] if url in there else await _own_file(visit, url))
    return tuple(found)


async def text_of_pdfs(visit: Visit, attachments: Sequence[Attachment]) -> str:
    """What the PDFs among them say, one after the other; empty where they are pictures of paper."""
    found = []
    for attachment in attachments:
        opened, _ = await _opened(visit, Mxc.parse(attachment.url))
        if bare_type(opened.item.content_type) == PDF and _is_pdf(opened):
            data = await asyncio.to_thread(opened.path.read_bytes)
            found.append(await visit.services.circulars.pdf_reading.text_of(data))
    return "\n\n".join(filter(None, found))


async def answer_file(visit: Visit, attachment: Attachment, *, is_small: bool) -> web.StreamResponse:
    """The file itself, or the small picture of a photo. What a browser might run is only ever saved."""
    mxc = Mxc.parse(attachment.url)
    opened, thumbnails = await _opened(visit, mxc)
    if is_small and attachment.is_image:
        path, kind, _ = await thumbnails.get(mxc, SCALED[-1])
        return _file(path, kind, f'inline; filename="{path.name}"')
    kind = bare_type(opened.item.content_type)
    if kind == PDF and _is_pdf(opened):
        return _file(opened.path, kind, content_disposition("text/plain", opened.item.filename), policy="")
    kind = kind if kind in INLINE_TYPES else ANY_TYPE
    return _file(opened.path, kind, content_disposition(kind, opened.item.filename))


async def _opened(visit: Visit, mxc: Mxc) -> tuple[OpenedMedia, Thumbnails]:
    """A file of ours, or our copy of another server's: what comes from the city lies at the city until it is read."""
    if mxc.server_name == visit.services.settings.server_name:
        ours = visit.services.node.media
        return await ours.media.open(mxc), ours.thumbnails
    late = visit.request.app.get(REMOTE_MEDIA)
    if late is None:
        raise NotFound(_NOT_HERE)
    theirs = await late.open()
    try:
        opened = await theirs.media.open(mxc, fetching=lambda: late.fetches.take(visit.user_id))
    except LimitExceeded:
        raise
    except Refused as refused:
        raise NotFound(_NOT_HERE, detail=refused.reason) from None
    return opened, theirs.thumbnails


async def _own_file(visit: Visit, url: str) -> Attachment:
    opened = await visit.services.node.media.media.open(Mxc.parse(url))
    item = opened.item
    if item.owner != visit.user_id:
        raise Forbidden("このファイルは、ほかの人のものです。")
    return Attachment(url, item.filename or "ファイル", bare_type(item.content_type), item.size)


def _file(path: Path, kind: str, disposition: str, policy: str = _LOCKED) -> web.FileResponse:
    headers = {"Content-Type": kind, "Content-Disposition": disposition, "Cache-Control": "private, max-age=3600"}
    if policy:
        headers["Content-Security-Policy"] = policy
    return web.FileResponse(path, headers=headers)


def _is_pdf(opened: OpenedMedia) -> bool:
    with opened.path.open("rb") as file:
        return file.read(5) == b"%PDF-"
