"""All components on one page, for whoever makes pages; only where ``[http] development`` is on."""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Audience, AudienceKind
from server.foundation.errors import NotFound
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One page."""
    routes.get("/_design", show_design)


async def show_design(visit: Visit) -> web.StreamResponse:
    """Every component of ``parts.html`` once."""
    if not visit.services.settings.http.development:
        raise NotFound("このページは ありません。")
    blocks = visit.services.members.blocks()
    everyone = Audience(AudienceKind.EVERYONE)
    return visit.page("design.html", blocks=blocks, chosen=everyone, now=visit.services.clock.now_ms())
