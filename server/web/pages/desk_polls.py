"""Polls at the desk: ask, see the result, write down what came on paper, close."""

from __future__ import annotations

from aiohttp import web

from server.association.members.model import Right
from server.association.polls.model import MOST_CHOICES, Channel, Question
from server.foundation.errors import InvalidParam
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input, end_of_day_ms
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """All pages of polls at the desk."""
    routes.get("/desk/polls", show_polls)
    routes.get("/desk/polls/new", show_form)
    routes.post("/desk/polls/new", ask)
    routes.get("/desk/polls/{poll}", show_result)
    routes.post("/desk/polls/{poll}/file", give_out)
    routes.post("/desk/polls/{poll}/close", close)
    routes.get("/desk/polls/{poll}/persons/{person}", show_person)
    routes.post("/desk/polls/{poll}/persons/{person}", enter)


async def show_polls(visit: Visit) -> web.StreamResponse:
    """All polls, newest first."""
    return visit.page("desk_polls.html", polls=await visit.services.polls.results.polls(visit.user_id, 50))


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a new question."""
    visit.require(Right.ASK_POLLS)
    members = visit.services.members
    return visit.page(
        "desk_poll_new.html", audience=ChosenAudience(), blocks=members.blocks(), groups=members.groups(),
        most_choices=MOST_CHOICES, once=visit.new_once(),
    )


async def ask(visit: Visit) -> web.StreamResponse:
    """Ask, once however often the button is pressed."""
    form = await visit.form()
    deadline = form.line("deadline")
    choices = tuple(line.strip() for line in form.text("choices").split("\n") if line.strip())
    question = Question(
        text=form.line("question"), choices=choices, audience=ChosenAudience.of_form(form).audience(),
        most=len(choices) if form.line("most") == "many" else 1, disclosed=not form.has("hidden"),
        deadline=end_of_day_ms(day_from_input(deadline, "しめきり")) if deadline else None,
    )
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go("/desk/polls")
        poll = await visit.services.polls.start(visit.user_id, question)
    return visit.go(f"/desk/polls/{poll.id}", done="sent")


async def show_result(visit: Visit) -> web.StreamResponse:
    """Figures per person and household, and who has said what."""
    result = await visit.services.polls.results.result(visit.user_id, visit.parts["poll"])
    is_over = result.poll.is_over_at(visit.services.clock.now_ms())
    told = visit.services.members.describe(result.poll.audience)
    return visit.page("desk_poll.html", result=result, poll=result.poll, is_over=is_over, told=told)


async def give_out(visit: Visit) -> web.StreamResponse:
    """The result as a file for a spreadsheet."""
    await visit.form()
    data = await visit.services.polls.results.csv(visit.user_id, visit.parts["poll"])
    return visit.download(data, "text/csv", "アンケート.csv")


async def close(visit: Visit) -> web.StreamResponse:
    """No more answers; the result goes to its rooms."""
    await visit.form()
    await visit.services.polls.close(visit.user_id, visit.parts["poll"])
    return visit.go(f"/desk/polls/{visit.parts['poll']}", done="finished")


async def show_person(visit: Visit) -> web.StreamResponse:
    """The form for what somebody said on paper, by telephone, at the door."""
    members = visit.services.members
    person = members.person(visit.parts["person"])
    members.require(visit.user_id, Right.ENTER_ANSWERS, members.block_of(person.id).id)
    poll = await visit.services.polls.results.poll(visit.parts["poll"])
    return visit.page(
        "desk_poll_person.html", poll=poll, person=person, block=members.block_of(person.id),
        channels=[Channel.PAPER, Channel.PHONE, Channel.DOOR],
    )


async def enter(visit: Visit) -> web.StreamResponse:
    """Write it down."""
    form = await visit.form()
    channels = {channel.value: channel for channel in Channel if channel is not Channel.APP}
    channel = channels.get(form.line("channel"))
    if channel is None:
        raise InvalidParam("どうやって聞いたかを えらんでください。")
    poll_id = visit.parts["poll"]
    await visit.services.polls.enter(visit.user_id, poll_id, visit.parts["person"], form.lines("choice"), channel)
    return visit.go(f"/desk/polls/{poll_id}", done="entered")
