"""Writing a circular: the form, what readers will see, sending; and correcting one that is on its round."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import MAX_TEXT, MAX_TITLE, Attachment, Category, Circular, Letter
from server.association.members.model import Audience, Right
from server.foundation.errors import NotFound, Refused
from server.web.attached_files import PDF, attachments_of, keeper_for, text_of_pdfs
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input, end_of_day_ms, input_date_of, moment_from_input
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_CATEGORIES = {category.value: category for category in Category}


def add_routes(routes: Routes) -> None:
    """From an empty form to a circular on its round."""
    routes.get("/desk/circulars/new", show_empty_form)
    routes.post("/desk/circulars/new", take_form)
    routes.get("/desk/circulars/{circular}/correct", show_correction)
    routes.post("/desk/circulars/{circular}/correct", correct)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """Title, text, category, files, audience, deadline."""
    visit.require_somewhere(Right.POST_CIRCULARS)
    chosen = ChosenAudience() if visit.may(Right.POST_CIRCULARS) else ChosenAudience("blocks")
    form = Form()
    like = visit.query("like")
    if like:
        # A good example: its words, not its files and its deadline.
        circular = (await visit.services.circulars.reader.one(visit.user_id, like)).circular
        form = Form([("title", circular.title), ("text", circular.text), ("category", circular.category.value)])
    return _form_page(visit, form, chosen, ())


async def take_form(visit: Visit) -> web.StreamResponse:
    """``step``: take the text out of the PDFs, show what readers will see, go back to the form, or send it round."""
    visit.require_somewhere(Right.POST_CIRCULARS)
    form = await visit.form(keeper_for(visit))
    attachments = await attachments_of(visit, [*form.lines("file"), *(upload.mxc for upload in form.uploads)])
    chosen = ChosenAudience.of_form(form)
    if form.line("step") == "edit":
        return _form_page(visit, form, chosen, attachments)
    brings_words = not form.text("text") and any(upload.content_type == PDF for upload in form.uploads)
    if form.line("step") == "read" or brings_words:
        return await _read_pdfs(visit, form, chosen, attachments)
    try:
        letter = letter_of(form, chosen.audience(), attachments)
        letter.check()
    except Refused as fault:
        return _form_page(visit, form, chosen, attachments, fault)
    if form.line("step") == "send":
        return await _send(visit, form, letter)
    if form.line("step") == "plan":
        return await _plan(visit, form, chosen, letter)
    return _preview_page(visit, form, chosen, letter)


async def _read_pdfs(
    visit: Visit, form: Form, chosen: ChosenAudience, attachments: tuple[Attachment, ...]
) -> web.StreamResponse:
    """The form again with the words of its PDFs below those that were typed, to be looked through."""
    try:
        found = await text_of_pdfs(visit, attachments)
    except Refused as fault:
        return _form_page(visit, form, chosen, attachments, fault)
    typed = form.text("text")
    if found and found not in typed:
        words = "\n\n".join(filter(None, [typed, found]))[:MAX_TEXT]
        form.fields = [("text", words), *(field for field in form.fields if field[0] != "text")]
    return _form_page(visit, form, chosen, attachments, read="found" if found else "nothing")


async def show_correction(visit: Visit) -> web.StreamResponse:
    """The form with what the circular says now."""
    circular = await _correctable(visit)
    form = Form([
        ("title", circular.title), ("text", circular.text), ("category", circular.category.value),
        ("deadline", "" if circular.deadline is None else input_date_of(circular.deadline)),
        *([("important", "yes")] if circular.is_important else []),
    ])
    return correction_page(visit, circular, form, circular.attachments)


async def correct(visit: Visit) -> web.StreamResponse:
    """Put the corrected text in the place of the old one, everywhere."""
    circular = await _correctable(visit)
    form = await visit.form(keeper_for(visit))
    urls = [*form.lines("file"), *(upload.mxc for upload in form.uploads)]
    attachments = await attachments_of(visit, urls, circular.attachments)
    try:
        letter = letter_of(form, circular.audience, attachments)
        revision = form.number("revision", "版", least=0, most=999_999_999)
        await visit.services.circulars.verbs.correct(
            visit.user_id, circular.id, letter, form.line("reason"), expected_revision=revision)
    except Refused as fault:
        if fault.status not in (400, 409, 412):
            raise
        # What was typed stays in the form; what somebody else has written meanwhile is shown above it.
        return correction_page(visit, await _correctable(visit), form, attachments, fault)
    return visit.go(f"/desk/circulars/{circular.id}", done="corrected")


async def _plan(visit: Visit, form: Form, chosen: ChosenAudience, letter: Letter) -> web.StreamResponse:
    """It goes round at a set time."""
    try:
        with visit.once(form) as is_first:
            if is_first:
                await visit.services.circulars.planned.plan(visit.user_id, letter, publish_ms(form))
    except Refused as fault:
        return _preview_page(visit, form, chosen, letter, fault)
    return visit.go("/desk/circulars", done="planned")


async def _send(visit: Visit, form: Form, letter: Letter) -> web.StreamResponse:
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go("/desk/circulars")
        circular = await visit.services.circulars.verbs.post(visit.user_id, letter)
    return visit.go(f"/desk/circulars/{circular.id}", done="sent")


async def _correctable(visit: Visit) -> Circular:
    visit.require_somewhere(Right.POST_CIRCULARS)
    reach = await visit.services.circulars.reader.reach(visit.user_id, visit.parts["circular"])
    if not reach.circular.title:
        raise NotFound("その回覧は ありません。")
    return reach.circular


def publish_ms(form: Form) -> int:
    """The day and time that a form names; raises ``InvalidParam``."""
    moment = moment_from_input(form.line("publish_day"), form.line("publish_time"), "回覧する日時")
    return round(moment.timestamp()) * 1000


def letter_of(form: Form, audience: Audience, attachments: tuple[Attachment, ...]) -> Letter:
    """What a form says; raises ``InvalidParam``."""
    deadline = form.line("deadline")
    return Letter(
        title=form.line("title"), text=form.text("text"), audience=audience, is_important=form.has("important"),
        category=_CATEGORIES.get(form.line("category"), Category.NOTICE), attachments=attachments,
        deadline=end_of_day_ms(day_from_input(deadline, "期限", "deadline")) if deadline else None,
    )


def _preview_page(
    visit: Visit, form: Form, chosen: ChosenAudience, letter: Letter, fault: Refused | None = None
) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_circular_preview.html", letter=letter, form=form, chosen=chosen, told=members.describe(letter.audience),
        count=len(members.audience(letter.audience)), once=visit.new_once(),
        fault=fault,
    )


def _form_page(
    visit: Visit, form: Form, chosen: ChosenAudience, attachments: tuple[Attachment, ...], fault: Refused | None = None,
    read: str = "",
) -> web.Response:
    """``read``: whether the PDFs said something (``found``, ``nothing``); empty where nobody has asked."""
    members = visit.services.members
    is_everywhere = visit.may(Right.POST_CIRCULARS)
    return visit.page(
        "desk_circular_new.html", read=read, form=form, chosen=chosen, attachments=attachments,
        categories=list(Category),
        fault=fault,
        blocks=members.blocks_with(visit.user_id, Right.POST_CIRCULARS),
        groups=members.groups() if is_everywhere else [], is_everywhere=is_everywhere,
        most_title=MAX_TITLE, most_text=MAX_TEXT,
    )


def correction_page(
    visit: Visit, circular: Circular, form: Form, attachments: tuple[Attachment, ...], fault: Refused | None = None
) -> web.Response:
    """The form with what was typed; above it what somebody else has written meanwhile."""
    return visit.page(
        "desk_circular_correct.html", circular=circular, form=form, attachments=attachments,
        categories=list(Category), fault=fault, most_title=MAX_TITLE, most_text=MAX_TEXT,
        told=visit.services.members.describe(circular.audience),
        other=circular if fault is not None and fault.status == 412 else None,
    )
