"""試用版 at the desk: try everything with made-up neighbours; keep what was set up, or throw all away."""

from __future__ import annotations

from aiohttp import web

from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One page and three buttons."""
    routes.get("/desk/trial", show)
    routes.post("/desk/trial/begin", begin)
    routes.post("/desk/trial/keep", keep)
    routes.post("/desk/trial/throw-away", throw_away)


async def show(visit: Visit) -> web.StreamResponse:
    """How it stands."""
    standing = visit.services.keeping.trial().standing(visit.user_id)
    return visit.page("desk_trial.html", standing=standing)


async def begin(visit: Visit) -> web.StreamResponse:
    """Made-up neighbours move in."""
    await visit.form()
    await visit.services.keeping.trial().begin(visit.user_id)
    return visit.go("/desk/trial", done="trial_begun")


async def keep(visit: Visit) -> web.StreamResponse:
    """They move out; what was set up stays."""
    await visit.form()
    await visit.services.keeping.trial().keep(visit.user_id)
    return visit.go("/desk/trial", done="trial_kept")


async def throw_away(visit: Visit) -> web.StreamResponse:
    """All of it goes, with a new start."""
    await visit.form()
    await visit.services.keeping.trial().throw_away(visit.user_id)
    return visit.page("desk_trial_over.html")
