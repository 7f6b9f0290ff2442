"""Gatherings as a resident sees them: what is ahead, one of them, a file for the telephone's calendar."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.association.gatherings.answers import Answer
from server.association.gatherings.counting import Figures, figures_of_homes
from server.association.gatherings.model import Gathering, State
from server.association.gatherings.occurrences import to_ms
from server.association.members.model import Right
from server.foundation.errors import InvalidParam
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The list, one, its file."""
    routes.get("/gatherings", show_list)
    routes.get("/gatherings/{gathering}", show_gathering)
    routes.get("/gatherings/{gathering}/file.ics", give_file)
    routes.post("/gatherings/{gathering}/answer", answer)


async def show_list(visit: Visit) -> web.StreamResponse:
    """What is ahead, soonest first."""
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, 40)
    return visit.page("gatherings.html", occurrences=found, State=State)


async def show_gathering(visit: Visit) -> web.StreamResponse:
    """One gathering."""
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    said = await visit.services.gatherings.attendance.of_user(visit.user_id)
    may_answer = gathering.plan.asks and gathering.state is State.PLANNED and visit.services.members.is_in(
        visit.user_id, gathering.audience)
    return visit.page(
        "gathering.html", own=said.by_gathering.get(gathering.id), may_answer=may_answer, Answer=Answer,
        comers=await _comers(visit, gathering), gathering=gathering, plan=gathering.plan, State=State,
        starts=to_ms(gathering.plan.start), ends=to_ms(gathering.plan.end),
        told=visit.services.members.describe(gathering.audience), may_arrange=visit.may(Right.ARRANGE_GATHERINGS),
    )


async def answer(visit: Visit) -> web.StreamResponse:
    """I come, I do not, I do not know yet: the same as ✅, ❌ or ❓ on the message in any client."""
    form = await visit.form()
    gathering_id, said = visit.parts["gathering"], form.line("answer")
    chosen = next((item for item in Answer if item.value == said), None)
    if chosen is None and said != "none":
        raise InvalidParam("どれか ひとつを えらんでください。")
    await visit.services.gatherings.attendance.answer(visit.user_id, gathering_id, chosen)
    return visit.go(f"/gatherings/{gathering_id}", done="taken_back" if chosen is None else "answered")


@dataclass(frozen=True, slots=True)
class Comers:
    """How many come, and the names by answer: persons, and households that have said so on a sheet."""

    figures: Figures
    names: dict[Answer, list[str]]


async def _comers(visit: Visit, gathering: Gathering) -> Comers | None:
    """For those who arrange gatherings; nobody else needs names here."""
    if not gathering.plan.asks or not visit.may(Right.ARRANGE_GATHERINGS):
        return None
    homes, members = await visit.services.gatherings.attendance.homes(gathering), visit.services.members
    names: dict[Answer, list[str]] = {item: [] for item in Answer}
    for home in homes:
        words = [(person_id, said) for person_id in home.persons if (said := home.of(person_id)) is not None]
        if home.sheet is not None and any(said is home.sheet for _, said in words):
            names[home.sheet.answer].append(members.household(home.household_id).name)
        for person_id, said in words:
            if said is not home.sheet:
                names[said.answer].append(members.person(person_id).name)
    return Comers(figures_of_homes(homes), names)


async def give_file(visit: Visit) -> web.StreamResponse:
    """The gathering for a calendar app that is not connected."""
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    data = visit.services.gatherings.as_ics(gathering).encode()
    return visit.download(data, "text/calendar", f"{gathering.plan.title}.ics")
