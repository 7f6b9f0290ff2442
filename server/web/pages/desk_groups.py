"""Groups at the desk: founding one, who looks after it."""

from __future__ import annotations

from aiohttp import web

from server.association.groups.model import MAX_ABOUT
from server.association.members.model import Person, Right
from server.foundation.errors import InvalidParam, Refused
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The list with the form for a new one; one group."""
    routes.get("/desk/groups", show_list)
    routes.post("/desk/groups", found)
    routes.get("/desk/groups/{group}", show_group)
    routes.post("/desk/groups/{group}/leaders", set_leader)


async def show_list(visit: Visit) -> web.StreamResponse:
    """All groups, and the form."""
    return await _list_page(visit, Form())


async def found(visit: Visit) -> web.StreamResponse:
    """A new group."""
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if is_first:
                leader = _person_called(visit, form.line("leader")).id if form.line("leader") else ""
                await visit.services.common.groups.found(visit.user_id, form.line("name"), leader, form.text("about"))
    except Refused as fault:
        return await _list_page(visit, form, fault)
    return visit.go("/desk/groups", done="saved")


async def show_group(visit: Visit) -> web.StreamResponse:
    """Who is in it, and who looks after it."""
    return await _group_page(visit)


async def set_leader(visit: Visit) -> web.StreamResponse:
    """Let somebody look after it (by ``name``), or no more (``person``)."""
    form, group_id, editor = await visit.form(), visit.parts["group"], visit.services.roster.editor
    try:
        person_id = form.line("person") or _person_called(visit, form.line("name")).id
        await editor.set_leader(visit.user_id, group_id, person_id, leads=not form.has("person"))
    except InvalidParam as fault:
        return await _group_page(visit, fault)
    return visit.go(f"/desk/groups/{group_id}", done="saved")


async def _list_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    visit.require(Right.EDIT_ROSTER)
    return visit.page(
        "desk_groups.html", lines=await visit.services.common.groups.all(visit.user_id), form=form, most=MAX_ABOUT,
        once=visit.new_once(), fault=fault,
    )


async def _group_page(visit: Visit, fault: Refused | None = None) -> web.Response:
    visit.require(Right.EDIT_ROSTER)
    inside = await visit.services.common.groups.inside(visit.user_id, visit.parts["group"])
    return visit.page(
        "desk_group.html", inside=inside, fault=fault,
    )


def _person_called(visit: Visit, name: str) -> Person:
    """The one person of this name; raises ``InvalidParam``."""
    plain = name.replace(" ", "")
    found = [item for item in visit.services.members.persons() if item.name.replace(" ", "") == plain]
    if len(found) != 1 or not plain:
        raise InvalidParam("その名前の人が、名簿にひとりだけいるようには書かれていません")
    return found[0]
