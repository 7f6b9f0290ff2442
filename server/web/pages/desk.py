"""The officers' desk: the way to everything that officers do."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import Forbidden
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The first page of the desk."""
    routes.get("/desk", show_desk)


async def show_desk(visit: Visit) -> web.StreamResponse:
    """Tiles for what this officer may do."""
    _ = visit.user_id
    if not visit.is_at_desk:
        raise Forbidden("このページは、役員だけが 使えます。")
    return visit.page("desk_home.html", waiting=visit.services.inquiries.waiting(visit.user_id))
