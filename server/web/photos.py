"""Photos of neighbours: taken in without what a camera writes beside the picture; shown scaled, not as they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import BodyPartReader, web

from server.foundation.errors import InvalidParam, Refused
from server.media.model import ANY_TYPE, Mxc, bare_type
from server.media.photo_cleaning import cleaned
from server.media.pictures import PHOTO_TYPES, Picture
from server.media.thumbnail_sizes import SCALED
from server.web.attached_files import attachments_of
from server.web.forms import Form, Keeper, Upload, chunks_of
from server.web.visit import Visit

# What a browser offers to choose: telephones turn their own formats into these.
ACCEPT: Final = "image/jpeg,image/png,image/webp"
_PDF: Final = "application/pdf"
_LOCKED: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


def photo_keeper(visit: Visit, *, papers: bool = False) -> Keeper:
    """Keeps photos that arrive with a form for whoever is logged in; with ``papers`` also PDFs."""

    async def keep(part: BodyPartReader) -> Upload:
        kind = bare_type(part.headers.get("Content-Type", ANY_TYPE))
        if kind not in PHOTO_TYPES and not (papers and kind == _PDF):
            words = "PDFと 写真（JPEG・PNG）だけです。" if papers else "写真（JPEG・PNG）だけです。"
            raise InvalidParam(f"つけられるのは、{words}")
        # What a telephone calls a photo may say whose it is, and goes out with it in every client.
        name = part.filename or "資料" if kind == _PDF else f"写真.{kind.rpartition('/')[2]}"
        mxc = await visit.services.node.media.media.keep(visit.user_id, kind, name, cleaned(chunks_of(part)))
        return Upload(part.name or "", name, kind, mxc)

    return keep


async def pictures_of(visit: Visit, form: Form) -> tuple[Picture, ...]:
    """What a form brings, and what it has brought before it was refused; raises like ``attachments_of``."""
    urls: Sequence[str] = [*form.lines("file"), *(upload.mxc for upload in form.uploads)]
    found = await attachments_of(visit, urls)
    return tuple(Picture(item.url, item.name, item.mimetype, item.size) for item in found)


async def answer_photo(visit: Visit, picture: Picture) -> web.StreamResponse:
    """The photo scaled: ``?size=small`` for lists. Browsers ask again each time, so that what is hidden is gone."""
    size = SCALED[0] if visit.query("size") == "small" else SCALED[-1]
    try:
        path, kind, _ = await visit.services.node.media.thumbnails.get(Mxc.parse(picture.url), size)
    except Refused as fault:
        raise InvalidParam("この写真は、見せられません。", status=404) from fault
    return web.FileResponse(path, headers={
        "Content-Type": kind, "Content-Disposition": "inline", "Content-Security-Policy": _LOCKED,
        "Cache-Control": "private, no-cache",
    })


def name_of(visit: Visit, user_id: str) -> str:
    """What somebody is called on the roster; whoever has left has no name here."""
    person = visit.services.members.person_of_user(user_id)
    return "退会した人" if person is None else person.name
