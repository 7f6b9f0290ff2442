"""Gatherings at the desk: announce, change, call off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from aiohttp import web

from server.association.examples.model import Kind
from server.association.gatherings.model import MAX_DESCRIPTION, MAX_PLACE, MAX_TITLE, Gathering, Plan, State
from server.association.gatherings.occurrences import occurrences_after
from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import Refused
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input, moment_from_input
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit

# Gatherings so near that rain may be a matter.
SOON_MS: Final = 8 * 86_400_000
_DAYS_SHOWN: Final = 5


def add_routes(routes: Routes) -> None:
    """Arranging."""
    routes.get("/desk/gatherings", show_list)
    routes.get("/desk/gatherings/new", show_empty_form)
    routes.post("/desk/gatherings/new", announce)
    routes.get("/desk/gatherings/{gathering}", show_form)
    routes.post("/desk/gatherings/{gathering}", change)
    routes.get("/desk/gatherings/{gathering}/cancel", ask_first)
    routes.post("/desk/gatherings/{gathering}/cancel", cancel)


async def show_list(visit: Visit) -> web.StreamResponse:
    """What is ahead."""
    visit.require(Right.ARRANGE_GATHERINGS)
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, 60)
    soon = visit.services.clock.now_ms() + SOON_MS
    return visit.page("desk_gatherings.html", occurrences=found, State=State, soon=soon)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A new gathering."""
    visit.require(Right.ARRANGE_GATHERINGS)
    today = tokyo_time(visit.services.clock.now_ms()).date()
    day = (today + timedelta(days=7)).isoformat()
    form = Form([("day", day), ("start", "10:00")])
    like = visit.query("like")
    if like:
        # A good example: everything but the day.
        plan = visit.services.gatherings.verbs.get(visit.user_id, like).plan
        form = Form([("day", day), *((name, value) for name, value in _as_form(plan).fields if "day" not in name)])
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
    return await _change_page(visit, gathering, _as_form(gathering.plan))


async def change(visit: Visit) -> web.StreamResponse:
    """Change it. Where somebody else was faster, their plan is shown beside what was typed, and nothing is lost."""
    form = await visit.form()
    visit.require(Right.ARRANGE_GATHERINGS)
    verbs = visit.services.gatherings.verbs
    gathering = verbs.get(visit.user_id, visit.parts["gathering"])
    try:
        plan = _plan(form)
        plan = replace(gathering.plan, title=plan.title, start=plan.start, end=plan.end, place=plan.place,
                       description=plan.description, asks=plan.asks)
        revision = form.number("revision", "版", least=0, most=999_999_999)
        await verbs.change(visit.user_id, gathering.id, plan, state=State.PLANNED, expected_revision=revision,
                           reason=form.line("reason"))
    except Refused as fault:
        if fault.status not in (400, 409, 412):
            raise
        return await _change_page(visit, verbs.get(visit.user_id, gathering.id), form, fault)
    return visit.go(f"/gatherings/{gathering.id}", done="corrected")


async def ask_first(visit: Visit) -> web.StreamResponse:
    """雨天中止, the second of two taps: what is called off, and how many are told. ``day``: one of a series."""
    visit.require(Right.ARRANGE_GATHERINGS)
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    if gathering.state is State.CANCELLED:
        return visit.go(f"/desk/gatherings/{gathering.id}")
    ahead = occurrences_after(gathering, visit.services.clock.now_ms(), _DAYS_SHOWN)
    chosen = next((item for item in ahead if str(item.start_ms) == visit.query("day")), None)
    services = visit.services.gatherings
    coming, calls = await services.calling_off.who_comes(gathering), await services.calls.count(gathering.id)
    return visit.page(
        "desk_gathering_off.html", gathering=gathering, plan=gathering.plan,
        chosen=chosen or next(iter(ahead), None), ahead=ahead, count=len(coming), calls=calls,
        told=visit.services.members.describe(gathering.audience),
    )


async def cancel(visit: Visit) -> web.StreamResponse:
    """Call it off (雨天中止): the calendar shows it, the room hears it, and who wanted to come hears it by name.

    Then on to those who must be called, if there are any.
    """
    form = await visit.form()
    services, gathering_id, day = visit.services.gatherings, visit.parts["gathering"], form.line("day")
    if day:
        start = int(day) if day.isascii() and day.isdigit() and len(day) < 15 else -1
        await services.verbs.cancel_day(visit.user_id, gathering_id, start, form.line("reason"))
    else:
        await services.verbs.cancel(visit.user_id, gathering_id, form.line("reason"))
    await services.calling_off.tell()
    if await services.calls.count(gathering_id):
        path = f"/desk/gatherings/{gathering_id}/calls"
        return visit.go(f"{path}?day={start}" if day else path, done="cancelled")
    return visit.go(f"/desk/gatherings/{gathering_id}", done="cancelled")


async def _change_page(
    visit: Visit, gathering: Gathering, form: Form, fault: Refused | None = None
) -> web.Response:
    is_off = gathering.state is State.CANCELLED or bool(gathering.plan.called_off)
    services = visit.services.gatherings
    coming = await services.calling_off.who_comes(gathering) if is_off else []
    calls = await services.calls.count(gathering.id) if is_off else 0
    return visit.page(
        "desk_gathering.html", gathering=gathering, form=form, State=State, calls=calls, coming=coming,
        is_example=await visit.services.examples.find(Kind.GATHERING, gathering.id) is not None,
        most=(MAX_TITLE, MAX_PLACE, MAX_DESCRIPTION), told=visit.services.members.describe(gathering.audience),
        ahead=bool(occurrences_after(gathering, visit.services.clock.now_ms(), 1)), is_off=is_off,
        fault=fault,
        other=gathering.plan if fault is not None and fault.status == 412 else None,
    )


def _plan(form: Form) -> Plan:
    start, end = _times(form)
    return Plan(
        title=form.line("title"), start=start, end=end, place=form.line("place"), description=form.text("description"),
        asks=form.line("asks") == "yes",
    )


def _times(form: Form) -> tuple[date, date]:
    """From a day, perhaps a last day, and times; without a first time it is all day."""
    first = day_from_input(form.line("day"), "はじまり")
    last = day_from_input(form.line("last_day"), "おわり", "last_day") if form.line("last_day") else first
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
        once=visit.new_once(), fault=fault, most=(MAX_TITLE, MAX_PLACE, MAX_DESCRIPTION),
    )
