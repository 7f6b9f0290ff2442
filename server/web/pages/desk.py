"""The officers' desk: the way to everything that officers do."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.gatherings.model import State
from server.association.gatherings.occurrences import Occurrence
from server.association.members.model import Right
from server.foundation.errors import Forbidden
from server.web.routing import Routes
from server.web.visit import Visit

_NEAR_MS: Final = 40 * 3_600_000


def add_routes(routes: Routes) -> None:
    """The first page of the desk."""
    routes.get("/desk", show_desk)


async def show_desk(visit: Visit) -> web.StreamResponse:
    """Tiles for what this officer may do."""
    _ = visit.user_id
    if not visit.is_at_desk:
        raise Forbidden("このページは、役員だけが 使えます。")
    common = visit.services.common
    return visit.page(
        "desk_home.html", waiting=visit.services.inquiries.waiting(visit.user_id), near=_near(visit),
        proposed=await common.proposals.count_waiting() if visit.may(Right.MODERATE) else 0,
        told=await common.told_elsewhere.count(visit.user_id) if visit.may(Right.MODERATE) else 0,
    )


def _near(visit: Visit) -> list[Occurrence]:
    """What takes place today or tomorrow and may have to be called off."""
    if not visit.may(Right.ARRANGE_GATHERINGS):
        return []
    tomorrow = visit.services.clock.now_ms() + _NEAR_MS
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, 3)
    return [item for item in found if item.start_ms < tomorrow and item.gathering.state is State.PLANNED]
