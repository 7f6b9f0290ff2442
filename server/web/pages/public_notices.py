"""お知らせ for everybody, with and without an account: the newest public notices, and how to get them by oneself."""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import NotFound
from server.web.attached_files import answer_file, numbered
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.wide_area import WideAreaDesk


def add_routes(routes: Routes) -> None:
    """The page; the feeds below it have a door of their own."""
    routes.get("/feeds", show_public)
    routes.get("/public/{notice_id}/{number}", show_paper)


async def show_public(visit: Visit) -> web.StreamResponse:
    """What the city or the federation of associations says to everybody."""
    settings = visit.services.settings
    notices = await (await _open(visit)).public()
    page = f"{settings.http.public_url}/feeds"
    return visit.page(
        "public_notices.html", notices=notices, page=page, webcal="webcal:" + page.partition(":")[2] + "/dates.ics")


async def show_paper(visit: Visit) -> web.StreamResponse:
    """A file of one of these notices, for everybody as long as the notice is."""
    papers = await (await _open(visit)).public_papers(visit.parts["notice_id"])
    return await answer_file(visit, numbered(papers, visit.parts["number"]), is_small=visit.query("size") == "small")


async def _open(visit: Visit) -> WideAreaDesk:
    settings = visit.services.settings
    if settings.node.role == "association" or not settings.public_feed.enabled:
        raise NotFound("このページは ありません。")
    visit.services.node.limits.requests.take(f"feeds {visit.address}")
    return await visit.services.wide_area()
