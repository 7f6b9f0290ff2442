"""The illustrated guides, five sheets for each role: to be read here, or printed. Open to everybody; nobody is named.

``make guides`` writes the files from a run of the real pages (``tests/web/guides``). They are in Japanese only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web

from server.foundation.errors import NotFound
from server.web.routing import Routes
from server.web.visit import Visit

FOLDER: Final = Path(__file__).parents[1] / "guides"
# By the name of the files: whom it is for.
GUIDES: Final[Mapping[str, str]] = {
    "resident": "住民のみなさまへ", "helper": "地域支援員（補助）のみなさまへ", "officer": "役員のみなさまへ",
    "city": "市の担当のみなさまへ",
}
_FOR_DESK: Final = ("helper", "officer")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8", ".css": "text/css", ".png": "image/png", ".pdf": "application/pdf",
}


def add_routes(routes: Routes) -> None:
    """The list, the guides, and their pictures."""
    routes.get("/guides", show_list)
    routes.get("/guides/{file}", show_file)
    routes.get("/guides/{guide}/{picture}", show_picture)


async def show_list(visit: Visit) -> web.StreamResponse:
    """The guides for what somebody does here."""
    names = ["resident"]
    if visit.is_at_desk:
        is_city = visit.services.settings.node.role != "association"
        names = ["city", *_FOR_DESK] if is_city else [*names, *_FOR_DESK]
    return visit.page("guides.html", guides={name: GUIDES[name] for name in names})


async def show_file(visit: Visit) -> web.StreamResponse:
    """A guide as a page, its style, or the same on A4 sheets to be saved and printed."""
    return _answer(visit.parts["file"])


async def show_picture(visit: Visit) -> web.StreamResponse:
    """A picture of a guide."""
    return _answer(f"{visit.parts['guide']}/{visit.parts['picture']}")


def _answer(name: str) -> web.FileResponse:
    path = _files().get(name)
    if path is None:
        raise NotFound("このページは ありません。")
    headers = {"Content-Type": _TYPES[path.suffix], "Cache-Control": "no-cache"}
    if path.suffix == ".pdf":
        whom = GUIDES[name.partition(".")[0]]
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{whom}.pdf', safe='')}"
    return web.FileResponse(path, headers=headers)


@cache
def _files() -> Mapping[str, Path]:
    """What there is, by the name that an address may give it."""
    found = (path for path in FOLDER.rglob("*") if path.suffix in _TYPES)
    return {path.relative_to(FOLDER).as_posix(): path for path in found}
