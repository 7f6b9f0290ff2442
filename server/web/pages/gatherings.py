"""Gatherings as a resident sees them: what is ahead, one of them, a file for the telephone's calendar."""

from __future__ import annotations

from aiohttp import web

from server.association.gatherings.answers import Answer
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
        "gathering.html", own=said.to(gathering.id), may_answer=may_answer, Answer=Answer,
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


async def _comers(visit: Visit, gathering: Gathering) -> dict[Answer, list[str]]:
    """The names by answer, for those who arrange gatherings; nobody else needs them here."""
    found: dict[Answer, list[str]] = {item: [] for item in Answer}
    if gathering.plan.asks and visit.may(Right.ARRANGE_GATHERINGS):
        for said in await visit.services.gatherings.attendance.to([gathering]):
            person = visit.services.members.person_of_user(said.user_id)
            found[said.answer] += [person.name] if person is not None else []
    return found


async def give_file(visit: Visit) -> web.StreamResponse:
    """The gathering for a calendar app that is not connected."""
    gathering = visit.services.gatherings.verbs.get(visit.user_id, visit.parts["gathering"])
    data = visit.services.gatherings.as_ics(gathering).encode()
    return visit.download(data, "text/calendar", f"{gathering.plan.title}.ics")
