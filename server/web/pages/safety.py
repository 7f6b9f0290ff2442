"""Safety checks as a resident sees them: three large buttons, and what has arrived."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.model import Person
from server.association.safety_checks.actions import Given
from server.association.safety_checks.desk import OwnQuestion
from server.association.safety_checks.model import MAX_COMMENT, Status
from server.foundation.errors import InvalidParam
from server.web.reading import mark_desk_read
from server.web.routing import Routes
from server.web.visit import Visit

_STATUSES: Final = {status.value: status for status in Status}


def add_routes(routes: Routes) -> None:
    """Being asked, and answering."""
    routes.get("/safety", show_questions)
    routes.post("/safety/{check}", answer)
    routes.post("/safety/{check}/family", answer_for_family)


async def show_questions(visit: Visit) -> web.StreamResponse:
    """All open checks for this resident."""
    person = visit.person
    questions = await visit.services.safety.desk.questions_for(visit.user_id)
    if questions:
        await mark_desk_read(visit, person)
    return visit.page(
        "safety.html", questions=questions, statuses=list(Status), most=MAX_COMMENT, families=await _families(visit),
    )


async def answer(visit: Visit) -> web.StreamResponse:
    """One tap. The page that follows says when it has arrived, from what is on disk."""
    form = await visit.form()
    status = _STATUSES.get(form.line("status"))
    if status is None:
        raise InvalidParam("ボタンを ひとつ おしてください。")
    given = Given(status=status, comment=form.text("comment"))
    await visit.services.safety.checks.answer(visit.user_id, visit.parts["check"], given)
    return visit.go("/safety")


async def answer_for_family(visit: Visit) -> web.StreamResponse:
    """Everybody on this telephone at once: an answer for each of them, which says who has pressed the button.

    「みんな 無事です」 speaks for those who have not answered yet.
    """
    form, check_id, desk = await visit.form(), visit.parts["check"], visit.services.safety.desk
    for member in visit.family.members:
        user_id = member.session.user_id
        asked = next((item for item in await desk.questions_for(user_id) if item.check.id == check_id), None)
        everybody = form.line("all") if asked is not None and asked.current.status is None else ""
        status = _STATUSES.get(everybody or form.line(f"status-{member.person.id}"))
        if asked is not None and status is not None and status is not asked.current.status:
            await visit.services.safety.checks.answer(
                user_id, check_id, Given(status=status), by="" if user_id == visit.user_id else visit.user_id)
    return visit.go("/safety")


async def _families(visit: Visit) -> dict[str, list[tuple[Person, OwnQuestion]]]:
    """By check, everybody on this telephone whom it asks; nothing where one person is alone on it."""
    found: dict[str, list[tuple[Person, OwnQuestion]]] = {}
    for member in visit.family.members if visit.family else ():
        for item in await visit.services.safety.desk.questions_for(member.session.user_id):
            found.setdefault(item.check.id, []).append((member.person, item))
    return found
