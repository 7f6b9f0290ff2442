"""Writing a notice for many associations: the form with its files, what is going to be sent and to whom, sending."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import Attachment
from server.association.members.model import Right
from server.foundation.errors import Forbidden, Refused
from server.web.attached_files import attachments_of, keeper_for
from server.web.dates import day_from_input, end_of_day_ms
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit
from server.web.wide_area import Draft, WideAreaDesk

_EMPTY = Form([("kind", "notice"), ("category", "administration"), ("priority", "ordinary"), ("people", "everyone"),
               ("openness", "by_category")])


def add_routes(routes: Routes) -> None:
    """From an empty form to a notice on its way."""
    routes.get("/desk/notices/new", show_form)
    routes.post("/desk/notices/new", take_form)
    routes.post("/desk/notices/send", send)


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a new notice."""
    desk = await _writing_desk(visit)
    areas = await desk.areas()
    form = Form([*_EMPTY.fields, *(("area", code) for code, _ in areas[:1])])
    return await _form_page(visit, desk, form, ())


async def take_form(visit: Visit) -> web.StreamResponse:
    """What is going to be sent, and to whom; or back to the form. Nothing is sent yet."""
    desk = await _writing_desk(visit)
    form = await visit.form(keeper_for(visit))
    files = await _files(visit, form)
    if form.line("step") == "edit":
        return await _form_page(visit, desk, form, files)
    try:
        draft = _draft(form, files)
        names = await desk.reaches(visit.user_id, draft)
        is_public = desk.is_to_be_public(draft)
    except Refused as fault:
        return await _form_page(visit, desk, form, files, fault)
    areas = dict(await desk.areas())
    return visit.page(
        "desk_notice_sure.html", desk=desk, draft=draft, form=form, names=names, once=visit.new_once(),
        is_public=is_public,
        told={"areas": "、".join(areas.get(code, code) for code in draft.areas),
              "kind": dict(desk.kinds)[draft.kind], "category": dict(desk.categories)[draft.category],
              "priority": dict(desk.priorities)[draft.priority]},
    )


async def send(visit: Visit) -> web.StreamResponse:
    """Send it, once however often the button is pressed."""
    form = await visit.form()
    draft = _draft(form, await _files(visit, form))
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go("/desk/notices")
        key = await (await visit.services.wide_area()).send(visit.user_id, draft)
    return visit.go(f"/desk/notices/{key}", done="sent")


async def _writing_desk(visit: Visit) -> WideAreaDesk:
    visit.require(Right.POST_CIRCULARS)
    desk = await visit.services.wide_area()
    if not desk.may_invite:
        raise Forbidden("町内会のノードからは、一斉配信はできません")
    return desk


async def _form_page(
    visit: Visit, desk: WideAreaDesk, form: Form, files: tuple[Attachment, ...], fault: Refused | None = None
) -> web.Response:
    return visit.page(
        "desk_notice_new.html", desk=desk, areas=await desk.areas(), form=form, attachments=files,
        fault=fault,
    )


async def _files(visit: Visit, form: Form) -> tuple[Attachment, ...]:
    return await attachments_of(visit, [*form.lines("file"), *(upload.mxc for upload in form.uploads)])


def _draft(form: Form, files: tuple[Attachment, ...]) -> Draft:
    return Draft(
        title=form.line("title"), text=form.text("text"), areas=tuple(form.lines("area")),
        category=form.line("category"), priority=form.line("priority"), kind=form.line("kind"),
        office=form.line("office"), drill=form.has("drill"), attachments=files,
        choices=tuple(line.strip() for line in form.text("choices").split("\n") if line.strip()),
        for_officers=form.line("people") == "officers", deadline=_end_of(form, "deadline", "期限"),
        expires=_end_of(form, "expires", "掲載の終わり"), openness=form.line("openness") or "no",
    )


def _end_of(form: Form, field: str, what: str) -> int | None:
    day = form.line(field)
    return end_of_day_ms(day_from_input(day, what)) if day else None
