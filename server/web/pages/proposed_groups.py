"""Residents found groups: the form, taking it back; at the desk approving, declining, and whether it is allowed."""

from __future__ import annotations

from aiohttp import web

from server.association.groups.model import MAX_ABOUT
from server.association.groups.proposal import MAX_REASON, Category, checked_wish
from server.association.members.model import Right
from server.association.members.names import MAX_NAME_CHARACTERS
from server.foundation.errors import Refused
from server.web.forms import Form
from server.web.photos import name_of
from server.web.routing import Routes
from server.web.visit import Visit

_DESK = "/desk/proposed-groups"


def add_routes(routes: Routes) -> None:
    """For residents, and for officers who look after groups."""
    routes.get("/groups/new", show_form)
    routes.post("/groups/new", propose)
    routes.post("/groups/new/withdraw", withdraw)
    routes.get(_DESK, show_waiting)
    routes.post(_DESK, set_open)
    routes.post(f"{_DESK}/{{proposal}}", decide)


async def show_form(visit: Visit) -> web.StreamResponse:
    """Name, what for, what kind."""
    return await _form_page(visit, Form())


async def propose(visit: Visit) -> web.StreamResponse:
    """Ask for it, once however often the button is pressed."""
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if is_first:
                wish = checked_wish(form.line("name"), form.text("about"), form.line("category"))
                await visit.services.common.proposals.propose(visit.user_id, wish)
    except Refused as fault:
        if fault.status not in (400, 409):
            raise
        return await _form_page(visit, form, fault)
    return visit.go("/groups", done="asked")


async def withdraw(visit: Visit) -> web.StreamResponse:
    """Not wanted any more."""
    form = await visit.form()
    await visit.services.common.proposals.withdraw(visit.user_id, form.line("proposal"))
    return visit.go("/groups", done="withdrawn")


async def show_waiting(visit: Visit) -> web.StreamResponse:
    """What waits for a yes; and whether residents may propose."""
    return await _desk_page(visit)


async def set_open(visit: Visit) -> web.StreamResponse:
    """Whether residents may propose groups."""
    form = await visit.form()
    await visit.services.common.proposals.set_open(visit.user_id, is_open=form.line("propose") == "yes")
    return visit.go(_DESK, done="saved")


async def decide(visit: Visit) -> web.StreamResponse:
    """Approve it, or decline it with a reason. Who was slower reads who has decided."""
    form, proposals, proposal_id = await visit.form(), visit.services.common.proposals, visit.parts["proposal"]
    try:
        if form.line("step") == "approve":
            await proposals.approve(visit.user_id, proposal_id)
        else:
            await proposals.decline(visit.user_id, proposal_id, form.text("reason"))
    except Refused as fault:
        if fault.status not in (400, 409):
            raise
        return await _desk_page(visit, fault)
    return visit.go(_DESK, done="saved")


async def _form_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    _ = visit.person
    return visit.page(
        "group_new.html", form=form, categories=list(Category), most=(MAX_NAME_CHARACTERS, MAX_ABOUT),
        is_open=await visit.services.common.proposals.are_open(), once=visit.new_once(),
        fault=fault,
    )


async def _desk_page(visit: Visit, fault: Refused | None = None) -> web.Response:
    visit.require(Right.MODERATE)
    proposals = visit.services.common.proposals
    waiting = [(item, name_of(visit, item.user_id)) for item in await proposals.waiting(visit.user_id)]
    return visit.page(
        "desk_proposed_groups.html", waiting=waiting, is_open=await proposals.are_open(), most=MAX_REASON,
        fault=fault,
    )
