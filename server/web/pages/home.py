"""The first page: for strangers the ways in, for residents at most six tiles, what is urgent first."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.circulars.model import State as CircularState
from server.association.gatherings.model import State as GatheringState
from server.association.safety_checks.model import MAX_COMMENT, Status
from server.web.agenda import agenda
from server.web.family_news import family_news
from server.web.languages.tongues import TONGUES
from server.web.pages.talk import has_reply
from server.web.reading import mark_desk_read
from server.web.routing import Routes
from server.web.visit import Visit

_LOOKED_AT: Final = 20  # more unread circulars than these are only called "more"


def add_routes(routes: Routes) -> None:
    """The home page."""
    routes.get("/", show_home)


async def show_home(visit: Visit) -> web.StreamResponse:
    """What is open, what is new, what is next."""
    if visit.session is None:
        return visit.page("welcome.html", tongues=list(TONGUES.values()))
    person = visit.services.members.person_of_user(visit.user_id)
    if person is None:
        return visit.page("home_stranger.html")
    questions = await visit.services.safety.desk.questions_for(visit.user_id)
    if any(item.current.status is None for item in questions):
        await mark_desk_read(visit, person)
    now, today = visit.services.clock.now_ms(), visit.services.daily.garbage.today
    polls = [
        item for item in await visit.services.polls.results.polls_for(visit.user_id) if not item.poll.is_over_at(now)
    ]
    polls.sort(key=lambda item: bool(item.chosen))
    circulars = await visit.services.circulars.reader.page(visit.user_id, _LOOKED_AT)
    coming = visit.services.gatherings.verbs.upcoming(visit.user_id, 1)
    unread = [item for item in circulars.items if item.is_unread and item.circular.state is not CircularState.WITHDRAWN]
    return visit.page(
        "home.html", person=person, questions=questions, statuses=list(Status), most=MAX_COMMENT, polls=polls,
        unanswered=sum(not item.chosen for item in polls), unread=len(unread),
        is_more_unread=circulars.next is not None and len(unread) == len(circulars.items),
        newest=next(iter([*unread, *circulars.items]), None), coming=next(iter(coming), None), State=GatheringState,
        today=agenda(visit, person, today, today), has_reply=await has_reply(visit, person),
        family_news=await family_news(visit),
    )
