"""Circulars that wait for their time: look, change, send at once, give up."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import MAX_TEXT, MAX_TITLE, Attachment, Category
from server.association.circulars.planned import Planned
from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import NotFound, Refused
from server.web.attached_files import attachments_of, keeper_for
from server.web.dates import input_date_of
from server.web.forms import Form
from server.web.pages.desk_writing import correction_page, letter_of, publish_ms
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One planned circular."""
    routes.get("/desk/circulars/planned/{planned}", show_planned)
    routes.post("/desk/circulars/planned/{planned}", change)
    routes.post("/desk/circulars/planned/{planned}/now", send_now)
    routes.post("/desk/circulars/planned/{planned}/drop", drop)


async def show_planned(visit: Visit) -> web.StreamResponse:
    """What it says, when it goes round, and the form to change both."""
    visit.require_somewhere(Right.POST_CIRCULARS)
    planned = visit.services.circulars.planned.one(visit.user_id, visit.parts["planned"])
    letter, moment = planned.letter, tokyo_time(planned.publish_ts)
    form = Form([
        ("title", letter.title), ("text", letter.text), ("category", letter.category.value),
        ("deadline", "" if letter.deadline is None else input_date_of(letter.deadline)),
        *([("important", "yes")] if letter.is_important else []),
        ("publish_day", moment.date().isoformat()), ("publish_time", f"{moment:%H:%M}"),
    ])
    return _page(visit, planned, form, letter.attachments)


async def change(visit: Visit) -> web.StreamResponse:
    """Other words or another time; what was typed is not lost where somebody else was faster."""
    visit.require_somewhere(Right.POST_CIRCULARS)
    verbs = visit.services.circulars.planned
    form = await visit.form(keeper_for(visit))
    urls = [*form.lines("file"), *(upload.mxc for upload in form.uploads)]
    try:
        planned = verbs.one(visit.user_id, visit.parts["planned"])
    except NotFound as gone:
        return await _now_going_round(visit, form, urls, gone)
    attachments = await attachments_of(visit, urls, planned.letter.attachments)
    try:
        letter = letter_of(form, planned.letter.audience, attachments)
        revision = form.number("revision", "版", least=0, most=999_999_999)
        await verbs.change(visit.user_id, planned.id, letter, publish_ms(form), revision)
    except Refused as fault:
        if fault.status not in (400, 409, 412):
            raise
        return _page(visit, verbs.one(visit.user_id, planned.id), form, attachments, fault)
    return visit.go("/desk/circulars", done="planned")


async def send_now(visit: Visit) -> web.StreamResponse:
    """It goes round at once."""
    await visit.form()
    circular = await visit.services.circulars.planned.publish_now(visit.user_id, visit.parts["planned"])
    return visit.go(f"/desk/circulars/{circular.id}", done="sent")


async def drop(visit: Visit) -> web.StreamResponse:
    """It does not go round."""
    await visit.form()
    await visit.services.circulars.planned.drop(visit.user_id, visit.parts["planned"])
    return visit.go("/desk/circulars", done="removed")


async def _now_going_round(visit: Visit, form: Form, urls: list[str], gone: NotFound) -> web.Response:
    """It has gone round while somebody was changing it: what was typed becomes a correction, if they want."""
    circular = (await visit.services.circulars.reader.one(visit.user_id, visit.parts["planned"])).circular
    attachments = await attachments_of(visit, urls, circular.attachments)
    fault = Refused(f"{gone.reason}。下のものを、訂正として おくれます。", status=412)
    return correction_page(visit, circular, form, attachments, fault)


def _page(
    visit: Visit, planned: Planned, form: Form, attachments: tuple[Attachment, ...], fault: Refused | None = None
) -> web.Response:
    issuer = visit.services.members.person_of_user(planned.officer)
    return visit.page(
        "desk_circular_planned.html", planned=planned, form=form, attachments=attachments, categories=list(Category),
        told=visit.services.members.describe(planned.letter.audience), issuer="" if issuer is None else issuer.name,
        most_title=MAX_TITLE, most_text=MAX_TEXT, fault=fault,
        other=planned.letter if fault is not None and fault.status == 412 else None,
    )
