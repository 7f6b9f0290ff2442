"""Polls as a resident sees them: a question, large buttons, what was answered."""

from __future__ import annotations

from aiohttp import web

from server.association.polls.model import Poll, State
from server.foundation.errors import Forbidden
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Being asked, and answering."""
    routes.get("/polls", show_polls)
    routes.get("/polls/{poll}", show_poll)
    routes.post("/polls/{poll}", answer)


async def show_polls(visit: Visit) -> web.StreamResponse:
    """The open polls for this resident."""
    now = visit.services.clock.now_ms()
    found = await visit.services.polls.results.polls_for(visit.user_id)
    return visit.page("polls.html", polls=[item for item in found if not item.poll.is_over_at(now)])


async def show_poll(visit: Visit) -> web.StreamResponse:
    """One question: with buttons while it is open, with its figures when it is over."""
    results = visit.services.polls.results
    poll = await results.poll(visit.parts["poll"])
    _require_asked(visit, poll)
    own = next((item for item in await results.polls_for(visit.user_id) if item.poll.id == poll.id), None)
    is_over = poll.is_over_at(visit.services.clock.now_ms())
    persons, households = await results.tallies(poll) if is_over else (None, None)
    return visit.page(
        "poll.html", poll=poll, chosen=() if own is None else own.chosen, is_over=is_over,
        is_counted=poll.state is State.CLOSED, persons=persons, households=households,
    )


async def answer(visit: Visit) -> web.StreamResponse:
    """One tap, or several boxes."""
    form = await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.answer(visit.user_id, poll_id, form.lines("choice"))
    return visit.go(f"/polls/{poll_id}", done="answered")


def _require_asked(visit: Visit, poll: Poll) -> None:
    members = visit.services.members
    if not members.is_in(visit.user_id, poll.audience) and not members.is_officer(visit.user_id):
        raise Forbidden("このアンケートは、あなた宛てでは ありません。")
