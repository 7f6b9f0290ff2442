"""役員交代 at the desk: a guided way to hand all offices over on a day, and the sheet for the next officers."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from aiohttp import web

from server.association.members.handover import Handover, Offices, offices_after, offices_of
from server.association.members.model import Person, Right, Role
from server.association.members.names import folded
from server.foundation.errors import InvalidParam
from server.web.dates import day_from_input, input_date_of
from server.web.forms import Form
from server.web.going_on import going_on
from server.web.languages.dates import Dates
from server.web.languages.tongues import JAPANESE
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_FOUND: Final = 30


def add_routes(routes: Routes) -> None:
    """From the day to the sheet."""
    routes.get("/desk/handover", show_all)
    routes.post("/desk/handover", begin)
    routes.get("/desk/handover/{handover}", show)
    routes.post("/desk/handover/{handover}/day", set_day)
    routes.post("/desk/handover/{handover}/endings", set_endings)
    routes.post("/desk/handover/{handover}/add", add)
    routes.post("/desk/handover/{handover}/remove", remove)
    routes.get("/desk/handover/{handover}/sure", show_sure)
    routes.post("/desk/handover/{handover}/decide", decide)
    routes.post("/desk/handover/{handover}/cancel", cancel)
    routes.post("/desk/handover/{handover}/sheet", print_sheet)


async def show_all(visit: Visit) -> web.StreamResponse:
    """What is under way, the form for a new one, and what has been."""
    known = await visit.services.keeping.handovers().all(visit.user_id)
    return visit.page(
        "desk_handovers.html", going=[item for item in known if item.state.is_open],
        past=[item for item in known if not item.state.is_open],
        today=input_date_of(visit.services.clock.now_ms()),
    )


async def begin(visit: Visit) -> web.StreamResponse:
    """A day is chosen."""
    day = day_from_input((await visit.form()).line("day"), "交代")
    handover = await visit.services.keeping.handovers().begin(visit.user_id, day)
    return visit.go(f"/desk/handover/{handover.id}")


async def show(visit: Visit) -> web.StreamResponse:
    """Who stops, who begins; or what has become of it."""
    handover = await _handover(visit)
    members = visit.services.members
    await members.log_look(visit.user_id, "役員交代の ページ")
    ends = {(change.person_id, change.role) for change in handover.changes if not change.gives}
    begins = [change for change in handover.changes if change.gives]
    now = offices_of(members.register)
    return visit.page(
        "desk_handover.html", handover=handover,
        current=[(person, role, (person.id, role) in ends) for person, role in _rows(visit, now)],
        begins=[(_name(visit, change.person_id), change.person_id, change.role) for change in begins],
        ends=[(_name(visit, person_id), role) for person_id, role in sorted(ends)],
        query=visit.query("q"), found=_found(visit), roles=list(Role), day=input_date_of(handover.due_ts),
        block_of=members.block_of,
    )


async def set_day(visit: Visit) -> web.StreamResponse:
    """Another day."""
    day = day_from_input((await visit.form()).line("day"), "交代")
    return await _back(visit, await visit.services.keeping.handovers().set_day(visit.user_id, _id(visit), day))


async def set_endings(visit: Visit) -> web.StreamResponse:
    """Who stops. Whoever goes on from there, to look somebody up or to decide, loses no tick."""
    form = await visit.form()
    ending = []
    for line in form.lines("ends"):
        person_id, _, role = line.partition(":")
        ending.append((person_id, _role(role)))
    handover = await _handover(visit)
    known = {(change.person_id, change.role) for change in handover.changes if not change.gives}
    if set(ending) != known:  # who only looks somebody up takes no decision back
        handover = await visit.services.keeping.handovers().set_endings(visit.user_id, handover.id, ending)
    if form.line("then") == "sure":
        return visit.go(f"/desk/handover/{handover.id}/sure")
    wanted = form.line("q")
    return visit.go(f"/desk/handover/{handover.id}?q={quote(wanted)}") if wanted else await _back(visit, handover)


async def add(visit: Visit) -> web.StreamResponse:
    """Somebody begins."""
    form = await visit.form()
    return await _back(visit, await visit.services.keeping.handovers().add(visit.user_id, _id(visit), *_whom(form)))


async def remove(visit: Visit) -> web.StreamResponse:
    """They do not, after all."""
    form = await visit.form()
    return await _back(visit, await visit.services.keeping.handovers().remove(visit.user_id, _id(visit), *_whom(form)))


async def show_sure(visit: Visit) -> web.StreamResponse:
    """Who will hold which office from then on."""
    handover = await _handover(visit)
    after = offices_after(visit.services.members.register, handover.changes)
    return visit.page(
        "desk_handover_sure.html", handover=handover, offices=_by_role(visit, after),
        ends=_changes(visit, handover, gives=False), begins=_changes(visit, handover, gives=True),
        is_now=handover.due_ts <= visit.services.clock.now_ms(),
    )


async def decide(visit: Visit) -> web.StreamResponse:
    """Yes."""
    await visit.form()
    handover = await visit.services.keeping.handovers().decide(visit.user_id, _id(visit))
    if visit.may(Right.GIVE_ROLES):
        return await _back(visit, handover)
    return visit.go("/", done="handed_over")  # it was today, and they hold no office any more


async def cancel(visit: Visit) -> web.StreamResponse:
    """It will not happen."""
    await visit.form()
    await visit.services.keeping.handovers().cancel(visit.user_id, _id(visit))
    return visit.go("/desk/handover", done="handover_cancelled")


async def print_sheet(visit: Visit) -> web.StreamResponse:
    """For the next officers."""
    await visit.form()
    handover = await _handover(visit)
    settings, members = visit.services.settings, visit.services.members
    changes = handover.changes if handover.state.is_open else ()
    pdf = await visit.services.roster.papers.handover_sheet_pdf(
        settings.association.name, f"{Dates(JAPANESE.code).day(handover.due_ts)}から",
        _by_role(visit, offices_after(members.register, changes)), await going_on(visit),
        f"{settings.http.public_url}/desk",
    )
    return visit.download(pdf, "application/pdf", "役員の引きつぎ.pdf")


# ---- what they have in common --------------------------------------------------------------------------------------


def _id(visit: Visit) -> str:
    return visit.parts["handover"]


async def _handover(visit: Visit) -> Handover:
    return await visit.services.keeping.handovers().get(visit.user_id, _id(visit))


async def _back(visit: Visit, handover: Handover) -> web.StreamResponse:
    return visit.go(f"/desk/handover/{handover.id}", done="saved")


def _whom(form: Form) -> tuple[str, Role]:
    return form.line("person"), _role(form.line("role"))


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidParam("役を えらんでください。") from None


def _name(visit: Visit, person_id: str) -> str:
    register = visit.services.members.register
    return register.person(person_id).name if register.has_person(person_id) else "（名簿にない人）"


def _changes(visit: Visit, handover: Handover, *, gives: bool) -> str:
    """Who begins, or who stops, with their offices."""
    changes = [change for change in handover.changes if change.gives is gives]
    return "、".join(f"{_name(visit, change.person_id)}（{change.role.label}）" for change in changes)


def _rows(visit: Visit, offices: Offices) -> list[tuple[Person, Role]]:
    """By office, then in walking order."""
    members = visit.services.members
    return [(members.person(person_id), role) for role in Role for person_id, held in offices.items() if role in held]


def _by_role(visit: Visit, offices: Offices) -> list[tuple[str, str]]:
    rows = _rows(visit, offices)
    names = {role: [person.name for person, held in rows if held is role] for role in Role}
    return [(role.label, "、".join(persons)) for role, persons in names.items() if persons]


def _found(visit: Visit) -> list[Person]:
    wanted = folded(visit.query("q"))
    if not wanted:
        return []
    persons = visit.services.members.persons()
    return [person for person in persons if wanted in folded(f"{person.name} {person.kana}")][:_MOST_FOUND]
