"""Blocks and households at the desk: another name, another block, paper or screen, and removing what is empty."""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Channel, Household, Right
from server.foundation.errors import InvalidParam, Refused
from server.web.changes import changes_in
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_FIELDS = ("name", "number", "block", "channel")


def add_routes(routes: Routes) -> None:
    """The list of a block's households, one household, and their forms."""
    routes.get("/desk/roster/blocks/{block}", show_block)
    routes.post("/desk/roster/blocks/{block}", rename_block)
    routes.post("/desk/roster/blocks/{block}/remove", remove_block)
    routes.get("/desk/roster/homes/{home}", show_home)
    routes.post("/desk/roster/homes/{home}", change_home)
    routes.post("/desk/roster/homes/{home}/remove", remove_home)


async def show_block(visit: Visit) -> web.StreamResponse:
    """The households of a block in walking order."""
    block = visit.services.members.block(visit.parts["block"])
    return await _block_page(visit, Form([("name", block.name)]))


async def rename_block(visit: Visit) -> web.StreamResponse:
    """Another name; its room is called so at once."""
    form, block_id = await visit.form(), visit.parts["block"]
    visit.require(Right.EDIT_ROSTER)
    try:
        changed = changes_in(form, {"name": visit.services.members.block(block_id).name})
        if changed:
            await visit.services.roster.editor.change_block(visit.user_id, block_id, name=changed["name"])
    except Refused as fault:
        return await _block_page(visit, form, fault)
    return visit.go(f"/desk/roster/blocks/{block_id}", done="saved")


async def remove_block(visit: Visit) -> web.StreamResponse:
    """A block in which nobody lives."""
    await visit.form()
    await visit.services.roster.editor.remove_block(visit.user_id, visit.parts["block"])
    return visit.go("/desk/roster", done="removed")


async def show_home(visit: Visit) -> web.StreamResponse:
    """One household: what is kept, and the form to change it."""
    home = visit.services.members.household(visit.parts["home"])
    return _home_page(visit, home, _as_form(home))


async def change_home(visit: Visit) -> web.StreamResponse:
    """Correct a household, or move it to another block with everybody in it."""
    form, members, editor = await visit.form(), visit.services.members, visit.services.roster.editor
    visit.require(Right.EDIT_ROSTER)
    home = members.household(visit.parts["home"])
    try:
        changed = changes_in(form, dict(_as_form(home).fields))
        if "channel" in changed:
            await editor.set_channel(visit.user_id, home.id, _channel(changed.pop("channel")))
        if changed:
            await editor.change_household(
                visit.user_id, home.id, block_id=changed.get("block"), name=changed.get("name"),
                number=changed.get("number"),
            )
    except Refused as fault:
        return _home_page(visit, members.household(home.id), form, fault)
    return visit.go(f"/desk/roster/homes/{home.id}", done="saved")


async def remove_home(visit: Visit) -> web.StreamResponse:
    """A household that has no persons any more."""
    await visit.form()
    home = visit.services.members.household(visit.parts["home"])
    await visit.services.roster.editor.remove_household(visit.user_id, home.id)
    return visit.go(f"/desk/roster/blocks/{home.block_id}", done="removed")


def _as_form(home: Household) -> Form:
    return Form(list(zip(_FIELDS, (home.name, home.number, home.block_id, home.channel.value), strict=True)))


def _channel(value: str) -> Channel:
    found = next((channel for channel in Channel if channel.value == value), None)
    if found is None:
        raise InvalidParam("紙か デジタルかを えらんでください。", field="channel")
    return found


async def _block_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    members = visit.services.members
    block = members.block(visit.parts["block"])
    members.require(visit.user_id, Right.SEE_ROSTER, block.id)
    await members.log_look(visit.user_id, f"{block.name}の名簿")
    homes = [(home, members.persons_at(home.id)) for home in members.households() if home.block_id == block.id]
    offices = {person.id: members.offices_of(person.id) for _, persons in homes for person in persons}
    return visit.page(
        "desk_roster_block.html", block=block, homes=homes, roles=offices, form=form,
        channels={home.id: members.channel_of(home.id).label for home, _ in homes}, fault=fault,
    )


def _home_page(visit: Visit, home: Household, form: Form, fault: Refused | None = None) -> web.Response:
    visit.require(Right.EDIT_ROSTER)
    members = visit.services.members
    return visit.page(
        "desk_roster_home.html", home=home, block=members.block(home.block_id), blocks=members.blocks(), form=form,
        now=_as_form(home).fields, persons=members.persons_at(home.id), channels=list(Channel),
        used=members.channel_of(home.id), fault=fault,
    )
