"""Questions at the desk: what waits, who looks after it, answering, and writing down what was asked on paper."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.inquiries.model import ASKED_BY, MAX_ASKER, MAX_TEXT, Inquiry, Side, State
from server.association.members.came_by import CameBy
from server.association.members.model import Person, Right
from server.foundation.errors import InvalidParam, Refused
from server.web.attached_files import answer_file
from server.web.forms import Form
from server.web.pages.talk import as_attachment
from server.web.routing import Routes
from server.web.visit import Visit

_SHOWN: Final = 100
_FOUND: Final = 20


def add_routes(routes: Routes) -> None:
    """The inbox."""
    routes.get("/desk/inquiries", show_inbox)
    routes.get("/desk/inquiries/new", show_empty_form)
    routes.post("/desk/inquiries/new", enter)
    routes.get("/desk/inquiries/{inquiry}", show_inquiry)
    routes.post("/desk/inquiries/{inquiry}", act)
    routes.get("/desk/inquiries/{inquiry}/files/{line}", show_file)


async def show_inbox(visit: Visit) -> web.StreamResponse:
    """What waits longest first; ``only``: one's own, or what is answered."""
    verbs, only = visit.services.inquiries, visit.query("only")
    every = verbs.inbox(visit.user_id)
    found = [item for item in every if _is_wanted(item, only, visit.user_id)][:_SHOWN]
    return visit.page(
        "desk_inquiries.html", inquiries=found, words=await verbs.first_words(visit.user_id, found), only=only,
        waiting=sum(item.state is not State.ANSWERED for item in every), State=State,
        who=lambda item: _who(visit, item), name_of=lambda user_id: _name_of(visit, user_id),
    )


async def show_inquiry(visit: Visit) -> web.StreamResponse:
    """One question with everything that was said, and what can be done."""
    return await _inquiry_page(visit, Form())


async def act(visit: Visit) -> web.StreamResponse:
    """Take it, give it on, put it back, answer, close: ``step``. What somebody else did meanwhile is shown first, and
    nothing that was typed is lost.
    """
    form = await visit.form()
    try:
        done = await _do(visit, form)
    except (InvalidParam, Refused) as fault:
        if fault.status not in (400, 409, 412):
            raise
        return await _inquiry_page(visit, form, fault)
    return visit.go(f"/desk/inquiries/{visit.parts['inquiry']}", done=done)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A question on paper or by telephone: first whose it is."""
    visit.require(Right.READ_DESK)
    return _new_page(visit, Form([("person", visit.query("person"))]))


async def enter(visit: Visit) -> web.StreamResponse:
    """Write it down, once however often the button is pressed."""
    form = await visit.form()
    visit.require(Right.READ_DESK)
    try:
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/desk/inquiries")
            inquiry = await visit.services.inquiries.enter(
                visit.user_id, form.text("text"), CameBy.written_down(form.line("channel")),
                person_id=form.line("person"), asker=form.line("asker"),
            )
    except InvalidParam as fault:
        return _new_page(visit, form, fault)
    return visit.go(f"/desk/inquiries/{inquiry.id}", done="entered")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A photo that a resident has sent."""
    photo = await visit.services.inquiries.photo(visit.user_id, visit.parts["line"])
    return await answer_file(visit, as_attachment(photo), is_small=visit.query("size") == "small")


async def _do(visit: Visit, form: Form) -> str:
    verbs, officer, inquiry_id = visit.services.inquiries, visit.user_id, visit.parts["inquiry"]
    revision, step = form.number("revision", "版", least=0, most=999_999_999), form.line("step")
    if step == "answer":
        await verbs.answer(officer, inquiry_id, revision, form.text("text"))
        return "sent"
    if step == "take":
        await verbs.take(officer, inquiry_id, revision, form.line("owner"))
    elif step == "put_back":
        await verbs.put_back(officer, inquiry_id, revision)
    elif step == "close":
        await verbs.close(officer, inquiry_id, revision)
    else:
        raise InvalidParam("ボタンを もう一度 おしてください。")
    return "saved"


async def _inquiry_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    inquiry, lines = await visit.services.inquiries.one(visit.user_id, visit.parts["inquiry"])
    members = visit.services.members
    others = [person for person in members.persons()
              if person.user_id and person.user_id != inquiry.owner and members.may(person.user_id, Right.READ_DESK)]
    has_desk = bool(inquiry.person_id) and members.desk_room_of(inquiry.person_id) is not None
    phone = members.person(inquiry.person_id).phone if inquiry.person_id else ""
    return visit.page(
        "desk_inquiry.html", inquiry=inquiry, lines=lines, form=form, fault=fault, State=State, Side=Side,
        who=_who(visit, inquiry), phone=phone,
        owner=_name_of(visit, inquiry.owner), others=others, has_desk=has_desk, most=MAX_TEXT,
        name_of=lambda user_id: _name_of(visit, user_id),
    )


def _new_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    members, query = visit.services.members, visit.query("q")
    chosen = form.line("person")
    return visit.page(
        "desk_inquiry_new.html", form=form, query=query, found=_persons(visit, query),
        fault=fault, person=members.person(chosen) if chosen else None,
        block_of=lambda person: members.block_of(person.id).name, most=MAX_TEXT, most_asker=MAX_ASKER,
        ways={way: ASKED_BY[way] for way in (CameBy.PHONE, CameBy.PAPER, CameBy.DOOR)}, once=visit.new_once(),
    )


def _persons(visit: Visit, query: str) -> list[Person]:
    wanted = query.replace(" ", "").replace("\u3000", "")
    if not wanted:
        return []
    return [person for person in visit.services.members.persons()
            if wanted in person.name.replace(" ", "") or wanted in person.kana.replace(" ", "")][:_FOUND]


def _is_wanted(inquiry: Inquiry, only: str, officer: str) -> bool:
    if only == "mine":
        return inquiry.owner == officer and inquiry.state is not State.ANSWERED
    return (inquiry.state is State.ANSWERED) == (only == "answered")


def _who(visit: Visit, inquiry: Inquiry) -> str:
    """Who has asked, with their block."""
    if not inquiry.person_id:
        return inquiry.asker
    members = visit.services.members
    return f"{members.block_of(inquiry.person_id).name} {members.person(inquiry.person_id).name}"


def _name_of(visit: Visit, user_id: str) -> str:
    person = visit.services.members.person_of_user(user_id) if user_id else None
    return "" if person is None else person.name
