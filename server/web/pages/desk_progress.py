"""How far associations have come with Kairan: an association chooses who is told, the city and federations read it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.model import Right
from server.foundation.errors import InvalidParam
from server.web.city_desk import CityDesk
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_MOST: Final = 100


def add_routes(routes: Routes) -> None:
    """One page for both."""
    routes.get("/desk/progress", show)
    routes.post("/desk/progress", choose)
    routes.post("/desk/progress/hide", hide)
    routes.post("/desk/progress/file", give_out)


async def show(visit: Visit) -> web.StreamResponse:
    """At an association what would be told and to whom; above it the table."""
    visit.require(Right.POST_CIRCULARS)
    desk = await _desk(visit)
    if desk.tells:
        smallest, in_safety = desk.hidden_below()
        return await _sharing_page(visit, Form([("smallest", str(smallest)), ("in_safety", str(in_safety))]))
    rows, every = await desk.progress(visit.user_id)
    return visit.page("desk_progress.html", rows=rows, every=every)


async def choose(visit: Visit) -> web.StreamResponse:
    """Tell those that are ticked, and nobody else."""
    form = await visit.form()
    await (await _desk(visit)).share(visit.user_id, form.lines("server"))
    return visit.go("/desk/progress", done="saved")


async def hide(visit: Visit) -> web.StreamResponse:
    """How small a figure may be that is told above."""
    form = await visit.form()
    visit.require(Right.POST_CIRCULARS)
    try:
        smallest, in_safety = (form.number(name, "人数", least=0, most=_MOST) for name in ("smallest", "in_safety"))
        await (await _desk(visit)).hide_below(visit.user_id, smallest, in_safety)
    except InvalidParam as fault:
        return await _sharing_page(visit, form, fault)
    return visit.go("/desk/progress", done="saved")


async def give_out(visit: Visit) -> web.StreamResponse:
    """The table as a file for a spreadsheet."""
    await visit.form()
    return visit.download(await (await _desk(visit)).progress_csv(visit.user_id), "text/csv", "町内会のようす.csv")


async def _sharing_page(visit: Visit, form: Form, fault: InvalidParam | None = None) -> web.Response:
    desk = await _desk(visit)
    return visit.page(
        "desk_progress_sharing.html", readers=desk.readers(visit.user_id), form=form,
        preview=await desk.preview(visit.user_id), fault=fault,
    )


async def _desk(visit: Visit) -> CityDesk:
    return (await visit.services.wide_area()).city
