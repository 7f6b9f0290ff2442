"""Gatherings as a resident sees them: what is ahead, one of them, a file for the telephone's calendar."""

from __future__ import annotations

from aiohttp import web

from server.association.gatherings.model import State
from server.association.gatherings.occurrences import to_ms
from server.association.members.model import Right
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The list, one, its file."""
    routes.get("/gatherings", show_list)
    routes.get("/gatherings/{gathering}", show_gathering)
    routes.get("/gatherings/{gathering}/file.ics", give_file)


async def show_list(visit: Visit) -> web.StreamResponse:
    """What is ahead, soonest first."""
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, 40)
    return visit.page("gatherings.html", occurrences=found, State=State)


async def show_gathering(visit: Visit) -> web.StreamResponse:
    """One gathering."""
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    return visit.page(
        "gathering.html", gathering=gathering, plan=gathering.plan, State=State,
        starts=to_ms(gathering.plan.start), ends=to_ms(gathering.plan.end),
        told=visit.services.members.describe(gathering.audience), may_arrange=visit.may(Right.ARRANGE_GATHERINGS),
    )


async def give_file(visit: Visit) -> web.StreamResponse:
    """The gathering for a calendar app that is not connected."""
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    data = visit.services.gatherings.as_ics(gathering).encode()
    return visit.download(data, "text/calendar", f"{gathering.plan.title}.ics")
