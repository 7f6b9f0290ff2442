"""Groups at the desk: founding one, its name, who is in it and who looks after it, its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.association.groups.model import MAX_ABOUT
from server.association.members.model import Person, Right
from server.foundation.errors import InvalidParam, Refused
from server.web.changes import changes_in
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The list with the form for a new one; one group."""
    routes.get("/desk/groups", show_list)
    routes.post("/desk/groups", found)
    routes.get("/desk/groups/{group}", show_group)
    routes.post("/desk/groups/{group}/name", rename)
    routes.post("/desk/groups/{group}/people", set_member)
    routes.post("/desk/groups/{group}/leaders", set_leader)
    routes.post("/desk/groups/{group}/remove", remove)


async def show_list(visit: Visit) -> web.StreamResponse:
    """All groups, and the form."""
    return await _list_page(visit, Form())


async def found(visit: Visit) -> web.StreamResponse:
    """A new group."""
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if is_first:
                leader = _person_called(visit, form, "leader").id if form.line("leader") else ""
                await visit.services.common.groups.found(visit.user_id, form.line("name"), leader, form.text("about"))
    except Refused as fault:
        return await _list_page(visit, form, fault)
    return visit.go("/desk/groups", done="saved")


async def show_group(visit: Visit) -> web.StreamResponse:
    """Who is in it, and who looks after it."""
    return await _group_page(visit, Form())


async def rename(visit: Visit) -> web.StreamResponse:
    """Another name; its room is called so at once."""
    form, group_id = await visit.form(), visit.parts["group"]
    visit.require(Right.EDIT_ROSTER)
    try:
        changed = changes_in(form, {"name": visit.services.members.group(group_id).name})
        if changed:
            await visit.services.roster.editor.rename_group(visit.user_id, group_id, changed["name"])
    except Refused as fault:
        return await _group_page(visit, form, fault)
    return _back(visit)


async def set_member(visit: Visit) -> web.StreamResponse:
    """Put somebody in (by name, ``member``; also who has no telephone), or take them out (``person``)."""
    put = visit.services.roster.editor.set_in_group
    return await _set(visit, "member", lambda group, person, on: put(visit.user_id, group, person, inside=on))


async def set_leader(visit: Visit) -> web.StreamResponse:
    """Let somebody look after it (by name, ``leader``), or no more (``person``)."""
    put = visit.services.roster.editor.set_leader
    return await _set(visit, "leader", lambda group, person, on: put(visit.user_id, group, person, leads=on))


async def _set(visit: Visit, field: str, put: Callable[[str, str, bool], Awaitable[None]]) -> web.StreamResponse:
    form = await visit.form()
    try:
        person_id = form.line("person") or _person_called(visit, form, field).id
        await put(visit.parts["group"], person_id, not form.has("person"))
    except InvalidParam as fault:
        return await _group_page(visit, form, fault)
    return _back(visit)


async def remove(visit: Visit) -> web.StreamResponse:
    """It has ended: everybody leaves its room."""
    await visit.form()
    await visit.services.roster.editor.remove_group(visit.user_id, visit.parts["group"])
    return visit.go("/desk/groups", done="removed")


def _back(visit: Visit) -> web.Response:
    return visit.go(f"/desk/groups/{visit.parts['group']}", done="saved")


async def _list_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    visit.require(Right.EDIT_ROSTER)
    return visit.page(
        "desk_groups.html", lines=await visit.services.common.groups.all(visit.user_id), form=form, most=MAX_ABOUT,
        once=visit.new_once(), fault=fault,
    )


async def _group_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    visit.require(Right.EDIT_ROSTER)
    inside = await visit.services.common.groups.inside(visit.user_id, visit.parts["group"])
    return visit.page("desk_group.html", inside=inside, form=form, fault=fault)


def _person_called(visit: Visit, form: Form, field: str) -> Person:
    """The one person whose name stands in a field; raises ``InvalidParam``."""
    plain = form.line(field).replace(" ", "")
    found = [item for item in visit.services.members.persons() if item.name.replace(" ", "") == plain]
    if len(found) != 1 or not plain:
        raise InvalidParam("その名前の人が、名簿にひとりだけいるようには書かれていません", field=field)
    return found[0]
