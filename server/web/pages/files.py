"""Style, icon and script of all pages."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import NotFound
from server.web.routing import Routes
from server.web.visit import Visit

_A_YEAR = 365 * 24 * 3600


def add_routes(routes: Routes) -> None:
    """Files that are the same for everybody."""
    routes.get("/static/{name}", show_static)


async def show_static(visit: Visit) -> web.StreamResponse:
    """A file of ours, from memory; its address carries a mark of its content, so browsers may keep it."""
    file = visit.templates.files.get(visit.parts["name"])
    if file is None:
        raise NotFound("このファイルは ありません。")
    is_current = visit.query("v") == file.mark
    keep = f"public, max-age={_A_YEAR}, immutable" if is_current else "no-cache"
    return web.Response(
        body=file.data, content_type=file.content_type, charset="utf-8", headers={"Cache-Control": keep}
    )
