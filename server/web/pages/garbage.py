"""What is fetched today, tomorrow and after; what belongs where."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from server.web.routing import Routes
from server.web.visit import Visit

_AHEAD: Final = 28


def add_routes(routes: Routes) -> None:
    """The days of one's own block."""
    routes.get("/garbage", show_days)


async def show_days(visit: Visit) -> web.StreamResponse:
    """The days of the own block, and looking something up."""
    garbage, words = visit.services.daily.garbage, visit.query("q")
    block = visit.services.members.block_of(visit.person.id)
    today = garbage.today
    return visit.page(
        "garbage.html", block=block, plan=garbage.plan(block.id), today=garbage.on(block.id, today),
        tomorrow=garbage.on(block.id, today + timedelta(days=1)),
        coming=garbage.coming(block.id, _AHEAD),
        words=words, found=await garbage.look_up(words), has_things=await garbage.has_things(),
    )
