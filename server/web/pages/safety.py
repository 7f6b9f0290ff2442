"""Safety checks as a resident sees them: three large buttons, and what has arrived."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.safety_checks.actions import Given
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


async def show_questions(visit: Visit) -> web.StreamResponse:
    """All open checks for this resident."""
    person = visit.person
    questions = await visit.services.safety.desk.questions_for(visit.user_id)
    if questions:
        await mark_desk_read(visit, person)
    return visit.page("safety.html", questions=questions, statuses=list(Status), most=MAX_COMMENT)


async def answer(visit: Visit) -> web.StreamResponse:
    """One tap. The page that follows says when it has arrived, from what is on disk."""
    form = await visit.form()
    status = _STATUSES.get(form.line("status"))
    if status is None:
        raise InvalidParam("ボタンを ひとつ おしてください。")
    given = Given(status=status, comment=form.text("comment"))
    await visit.services.safety.checks.answer(visit.user_id, visit.parts["check"], given)
    return visit.go("/safety")
