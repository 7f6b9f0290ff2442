"""Notices between nodes at the desk: what comes back about them, what can be done; an association lets them go round,
or not. And for everybody: whether a circular really comes from where it says. Writing is in ``desk_notice_writing``.
"""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Right
from server.foundation.errors import InvalidParam
from server.web.attached_files import answer_file, attachments_of, keeper_for, numbered
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.wide_area import NoticeView, WideAreaDesk

_ONE = "/desk/notices/{origin}/{id}"


def add_routes(routes: Routes) -> None:
    """Following notices."""
    routes.get("/desk/notices", show_notices)
    routes.get(_ONE, show_notice)
    routes.get(f"{_ONE}/figures", show_figures)
    routes.get(f"{_ONE}/{{number}}", show_file)
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


async def show_notice(visit: Visit) -> web.StreamResponse:
    """One notice: its text, what has come back, what can be done."""
    return await _notice_page(visit, "desk_notice.html")


async def show_figures(visit: Visit) -> web.StreamResponse:
    """Only what has come back, as it changes."""
    return await _notice_page(visit, "desk_notice_figures.html")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A file of a notice, also before it goes round."""
    notice = await (await visit.services.wide_area()).one(visit.user_id, _key(visit))
    file = numbered(notice.attachments, visit.parts["number"])
    return await answer_file(visit, file, is_small=visit.query("size") == "small")


async def give_out(visit: Visit) -> web.StreamResponse:
    """The figures as a file for a spreadsheet."""
    await visit.form()
    data = await (await visit.services.wide_area()).csv(visit.user_id, _key(visit))
    return visit.download(data, "text/csv", "一斉配信.csv")


async def do(visit: Visit) -> web.StreamResponse:
    """What the pressed button says."""
    visit.require(Right.POST_CIRCULARS)
    form, key, officer = await visit.form(keeper_for(visit)), _key(visit), visit.user_id
    desk = await visit.services.wide_area()
    match form.line("what"):
        case "correct":
            known = (await desk.one(officer, key)).attachments
            urls = [*form.lines("file"), *(upload.mxc for upload in form.uploads)]
            files = await attachments_of(visit, urls, known)
            await desk.correct(officer, key, form.line("title"), form.text("text"), form.line("reason"), files)
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
        case "public" | "private":
            await desk.make_public(officer, key, public=form.line("what") == "public")
            done = "saved"
        case _:
            raise InvalidParam("何を するか わかりませんでした。もう一度 おねがいします。")
    return visit.go(f"/desk/notices/{key}", done=done)


async def show_origin(visit: Visit) -> web.StreamResponse:
    """Whether a circular, a poll or a safety check is authentic."""
    _ = visit.person
    verdict = await (await visit.services.wide_area()).verify(visit.parts["item"])
    return visit.page("origin.html", verdict=verdict, item=visit.parts["item"])


async def _notice_page(visit: Visit, template: str) -> web.Response:
    desk = await visit.services.wide_area()
    notice = await desk.one(visit.user_id, _key(visit))
    return visit.page(
        template, notice=notice, now=visit.services.clock.now_ms(),
        sheet=await desk.sheet(visit.user_id, notice.key) if _is_told(notice, desk) else None,
    )


def _is_told(notice: NoticeView, desk: WideAreaDesk) -> bool:
    """Whether anything comes back here about a notice."""
    return notice.is_own or desk.may_invite


def _key(visit: Visit) -> str:
    return f"{visit.parts['origin']}/{visit.parts['id']}"
