"""Duties as a resident sees them: one's own turns, whose turn it is, doing somebody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from server.association.duties.actions import Duties
from server.association.duties.model import MAX_TURN, Turn
from server.web.routing import Routes
from server.web.visit import Visit

_SHOWN: Final = 60


def add_routes(routes: Routes) -> None:
    """The list, one duty, what can be said to a turn."""
    routes.get("/duties", show_list)
    routes.get("/duties/{duty}", show_duty)
    routes.post("/duties/{duty}/done", say_done)
    routes.post("/duties/{duty}/take", take_over)


async def show_list(visit: Visit) -> web.StreamResponse:
    """One's own turns first, then all duties that concern one."""
    verbs, person = _verbs(visit), visit.person
    mine = [shown(visit, turn) for turn in verbs.coming_for(person.household_id)[:10]]
    return visit.page("duties.html", mine=mine, duties=verbs.shown_to(visit.user_id))


async def show_duty(visit: Visit) -> web.StreamResponse:
    """Whose turn it is, and who comes next."""
    verbs, person = _verbs(visit), visit.person
    duty = verbs.get(visit.user_id, visit.parts["duty"])
    lines = [shown(visit, turn) for turn in verbs.turns_of(duty)[:_SHOWN]]
    return visit.page(
        "duty.html", duty=duty, turns=lines, household=person.household_id,
        told=visit.services.members.describe(duty.plan.audience),
        is_asked=visit.services.members.is_in(visit.user_id, duty.plan.audience),
        may_arrange=verbs.may_arrange(visit.user_id, duty.plan.audience),
    )


async def say_done(visit: Visit) -> web.StreamResponse:
    """It is done."""
    form, duty_id = await visit.form(), visit.parts["duty"]
    await _verbs(visit).done(visit.user_id, duty_id, form.number("turn", "番", least=0, most=MAX_TURN))
    return visit.go(f"/duties/{duty_id}", done="saved")


async def take_over(visit: Visit) -> web.StreamResponse:
    """Do it for somebody else."""
    form, duty_id = await visit.form(), visit.parts["duty"]
    await _verbs(visit).take_over(visit.user_id, duty_id, form.number("turn", "番", least=0, most=MAX_TURN))
    return visit.go(f"/duties/{duty_id}", done="saved")


def shown(visit: Visit, turn: Turn) -> dict[str, object]:
    """A turn in words."""
    homes = {home.id: home.name for home in visit.services.members.households()}
    name, is_now = homes.get(turn.household, "（いない世帯）"), turn.start <= _verbs(visit).today
    return {"turn": turn, "last": turn.end - timedelta(days=1), "name": name, "is_now": is_now}


def _verbs(visit: Visit) -> Duties:
    return visit.services.daily.duties
