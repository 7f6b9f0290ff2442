"""The neighbours (近所の町会) as residents see them: their gatherings, facilities that can be asked for, the board."""

from __future__ import annotations

from datetime import date, timedelta

from aiohttp import web

from server.association.bookings.model import MAX_TITLE, Wish
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam, Refused
from server.web.dates import day_from_input, moment_from_input
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_SHOWN = 60


def add_routes(routes: Routes) -> None:
    """The list, a facility, what one has asked, the board, a picture."""
    routes.get("/neighbours", show_neighbours)
    routes.get("/neighbours/{share}/facilities/{facility}", show_facility)
    routes.post("/neighbours/{share}/facilities/{facility}", ask)
    routes.post("/neighbours/take-back", take_back)
    routes.post("/neighbours/board", enter_board)
    routes.get("/neighbours/{share}/photos/{hazard}", show_photo)


async def show_neighbours(visit: Visit) -> web.StreamResponse:
    """Everything that they show."""
    desk, user_id = await visit.services.sharing(), visit.user_id
    return visit.page(
        "neighbours.html", neighbours=await desk.neighbours(user_id), asked=await desk.asked(user_id),
        gatherings=await desk.gatherings(user_id, _MOST_SHOWN), facilities=await desk.far_facilities(user_id),
    )


async def show_facility(visit: Visit) -> web.StreamResponse:
    """What is free on a day, and the form."""
    today = tokyo_time(visit.services.clock.now_ms()).date()
    day = day_from_input(visit.query("day"), "予約") if visit.query("day") else today + timedelta(days=1)
    return await _facility_page(visit, Form(), day)


async def ask(visit: Visit) -> web.StreamResponse:
    """Ask for it, once however often the button is pressed."""
    form = await visit.form()
    desk = await visit.services.sharing()
    try:
        with visit.once(form) as is_first:
            if is_first:
                await desk.ask(visit.user_id, visit.parts["share"], Wish(
                    visit.parts["facility"], moment_from_input(form.line("day"), form.line("start"), "はじまり"),
                    moment_from_input(form.line("day"), form.line("end"), "おわり"), form.line("title"),
                ))
    except Refused as fault:
        return await _facility_page(visit, form, _day_of(visit, form), fault)
    return visit.go("/neighbours", done="asked")


async def take_back(visit: Visit) -> web.StreamResponse:
    """Not wanted any more."""
    form = await visit.form()
    await (await visit.services.sharing()).take_back(visit.user_id, form.line("asked"))
    return visit.go("/neighbours", done="taken_back")


async def enter_board(visit: Visit) -> web.StreamResponse:
    """With one's own account; the page has said that the others see the name."""
    form = await visit.form()
    await (await visit.services.sharing()).enter_board(visit.user_id, form.line("share"))
    return visit.go("/neighbours", done="board_entered")


async def show_photo(visit: Visit) -> web.StreamResponse:
    """The picture of a neighbour's hazard report, small."""
    desk = await visit.services.sharing()
    path, kind = await desk.photo(visit.user_id, visit.parts["share"], visit.parts["hazard"])
    return web.FileResponse(path, headers={
        "Content-Type": kind, "Cache-Control": "private, max-age=3600",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    })


def _day_of(visit: Visit, form: Form) -> date:
    try:
        return day_from_input(form.line("day"), "予約")
    except InvalidParam:
        return tokyo_time(visit.services.clock.now_ms()).date()


async def _facility_page(visit: Visit, form: Form, day: date, fault: Refused | None = None) -> web.Response:
    desk = await visit.services.sharing()
    item, free = await desk.far_facility(visit.user_id, visit.parts["share"], visit.parts["facility"], day)
    return visit.page(
        "neighbour_facility.html", item=item, facility=item.facility, free=free, day=day.isoformat(), form=form,
        on=day, before=(day - timedelta(days=1)).isoformat(), most=MAX_TITLE,
        after=(day + timedelta(days=1)).isoformat(), once=visit.new_once(),
        fault=fault,
    )
