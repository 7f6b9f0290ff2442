"""Links with the city, federations and associations, at the desk: invite, agree, end, what was refused."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from server.association.members.model import Right
from server.foundation.errors import InvalidParam, Refused
from server.web.forms import Form, about
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_LINES = 200_000


def add_routes(routes: Routes) -> None:
    """All pages of links."""
    routes.get("/desk/links", show_links)
    routes.post("/desk/links/invite", invite)
    routes.post("/desk/links/list", invite_list)
    routes.post("/desk/links/withdraw", withdraw)
    routes.post("/desk/links/look", look)
    routes.post("/desk/links/agree", agree)
    routes.post("/desk/links/end", end)
    routes.get("/desk/links/refusals", show_refusals)


async def show_links(visit: Visit) -> web.StreamResponse:
    """Who is linked, codes that were given out, and the form for a code."""
    return await _links_page(visit, Form())


async def invite(visit: Visit) -> web.StreamResponse:
    """A fresh code, shown once, with its QR code."""
    form = await visit.form()
    desk = await visit.services.wide_area()
    try:
        offer = await desk.invite(
            visit.user_id, form.line("kind"), form.line("name"), (form.line("area"), form.line("area_name")))
    except Refused as fault:
        return await _links_page(visit, form, fault)
    svg = await visit.services.roster.papers.qr_svg(offer.code)
    return visit.page("desk_link_offer.html", offer=offer, qr=Markup(svg))  # noqa: S704 - drawn by our own worker


async def invite_list(visit: Visit) -> web.StreamResponse:
    """Codes for a whole list, as a file."""
    form = await visit.form()
    text = form.text("list")
    if not text or len(text) > _MOST_LINES:
        raise InvalidParam("名前の一覧を 入れてください。")
    data = await (await visit.services.wide_area()).invite_list(visit.user_id, text)
    return visit.download(data, "text/csv", "招待コード.csv")


async def withdraw(visit: Visit) -> web.StreamResponse:
    """A code that nobody shall use any more."""
    form = await visit.form()
    await (await visit.services.wide_area()).withdraw(visit.user_id, form.line("code"))
    return visit.go("/desk/links", done="withdrawn")


async def look(visit: Visit) -> web.StreamResponse:
    """What a code offers, before anybody agrees."""
    form = await visit.form()
    code = form.line("code")
    try:
        with about("code"):
            words = await (await visit.services.wide_area()).summary(visit.user_id, code)
    except Refused as fault:
        return await _links_page(visit, form, fault)
    return visit.page("desk_link_look.html", code=code, words=words)


async def agree(visit: Visit) -> web.StreamResponse:
    """Link."""
    form = await visit.form()
    await (await visit.services.wide_area()).agree(visit.user_id, form.line("code"))
    return visit.go("/desk/links", done="linked")


async def end(visit: Visit) -> web.StreamResponse:
    """End a link; the other side is told."""
    form = await visit.form()
    await (await visit.services.wide_area()).end(visit.user_id, form.line("room"), form.line("reason"))
    return visit.go("/desk/links", done="link_ended")


async def show_refusals(visit: Visit) -> web.StreamResponse:
    """What other servers have sent and was not taken."""
    visit.require(Right.POST_CIRCULARS)
    desk = await visit.services.wide_area()
    return visit.page("desk_link_refusals.html", refusals=await desk.refusals(visit.user_id))


async def _links_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    visit.require(Right.POST_CIRCULARS)
    desk = await visit.services.wide_area()
    return visit.page(
        "desk_links.html", desk=desk, links=await desk.links(visit.user_id), form=form, fault=fault,
        codes=await desk.codes(visit.user_id) if desk.may_invite else (),
    )
