"""Safety checks at the officers' desk: start one, watch the table live, visit, write down, close."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.came_by import CameBy
from server.association.members.model import Right
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Standing, Status, checked_title
from server.foundation.errors import InvalidParam
from server.web.audiences import ChosenAudience
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

_KINDS: Final = {"real": False, "drill": True}


def add_routes(routes: Routes) -> None:
    """All pages of safety checks at the desk."""
    routes.get("/desk/safety", show_checks)
    routes.get("/desk/safety/new", show_form)
    routes.post("/desk/safety/new", ask_whether_sure)
    routes.post("/desk/safety/start", start)
    routes.get("/desk/safety/{check}", show_table)
    routes.get("/desk/safety/{check}/figures", show_figures)
    routes.get("/desk/safety/{check}/people", show_people)
    routes.get("/desk/safety/{check}/visits", show_visits)
    routes.get("/desk/safety/{check}/close", ask_before_closing)
    routes.post("/desk/safety/{check}/close", close)
    routes.get("/desk/safety/{check}/{home}", show_home)
    routes.post("/desk/safety/{check}/{home}", enter)


async def show_checks(visit: Visit) -> web.StreamResponse:
    """All checks, newest first."""
    return visit.page("desk_safety_list.html", checks=await visit.services.safety.desk.checks(visit.user_id))


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a new check."""
    visit.require(Right.RUN_SAFETY_CHECKS)
    return _form_page(visit, Form([("title", "安否確認"), ("audience", ChosenAudience().kind)]))


async def ask_whether_sure(visit: Visit) -> web.StreamResponse:
    """Everybody's telephone is going to ring: are you sure?"""
    visit.require(Right.RUN_SAFETY_CHECKS)
    form = await visit.form()
    members = visit.services.members
    kind = form.line("kind")
    try:
        title, audience = checked_title(form.line("title")), ChosenAudience.of_form(form).audience()
        if kind not in _KINDS:
            raise InvalidParam("本番か 訓練かを えらんでください。", field="kind")
    except InvalidParam as fault:
        return _form_page(visit, form, fault)
    return visit.page(
        "desk_safety_sure.html", title=title, drill=_KINDS[kind], kind=kind, audience=audience,
        told=members.describe(audience), count=len(members.audience(audience)), once=visit.new_once(),
    )


def _form_page(visit: Visit, form: Form, fault: InvalidParam | None = None) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_safety_new.html", form=form, audience=ChosenAudience.of_form(form), blocks=members.blocks(),
        groups=members.groups(), fault=fault,
    )


async def start(visit: Visit) -> web.StreamResponse:
    """Begin, once however often the button is pressed."""
    form = await visit.form()
    audience = ChosenAudience.parse(form.line("audience"))
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go("/desk/safety")
        check = await visit.services.safety.checks.start(
            visit.user_id, form.line("title"), audience, drill=form.line("kind") != "real"
        )
    return visit.go(f"/desk/safety/{check.id}")


async def show_table(visit: Visit) -> web.StreamResponse:
    """The live table."""
    table = await visit.services.safety.desk.table(visit.user_id, visit.parts["check"])
    return visit.page("desk_safety_table.html", table=table, Standing=Standing)


async def show_figures(visit: Visit) -> web.StreamResponse:
    """Only the part that changes."""
    table = await visit.services.safety.desk.table(visit.user_id, visit.parts["check"])
    return visit.page("desk_safety_figures.html", table=table, Standing=Standing)


async def show_people(visit: Visit) -> web.StreamResponse:
    """Who has answered what, the most urgent first."""
    desk = visit.services.safety.desk
    table = await desk.table(visit.user_id, visit.parts["check"])
    rows = await desk.people(visit.user_id, visit.parts["check"])
    await visit.services.members.log_look(visit.user_id, "安否確認の一覧")
    homes = {person.id: person.household_id for person in visit.services.members.persons()}
    return visit.page("desk_safety_people.html", check=table.check, rows=rows, homes=homes)


async def show_visits(visit: Visit) -> web.StreamResponse:
    """The doors to knock at, block by block in walking order."""
    desk = visit.services.safety.desk
    table = await desk.table(visit.user_id, visit.parts["check"])
    blocks = await desk.to_visit(visit.user_id, visit.parts["check"])
    await visit.services.members.log_look(visit.user_id, "安否確認の訪問リスト")
    return visit.page("desk_safety_visits.html", check=table.check, blocks=blocks)


async def show_home(visit: Visit) -> web.StreamResponse:
    """The form for what a household said."""
    members = visit.services.members
    home = members.household(visit.parts["home"])
    members.require(visit.user_id, Right.ENTER_ANSWERS, home.block_id)
    table = await visit.services.safety.desk.table(visit.user_id, visit.parts["check"])
    rows = await visit.services.safety.desk.people(visit.user_id, visit.parts["check"])
    by_person = {row.person_id: row for row in rows}
    return visit.page(
        "desk_safety_home.html", check=table.check, home=home, block=members.block(home.block_id),
        persons=members.persons_at(home.id), rows=by_person, statuses=list(Status),
        channels=[CameBy.DOOR, CameBy.PHONE, CameBy.PAPER],
    )


async def enter(visit: Visit) -> web.StreamResponse:
    """Write down what was said at the door, by telephone, on paper."""
    form = await visit.form()
    statuses = {status.value: status for status in Status}
    status, way = statuses.get(form.line("status")), CameBy.written_down(form.line("channel"))
    if status is None:
        raise InvalidParam("どうやって聞いたかと、こたえを えらんでください。")
    given = Given(status=status, comment=form.text("comment"))
    check_id = visit.parts["check"]
    at_home = {person.id for person in visit.services.members.persons_at(visit.parts["home"])}
    chosen = [person_id for person_id in form.lines("person") if person_id in at_home]
    await visit.services.safety.checks.enter(visit.user_id, check_id, chosen, given, way)
    return visit.go(f"/desk/safety/{check_id}/visits", done="entered")


async def ask_before_closing(visit: Visit) -> web.StreamResponse:
    """After closing no answer counts."""
    visit.require(Right.RUN_SAFETY_CHECKS)
    table = await visit.services.safety.desk.table(visit.user_id, visit.parts["check"])
    return visit.page("desk_safety_close.html", check=table.check, persons=table.persons)


async def close(visit: Visit) -> web.StreamResponse:
    """End the check and post the result."""
    await visit.form()
    check_id = visit.parts["check"]
    await visit.services.safety.checks.close(visit.user_id, check_id)
    return visit.go(f"/desk/safety/{check_id}", done="closed")
