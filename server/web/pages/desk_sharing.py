"""Sharing with neighbours, at the desk: offer, look before agreeing, agree, end."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from server.association.members.model import Right
from server.foundation.errors import Refused
from server.web.forms import Form, about
from server.web.routing import Routes
from server.web.sharing import SharingDesk
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """All pages of sharing that officers need."""
    routes.get("/desk/sharing", show_shares)
    routes.post("/desk/sharing/offer", offer)
    routes.post("/desk/sharing/withdraw", withdraw)
    routes.post("/desk/sharing/look", look)
    routes.post("/desk/sharing/agree", agree)
    routes.post("/desk/sharing/end", end)


async def show_shares(visit: Visit) -> web.StreamResponse:
    """With whom is shared and what exactly, codes, and the two forms."""
    return await _shares_page(visit, await _desk(visit), Form())


async def offer(visit: Visit) -> web.StreamResponse:
    """A fresh code, shown once, with its QR code and with what will be seen."""
    form = await visit.form()
    desk = await _desk(visit)
    try:
        card = await desk.offer(visit.user_id, form.line("name"), form.lines("subject"), form.lines("facility"))
    except Refused as fault:
        return await _shares_page(visit, desk, form, fault)
    svg = await visit.services.roster.papers.qr_svg(card.code)
    return visit.page("desk_sharing_offer.html", card=card, qr=Markup(svg))  # noqa: S704 - drawn by our own worker


async def withdraw(visit: Visit) -> web.StreamResponse:
    """A code that nobody shall use any more."""
    form = await visit.form()
    await (await _desk(visit)).withdraw(visit.user_id, form.line("code"))
    return visit.go("/desk/sharing", done="withdrawn")


async def look(visit: Visit) -> web.StreamResponse:
    """What a neighbour offers and what we would show, before anybody agrees."""
    form = await visit.form()
    desk, code = await _desk(visit), form.line("code")
    try:
        with about("code"):
            found = await desk.look(visit.user_id, code)
    except Refused as fault:
        return await _shares_page(visit, desk, form, fault)
    return visit.page(
        "desk_sharing_look.html", code=code, offer=found, facilities=desk.facilities(), shown_now=desk.shown_now(),
        has_facilities=any(value == "facilities" for value, _ in found.subjects),
    )


async def agree(visit: Visit) -> web.StreamResponse:
    """Share."""
    form = await visit.form()
    desk = await _desk(visit)
    await desk.agree(visit.user_id, form.line("code"), form.lines("subject"), form.lines("facility"))
    return visit.go("/desk/sharing", done="sharing")


async def end(visit: Visit) -> web.StreamResponse:
    """End it; what was shown is gone on both sides."""
    form = await visit.form()
    await (await _desk(visit)).end(visit.user_id, form.line("share"), form.line("reason"))
    return visit.go("/desk/sharing", done="share_ended")


async def _shares_page(
    visit: Visit, desk: SharingDesk, form: Form, fault: Refused | None = None
) -> web.Response:
    return visit.page(
        "desk_sharing.html", shares=await desk.shares(visit.user_id), codes=await desk.codes(visit.user_id),
        subjects=desk.subjects, facilities=desk.facilities(), shown_now=desk.shown_now(), form=form, fault=fault,
    )


async def _desk(visit: Visit) -> SharingDesk:
    visit.require(Right.POST_CIRCULARS)
    return await visit.services.sharing()
