"""Duties at the desk: arranging one, its order, changing places, an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from aiohttp import web

from server.association.duties.actions import Duties
from server.association.duties.model import MAX_NOTE, MAX_TITLE, MAX_TURN, Duty, DutyPlan, Rhythm
from server.association.members.model import Right
from server.foundation.errors import InvalidParam, Refused
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input
from server.web.forms import Form
from server.web.pages.duties import shown
from server.web.routing import Routes
from server.web.visit import Visit

_DAYS: Final = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 1}
_SHOWN: Final = 60


def add_routes(routes: Routes) -> None:
    """Arranging."""
    routes.get("/desk/duties", show_list)
    routes.get("/desk/duties/new", show_empty_form)
    routes.post("/desk/duties/new", arrange)
    routes.get("/desk/duties/{duty}", show_form)
    routes.post("/desk/duties/{duty}", change)
    routes.post("/desk/duties/{duty}/swap", swap)
    routes.post("/desk/duties/{duty}/end", end)


async def show_list(visit: Visit) -> web.StreamResponse:
    """What goes on."""
    visit.require_somewhere(Right.ARRANGE_DUTIES)
    duties = [duty for duty in _verbs(visit).shown_to(visit.user_id)
              if _verbs(visit).may_arrange(visit.user_id, duty.plan.audience)]
    return visit.page("desk_duties.html", duties=duties, members=visit.services.members)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A new duty."""
    visit.require_somewhere(Right.ARRANGE_DUTIES)
    monday = _verbs(visit).today + timedelta(days=7 - _verbs(visit).today.weekday())
    return _new_page(visit, Form([("first", monday.isoformat()), ("rhythm", "weekly")]), ChosenAudience("blocks"))


async def arrange(visit: Visit) -> web.StreamResponse:
    """Arrange it for all households of the audience in walking order; the order is changed afterwards."""
    form = await visit.form()
    chosen = ChosenAudience.of_form(form)
    try:
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/desk/duties")
            audience = chosen.audience()
            order = tuple(home.id for home in _verbs(visit).households_for(audience))
            rhythm = _rhythm(form)
            first = day_from_input(form.line("first"), "はじまり", "first")
            plan = DutyPlan(form.line("title"), audience, order, first, rhythm, _DAYS[rhythm], form.text("note"),
                            day_from_input(form.line("last"), "おわり") if form.line("last") else None)
            duty = await _verbs(visit).arrange(visit.user_id, plan)
    except Refused as fault:
        return _new_page(visit, form, chosen, fault)
    return visit.go(f"/desk/duties/{duty.id}", done="sent")


async def show_form(visit: Visit) -> web.StreamResponse:
    """The order, and changing places."""
    return _duty_page(visit, _arranged(visit))


async def change(visit: Visit) -> web.StreamResponse:
    """Another title or order, unless somebody else has changed it meanwhile."""
    form, duty = await visit.form(), _arranged(visit)
    try:
        plan = replace(duty.plan, title=form.line("title"), note=form.text("note"), order=_order(visit, duty, form),
                       first=day_from_input(form.line("first"), "はじまり"))
        revision = form.number("revision", "版", least=0, most=999_999_999)
        await _verbs(visit).change(visit.user_id, duty.id, plan, expected_revision=revision)
    except Refused as fault:
        if fault.status not in (400, 412):
            raise
        return _duty_page(visit, _arranged(visit), fault, form)
    return visit.go(f"/desk/duties/{duty.id}", done="corrected")


async def swap(visit: Visit) -> web.StreamResponse:
    """Two households change places."""
    form, duty = await visit.form(), _arranged(visit)
    one, other = (form.number(name, "番", least=0, most=MAX_TURN) for name in ("one", "other"))
    await _verbs(visit).swap(visit.user_id, duty.id, one, other)
    return visit.go(f"/desk/duties/{duty.id}", done="corrected")


async def end(visit: Visit) -> web.StreamResponse:
    """Nobody does it any more."""
    await visit.form()
    await _verbs(visit).end(visit.user_id, visit.parts["duty"])
    return visit.go("/desk/duties", done="removed")


def _verbs(visit: Visit) -> Duties:
    return visit.services.daily.duties


def _arranged(visit: Visit) -> Duty:
    duty = _verbs(visit).get(visit.user_id, visit.parts["duty"])
    visit.services.members.require_for(visit.user_id, Right.ARRANGE_DUTIES, duty.plan.audience)
    return duty


def _rhythm(form: Form) -> Rhythm:
    found = next((item for item in Rhythm if item.value == form.line("rhythm")), None)
    if found is None:
        raise InvalidParam("どのくらいで かわるかを えらんでください。")
    return found


def _order(visit: Visit, duty: Duty, form: Form) -> tuple[str, ...]:
    """Households by the numbers written beside them; who has none is not in it."""
    homes = _verbs(visit).households_for(duty.plan.audience)
    numbers = {home.id: form.number(f"at-{home.id}", "順番", least=0, most=9999) for home in homes
               if form.line(f"at-{home.id}")}
    return tuple(sorted((home for home in numbers if numbers[home]), key=lambda home: numbers[home]))


def _new_page(visit: Visit, form: Form, chosen: ChosenAudience, fault: Refused | None = None) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_duty_new.html", form=form, chosen=chosen, rhythms=list(Rhythm), groups=members.groups(),
        blocks=members.blocks_with(visit.user_id, Right.ARRANGE_DUTIES), once=visit.new_once(),
        most=(MAX_TITLE, MAX_NOTE), fault=fault,
    )


def _duty_page(visit: Visit, duty: Duty, fault: Refused | None = None, form: Form | None = None) -> web.Response:
    """``form`` is what was typed; what holds by now stands above it where somebody else was faster."""
    verbs, plan, at = _verbs(visit), duty.plan, {home: number for number, home in enumerate(duty.plan.order, 1)}
    homes = sorted(verbs.households_for(plan.audience), key=lambda home: at.get(home.id, 9999))
    form = form or Form([
        ("title", plan.title), ("note", plan.note), ("first", plan.first.isoformat()),
        *((f"at-{home}", str(number)) for home, number in at.items()),
    ])
    return visit.page(
        "desk_duty.html", duty=duty, homes=[(home, form.line(f"at-{home.id}")) for home in homes], form=form,
        is_other=fault is not None and fault.status == 412, order=[home.name for home in homes if home.id in at],
        turns=[shown(visit, turn) for turn in verbs.turns_of(duty)[:_SHOWN]], most=(MAX_TITLE, MAX_NOTE),
        told=visit.services.members.describe(duty.plan.audience),
        fault=fault,
    )
