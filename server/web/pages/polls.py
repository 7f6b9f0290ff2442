"""Polls as a resident sees them: a question, large buttons, what was answered, figures where they may be seen."""

from __future__ import annotations

from aiohttp import web

from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Being asked, answering, and ending a poll of one's own."""
    routes.get("/polls", show_polls)
    routes.get("/polls/{poll}", show_poll)
    routes.post("/polls/{poll}", answer)
    routes.post("/polls/{poll}/take-back", take_back)
    routes.post("/polls/{poll}/close", close)


async def show_polls(visit: Visit) -> web.StreamResponse:
    """The open polls for this resident, and those that are over."""
    now, results = visit.services.clock.now_ms(), visit.services.polls.results
    found = await results.polls_for(visit.user_id)
    just_over = [item for item in found if item.poll.is_over_at(now)]
    return visit.page(
        "polls.html", polls=[item for item in found if not item.poll.is_over_at(now)],
        past=[*just_over, *await results.past_polls_for(visit.user_id)],
    )


async def show_poll(visit: Visit) -> web.StreamResponse:
    """One question: with buttons while it is open, with figures as soon as this reader may see them."""
    view = await visit.services.polls.results.view(visit.user_id, visit.parts["poll"])
    return visit.page(
        "poll.html", view=view, poll=view.poll, chosen=view.chosen, count=view.count,
        is_over=view.poll.is_over_at(visit.services.clock.now_ms()), has_arrived=visit.query("done") == "answered",
    )


async def answer(visit: Visit) -> web.StreamResponse:
    """One tap, or several boxes."""
    form = await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.answer(visit.user_id, poll_id, form.lines("choice"))
    return visit.go(f"/polls/{poll_id}", done="answered")


async def take_back(visit: Visit) -> web.StreamResponse:
    """As if nothing had been answered."""
    await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.take_back(visit.user_id, poll_id)
    return visit.go(f"/polls/{poll_id}", done="taken_back")


async def close(visit: Visit) -> web.StreamResponse:
    """No more answers to a poll that this resident has made; the result goes to its room."""
    await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.close(visit.user_id, poll_id)
    return visit.go(f"/polls/{poll_id}", done="finished")
