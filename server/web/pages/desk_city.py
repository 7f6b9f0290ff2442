"""The city's calendar: taken in from the file that the city publishes."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from server.association.members.model import Right
from server.calendars.public_entries import MAX_BYTES
from server.foundation.errors import InvalidParam, Refused
from server.web.forms import Upload, bytes_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The form."""
    routes.get("/desk/city-calendar", show_form)
    routes.post("/desk/city-calendar", take_in)
    routes.post("/desk/city-calendar/address", subscribe)
    routes.post("/desk/city-calendar/stop", unsubscribe)


async def show_form(visit: Visit) -> web.StreamResponse:
    """Where it comes from, and the forms for an address and for a file."""
    visit.require(Right.ARRANGE_GATHERINGS)
    return await _page(visit)


async def take_in(visit: Visit) -> web.StreamResponse:
    """Put its entries in place of those before."""
    visit.require(Right.ARRANGE_GATHERINGS)
    form = await visit.form(_whole_file)
    try:
        if not form.uploads:
            raise InvalidParam("ファイルを えらんでください。")
        count, bad = await visit.services.daily.city.take_in(visit.user_id, form.uploads[0].data)
    except Refused as fault:
        return await _page(visit, fault=fault)
    told = f"{count}の予定を 入れました。" + (f"{bad}は 読めませんでした。" if bad else "")
    return await _page(visit, told)


async def subscribe(visit: Visit) -> web.StreamResponse:
    """Fetch it from an address from now on."""
    visit.require(Right.ARRANGE_GATHERINGS)
    form = await visit.form()
    try:
        await visit.services.daily.city.subscribe(visit.user_id, form.line("url"))
    except Refused as fault:
        return await _page(visit, fault=fault, url=form.line("url"))
    return visit.go("/desk/city-calendar", done="saved")


async def unsubscribe(visit: Visit) -> web.StreamResponse:
    """Fetch it no more."""
    await visit.form()
    await visit.services.daily.city.unsubscribe(visit.user_id)
    return visit.go("/desk/city-calendar", done="saved")


async def _page(visit: Visit, told: str = "", fault: Refused | None = None, url: str = "") -> web.Response:
    known = await visit.services.daily.city.subscription(visit.user_id)
    return visit.page(
        "desk_city.html", told=told, known=known, fault=fault, url=url,
    )


async def _whole_file(part: BodyPartReader) -> Upload:
    return Upload(part.name or "", part.filename or "", "text/calendar", data=await bytes_of(part, MAX_BYTES))
