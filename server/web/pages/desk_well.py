"""「問題はありませんか」: whether the node, its backups and its ways to others are well, in words for everybody."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.model import Right
from server.foundation.errors import Forbidden
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.well_being import lines_of

# Pages with more of it, which not every officer may open.
_MORE: Final = {
    "/desk/links": Right.POST_CIRCULARS, "/desk/unreached": Right.SEE_ROSTER, "/desk/handover": Right.GIVE_ROLES,
}


def add_routes(routes: Routes) -> None:
    """One page."""
    routes.get("/desk/well", show)


async def show(visit: Visit) -> web.StreamResponse:
    """What is to be looked at, and what is well."""
    if not visit.services.members.is_officer(visit.user_id):
        raise Forbidden("このページは、役員だけが 使えます。")
    facts = await visit.services.keeping.facts()
    lines = lines_of(facts)
    ways = {address for address, right in _MORE.items() if visit.may(right)}
    return visit.page(
        "desk_well.html", ways=ways, lines=lines, trouble=sum(not line.is_good for line in lines), now=facts.now_ms,
    )
