"""The roster at the officers' desk: blocks, households, persons, search, changing, roles."""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Block, Household, Person, Right, Role
from server.association.members.names import folded
from server.foundation.errors import InvalidParam, Refused
from server.web.changes import changes_in
from server.web.forms import Form, about
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_FOUND = 100
_PERSON_FIELDS = ("name", "kana", "phone", "wants_paper")


def add_routes(routes: Routes) -> None:
    """Search and persons; blocks and households are in ``desk_roster_places``."""
    routes.get("/desk/roster", show_roster)
    routes.get("/desk/roster/new", show_new)
    routes.post("/desk/roster/new", add)
    routes.get("/desk/roster/persons/{person}", show_person)
    routes.post("/desk/roster/persons/{person}", change_person)
    routes.post("/desk/roster/persons/{person}/roles", change_roles)
    routes.get("/desk/roster/persons/{person}/erase", show_erasing)
    routes.post("/desk/roster/persons/{person}/erase", erase)


async def show_roster(visit: Visit) -> web.StreamResponse:
    """The blocks, or who is found by a name."""
    members = visit.services.members
    visit.require_somewhere(Right.SEE_ROSTER)
    blocks = members.blocks_with(visit.user_id, Right.SEE_ROSTER)
    wanted = folded(visit.query("q"))
    if wanted:
        await members.log_look(visit.user_id, "名簿のなかをさがした")
    mine = {block.id: block for block in blocks}
    found = [
        (person, mine[members.block_of(person.id).id]) for person in members.persons()
        if wanted and members.block_of(person.id).id in mine and wanted in folded(person.name + " " + person.kana)
    ]
    counts = {block.id: [0, 0, 0] for block in members.blocks()}
    for home in members.households():
        counts[home.block_id][0] += 1
        for person in members.persons_at(home.id):
            counts[home.block_id][1] += 1
            counts[home.block_id][2] += person.user_id is not None
    return visit.page(
        "desk_roster.html", blocks=blocks, counts=counts, query=visit.query("q"), found=found[:_MOST_FOUND],
        is_cut=len(found) > _MOST_FOUND,
    )


async def show_new(visit: Visit) -> web.StreamResponse:
    """The form for a new person."""
    visit.require(Right.EDIT_ROSTER)
    return _new_page(visit, Form([("block", visit.query("block"))]))


async def add(visit: Visit) -> web.StreamResponse:
    """A new person in a household that is there already, or in a new one; also in a new block."""
    visit.require(Right.EDIT_ROSTER)
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            person = await _add(visit, form) if is_first else None
    except Refused as fault:
        return _new_page(visit, form, fault)
    return visit.go(f"/desk/roster/persons/{person.id}" if person else "/desk/roster", done="saved" if person else "")


async def _add(visit: Visit, form: Form) -> Person:
    if not form.line("name"):
        raise InvalidParam("氏名を 書いてください。", field="name")
    with about("new_block"):
        block = await _block(visit, form)
    with about("household"):
        home = await _home(visit, form, block)
    return await visit.services.roster.editor.add_person(
        visit.user_id, home.id, form.line("name"), kana=form.line("kana"), phone=form.line("phone"),
        wants_paper=form.has("wants_paper"),
    )


def _new_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    return visit.page(
        "desk_roster_new.html", blocks=visit.services.members.blocks(), form=form, fault=fault, once=visit.new_once(),
    )


async def show_person(visit: Visit) -> web.StreamResponse:
    """One person: what is kept, and the forms to change it."""
    members = visit.services.members
    person = members.person(visit.parts["person"])
    block = members.block_of(person.id)
    members.require(visit.user_id, Right.SEE_ROSTER, block.id)
    await members.log_look(visit.user_id, f"{block.name}の人のページ")
    return await _person_page(visit, person, _as_form(person))


async def change_person(visit: Visit) -> web.StreamResponse:
    """Correct a person. Only what this officer has changed is written, so that what another has changed meanwhile
    stays; where both have changed the same, it is asked again.
    """
    form = await visit.form()
    members, editor = visit.services.members, visit.services.roster.editor
    visit.require(Right.EDIT_ROSTER)
    person = members.person(visit.parts["person"])
    try:
        changed = changes_in(form, dict(_as_form(person).fields))
        wants = bool(changed.pop("wants_paper")) if "wants_paper" in changed else None
        await editor.change_person(visit.user_id, person.id, wants_paper=wants, **changed)
    except Refused as fault:
        return await _person_page(visit, members.person(person.id), form, fault)
    return visit.go(f"/desk/roster/persons/{person.id}", done="saved")


def _as_form(person: Person) -> Form:
    values = (person.name, person.kana, person.phone, "1" if person.wants_paper else "")
    return Form(list(zip(_PERSON_FIELDS, values, strict=True)))


async def _person_page(visit: Visit, person: Person, form: Form, fault: Refused | None = None) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_roster_person.html", person=person, block=members.block_of(person.id), form=form,
        home=members.household(person.household_id), held=members.roles_of(person.id), roles=list(Role),
        has_card=await visit.services.roster.invitations.has_open_card(visit.user_id, person.id),
        may_sign_in=visit.services.roster.invitations.may_make_phone_card(visit.user_id, person.id),
        role_names=members.offices_of(person.id), now=_as_form(person),
        fault=fault,
    )


async def change_roles(visit: Visit) -> web.StreamResponse:
    """Give and take roles as they are ticked."""
    form = await visit.form()
    visit.require(Right.GIVE_ROLES)
    person_id = visit.parts["person"]
    held = visit.services.members.roles_of(person_id)
    wanted = {role for role in Role if role.value in form.lines("role")}
    # What was ticked when the page was opened: a role that another officer gave or took meanwhile stays so.
    seen = {role for role in Role if role.value in form.lines("was_role")} if form.has("was_roles") else held
    editor = visit.services.roster.editor
    for role in sorted(wanted - seen - held):
        await editor.give_role(visit.user_id, person_id, role)
    for role in sorted((seen - wanted) & held):
        await editor.take_role(visit.user_id, person_id, role)
    return visit.go(f"/desk/roster/persons/{person_id}", done="saved")


async def show_erasing(visit: Visit) -> web.StreamResponse:
    """Whether the officer is sure: what will be gone, and what stays."""
    members = visit.services.members
    person = members.person(visit.parts["person"])
    return visit.page(
        "desk_roster_erase.html", person=person, block=members.block_of(person.id),
        hindrance=visit.services.roster.departures.hindrance(visit.user_id, person.id),
        is_alone=len(members.persons_at(person.household_id)) == 1,
    )


async def erase(visit: Visit) -> web.StreamResponse:
    """Take the person out for good."""
    await visit.form()
    visit.require(Right.EDIT_ROSTER)
    person = visit.services.members.person(visit.parts["person"])
    block = visit.services.members.block_of(person.id)
    await visit.services.roster.departures.erase(visit.user_id, person.id)
    return visit.go(f"/desk/roster/blocks/{block.id}", done="erased")


async def _block(visit: Visit, form: Form) -> Block:
    members = visit.services.members
    name = form.line("new_block")
    if not name:
        return members.block(form.line("block"))
    known = next((block for block in members.blocks() if folded(block.name) == folded(name)), None)
    return known or await visit.services.roster.editor.add_block(visit.user_id, name)


async def _home(visit: Visit, form: Form, block: Block) -> Household:
    members = visit.services.members
    name = form.line("household") or form.line("name")
    number = form.line("number")
    for home in members.households():
        is_same = folded(home.number) == folded(number) if number else folded(home.name) == folded(name)
        if home.block_id == block.id and is_same:
            return home
    return await visit.services.roster.editor.add_household(visit.user_id, block.id, name, number=number)
