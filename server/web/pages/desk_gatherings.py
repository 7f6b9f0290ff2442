"""Gatherings at the desk: announce, change, call off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from aiohttp import web

from server.association.gatherings.model import MAX_DESCRIPTION, MAX_PLACE, MAX_TITLE, Plan, State
from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import Refused
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input, moment_from_input
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Arranging."""
    routes.get("/desk/gatherings", show_list)
    routes.get("/desk/gatherings/new", show_empty_form)
    routes.post("/desk/gatherings/new", announce)
    routes.get("/desk/gatherings/{gathering}", show_form)
    routes.post("/desk/gatherings/{gathering}", change)
    routes.post("/desk/gatherings/{gathering}/cancel", cancel)


async def show_list(visit: Visit) -> web.StreamResponse:
    """What is ahead."""
    visit.require(Right.ARRANGE_GATHERINGS)
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, 60)
    return visit.page("desk_gatherings.html", occurrences=found, State=State)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A new gathering."""
    visit.require(Right.ARRANGE_GATHERINGS)
    today = tokyo_time(visit.services.clock.now_ms()).date()
    form = Form([("day", (today + timedelta(days=7)).isoformat()), ("start", "10:00")])
    return _form_page(visit, form, ChosenAudience())


async def announce(visit: Visit) -> web.StreamResponse:
    """Announce it, once however often the button is pressed."""
    visit.require(Right.ARRANGE_GATHERINGS)
    form = await visit.form()
    chosen = ChosenAudience.of_form(form)
    try:
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/desk/gatherings")
            gathering = await visit.services.gatherings.verbs.announce(visit.user_id, _plan(form), chosen.audience())
    except Refused as fault:
        return _form_page(visit, form, chosen, fault)
    return visit.go(f"/gatherings/{gathering.id}", done="sent")


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form with what is planned now, and calling off."""
    visit.require(Right.ARRANGE_GATHERINGS)
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    plan = gathering.plan
    return visit.page(
        "desk_gathering.html", gathering=gathering, form=_as_form(plan), State=State, fault="",
        most=(MAX_TITLE, MAX_PLACE, MAX_DESCRIPTION), told=visit.services.members.describe(gathering.audience),
    )


async def change(visit: Visit) -> web.StreamResponse:
    """Change it, unless somebody else has changed it meanwhile."""
    form = await visit.form()
    visit.require(Right.ARRANGE_GATHERINGS)
    verbs = visit.services.gatherings.verbs
    gathering = verbs.get(visit.user_id, visit.parts["gathering"])
    plan = _plan(form)
    plan = replace(gathering.plan, title=plan.title, start=plan.start, end=plan.end, place=plan.place,
                   description=plan.description, asks=plan.asks)
    revision = form.number("revision", "版", least=0, most=999_999_999)
    await verbs.change(
        visit.user_id, gathering.id, plan, state=State.PLANNED, expected_revision=revision, reason=form.line("reason")
    )
    return visit.go(f"/gatherings/{gathering.id}", done="corrected")


async def cancel(visit: Visit) -> web.StreamResponse:
    """Call it off (雨天中止); everybody is told."""
    form = await visit.form()
    gathering_id = visit.parts["gathering"]
    await visit.services.gatherings.verbs.cancel(visit.user_id, gathering_id, form.line("reason"))
    return visit.go(f"/gatherings/{gathering_id}", done="cancelled")


def _plan(form: Form) -> Plan:
    start, end = _times(form)
    return Plan(
        title=form.line("title"), start=start, end=end, place=form.line("place"), description=form.text("description"),
        asks=form.line("asks") == "yes",
    )


def _times(form: Form) -> tuple[date, date]:
    """From a day, perhaps a last day, and times; without a first time it is all day."""
    first = day_from_input(form.line("day"), "はじまり")
    last = day_from_input(form.line("last_day"), "おわり") if form.line("last_day") else first
    if not form.line("start"):
        return first, last + timedelta(days=1)
    start = moment_from_input(first.isoformat(), form.line("start"), "はじまり")
    if not form.line("end"):
        return start, start + timedelta(hours=1) if last == first else moment_from_input(last.isoformat(), "23:59", "")
    return start, moment_from_input(last.isoformat(), form.line("end"), "おわり")


def _as_form(plan: Plan) -> Form:
    start, end = plan.start, plan.end
    fields = [("title", plan.title), ("place", plan.place), ("description", plan.description)]
    fields += [("asks", "yes")] if plan.asks else []
    if isinstance(start, datetime) and isinstance(end, datetime):
        last = end.date()
        fields += [("start", f"{start:%H:%M}"), ("end", f"{end:%H:%M}"), ("day", start.date().isoformat())]
        first = start.date()
    else:
        first, last = start, end - timedelta(days=1)
        fields += [("day", first.isoformat())]
    return Form([*fields, ("last_day", "" if last == first else last.isoformat())])


def _form_page(visit: Visit, form: Form, chosen: ChosenAudience, fault: Refused | None = None) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_gathering_new.html", form=form, chosen=chosen, blocks=members.blocks(), groups=members.groups(),
        once=visit.new_once(), fault="" if fault is None else fault.reason,
        status=200 if fault is None else fault.status, most=(MAX_TITLE, MAX_PLACE, MAX_DESCRIPTION),
    )
