"""Notices between nodes at the desk: the city writes and sends them and sees what comes back; an association lets
them go round, or not. And for everybody: whether a circular really comes from where it says.
"""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Right
from server.foundation.errors import InvalidParam
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.wide_area import Draft

_ONE = "/desk/notices/{origin}/{id}"


def add_routes(routes: Routes) -> None:
    """All pages of notices."""
    routes.get("/desk/notices", show_notices)
    routes.get("/desk/notices/new", show_form)
    routes.post("/desk/notices/new", show_sure)
    routes.post("/desk/notices/send", send)
    routes.get(_ONE, show_notice)
    routes.post(f"{_ONE}/file", give_out)
    routes.post(f"{_ONE}/do", do)
    routes.get("/origin/{item}", show_origin)


async def show_notices(visit: Visit) -> web.StreamResponse:
    """What was sent, and what has come."""
    visit.require(Right.POST_CIRCULARS)
    desk = await visit.services.wide_area()
    return visit.page(
        "desk_notices.html", desk=desk, received=await desk.received(visit.user_id),
        sent=await desk.sent(visit.user_id) if desk.may_invite else (),
    )


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a new notice."""
    visit.require(Right.POST_CIRCULARS)
    desk = await visit.services.wide_area()
    return visit.page("desk_notice_new.html", desk=desk, areas=await desk.areas())


async def show_sure(visit: Visit) -> web.StreamResponse:
    """What is going to be sent, and to whom; nothing is sent yet."""
    draft = _draft(await visit.form())
    desk = await visit.services.wide_area()
    names = await desk.reaches(visit.user_id, draft)
    areas = dict(await desk.areas())
    return visit.page(
        "desk_notice_sure.html", desk=desk, draft=draft, names=names, once=visit.new_once(),
        told={"areas": "、".join(areas.get(code, code) for code in draft.areas),
              "kind": dict(desk.kinds)[draft.kind], "category": dict(desk.categories)[draft.category],
              "priority": dict(desk.priorities)[draft.priority]},
    )


async def send(visit: Visit) -> web.StreamResponse:
    """Send it, once however often the button is pressed."""
    form = await visit.form()
    draft = _draft(form)
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go("/desk/notices")
        key = await (await visit.services.wide_area()).send(visit.user_id, draft)
    return visit.go(f"/desk/notices/{key}", done="sent")


async def show_notice(visit: Visit) -> web.StreamResponse:
    """One notice: its text, what has come back, what can be done."""
    desk = await visit.services.wide_area()
    notice = await desk.one(visit.user_id, _key(visit))
    is_told = notice.is_own or desk.may_invite
    return visit.page(
        "desk_notice.html", notice=notice, sheet=await desk.sheet(visit.user_id, notice.key) if is_told else None)


async def give_out(visit: Visit) -> web.StreamResponse:
    """The figures as a file for a spreadsheet."""
    await visit.form()
    data = await (await visit.services.wide_area()).csv(visit.user_id, _key(visit))
    return visit.download(data, "text/csv", "一斉配信.csv")


async def do(visit: Visit) -> web.StreamResponse:
    """What the pressed button says."""
    form, key, officer = await visit.form(), _key(visit), visit.user_id
    desk = await visit.services.wide_area()
    match form.line("what"):
        case "correct":
            await desk.correct(officer, key, form.line("title"), form.text("text"), form.line("reason"))
            done = "corrected"
        case "cancel":
            await desk.cancel(officer, key, form.line("reason"))
            done = "withdrawn"
        case "close":
            await desk.close(officer, key)
            done = "notice_closed"
        case "approve":
            await desk.approve(officer, key, form.text("note"))
            done = "approved"
        case "decline":
            await desk.decline(officer, key, form.line("reason"))
            done = "declined"
        case "note":
            await desk.add_note(officer, key, form.text("note"))
            done = "saved"
        case _:
            raise InvalidParam("何を するか わかりませんでした。もう一度 おねがいします。")
    return visit.go(f"/desk/notices/{key}", done=done)


async def show_origin(visit: Visit) -> web.StreamResponse:
    """Whether a circular, a poll or a safety check is authentic."""
    _ = visit.person
    verdict = await (await visit.services.wide_area()).verify(visit.parts["item"])
    return visit.page("origin.html", verdict=verdict, item=visit.parts["item"])


def _key(visit: Visit) -> str:
    return f"{visit.parts['origin']}/{visit.parts['id']}"


def _draft(form: Form) -> Draft:
    return Draft(
        title=form.line("title"), text=form.text("text"), areas=tuple(form.lines("area")),
        category=form.line("category"), priority=form.line("priority"), kind=form.line("kind"),
        office=form.line("office"), drill=form.has("drill"),
        choices=tuple(line.strip() for line in form.text("choices").split("\n") if line.strip()),
    )
