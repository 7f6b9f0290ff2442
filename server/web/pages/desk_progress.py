"""How far associations have come with Kairan: an association chooses who is told, the city and federations read it."""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Right
from server.web.city_desk import CityDesk
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One page for both."""
    routes.get("/desk/progress", show)
    routes.post("/desk/progress", choose)
    routes.post("/desk/progress/file", give_out)


async def show(visit: Visit) -> web.StreamResponse:
    """At an association what would be told and to whom; above it the table."""
    visit.require(Right.POST_CIRCULARS)
    desk = await _desk(visit)
    if desk.tells:
        return visit.page(
            "desk_progress_sharing.html", readers=desk.readers(visit.user_id),
            preview=await desk.preview(visit.user_id),
        )
    rows, every = await desk.progress(visit.user_id)
    return visit.page("desk_progress.html", rows=rows, every=every)


async def choose(visit: Visit) -> web.StreamResponse:
    """Tell those that are ticked, and nobody else."""
    form = await visit.form()
    await (await _desk(visit)).share(visit.user_id, form.lines("server"))
    return visit.go("/desk/progress", done="saved")


async def give_out(visit: Visit) -> web.StreamResponse:
    """The table as a file for a spreadsheet."""
    await visit.form()
    return visit.download(await (await _desk(visit)).progress_csv(visit.user_id), "text/csv", "町内会のようす.csv")


async def _desk(visit: Visit) -> CityDesk:
    return (await visit.services.wide_area()).city
