"""Polls at the desk: ask, see the result, write down what came on paper, close."""

from __future__ import annotations

from aiohttp import web

from server.association.members.came_by import CameBy
from server.association.members.model import Right
from server.association.polls.model import MOST_CHOICES, Counting, Question
from server.foundation.errors import InvalidParam, Refused
from server.web.audiences import ChosenAudience
from server.web.dates import day_from_input, end_of_day_ms
from server.web.forms import Form
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
    routes.get("/desk/polls/{poll}/households/{household}", show_household)
    routes.post("/desk/polls/{poll}/households/{household}", enter_for_household)


async def show_polls(visit: Visit) -> web.StreamResponse:
    """All polls, newest first."""
    return visit.page("desk_polls.html", polls=await visit.services.polls.results.polls(visit.user_id, 50))


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a new question."""
    visit.require(Right.ASK_POLLS)
    usual = ("はい", "いいえ", "まだ わからない")
    return _form_page(visit, Form([("choices", "\n".join(usual)), ("audience", ChosenAudience().kind)]))


async def ask(visit: Visit) -> web.StreamResponse:
    """Ask, once however often the button is pressed."""
    form = await visit.form()
    visit.require(Right.ASK_POLLS)
    try:
        with visit.once(form) as is_first:
            poll = await visit.services.polls.start(visit.user_id, _question(form)) if is_first else None
    except Refused as fault:
        return _form_page(visit, form, fault)
    return visit.go(f"/desk/polls/{poll.id}" if poll else "/desk/polls", done="sent" if poll else "")


def _form_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    members = visit.services.members
    return visit.page(
        "desk_poll_new.html", form=form, audience=ChosenAudience.of_form(form), blocks=members.blocks(),
        groups=members.groups(), most_choices=MOST_CHOICES, countings=list(Counting), once=visit.new_once(),
        fault=fault,
    )


def _question(form: Form) -> Question:
    deadline = form.line("deadline")
    choices = tuple(line.strip() for line in form.text("choices").split("\n") if line.strip())
    return Question(
        text=form.line("question"), choices=choices, audience=ChosenAudience.of_form(form).audience(),
        most=len(choices) if form.line("most") == "many" else 1, disclosed=not form.has("hidden"),
        counting=_counting(form.line("counting")),
        deadline=end_of_day_ms(day_from_input(deadline, "しめきり", "deadline")) if deadline else None,
    )


async def show_result(visit: Visit) -> web.StreamResponse:
    """Figures per person and household, and who has said what."""
    result = await visit.services.polls.results.result(visit.user_id, visit.parts["poll"])
    is_over = result.poll.is_over_at(visit.services.clock.now_ms())
    told = visit.services.members.describe(result.poll.audience)
    return visit.page("desk_poll.html", result=result, poll=result.poll, is_over=is_over, told=told, Counting=Counting)


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
    block = members.block_of(person.id)
    return await _entry_page(visit, block.id, f"{block.name} {person.name}さんの こたえを 書く", f"persons/{person.id}")


async def enter(visit: Visit) -> web.StreamResponse:
    """Write it down."""
    form = await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.enter(
        visit.user_id, poll_id, visit.parts["person"], form.lines("choice"),
        CameBy.written_down(form.line("channel")),
    )
    return visit.go(f"/desk/polls/{poll_id}", done="entered")


async def show_household(visit: Visit) -> web.StreamResponse:
    """The form for the sheet of a whole household."""
    members = visit.services.members
    home = members.household(visit.parts["household"])
    block = members.block(home.block_id)
    heading = f"{block.name} {home.name}の 家の こたえを 書く"
    return await _entry_page(visit, block.id, heading, f"households/{home.id}")


async def enter_for_household(visit: Visit) -> web.StreamResponse:
    """Write it down; it counts for everybody there who has said nothing since."""
    form = await visit.form()
    poll_id = visit.parts["poll"]
    await visit.services.polls.enter_for_household(
        visit.user_id, poll_id, visit.parts["household"], form.lines("choice"),
        CameBy.written_down(form.line("channel")),
    )
    return visit.go(f"/desk/polls/{poll_id}", done="entered")


async def _entry_page(visit: Visit, block_id: str, heading: str, whose: str) -> web.StreamResponse:
    visit.services.members.require(visit.user_id, Right.ENTER_ANSWERS, block_id)
    poll = await visit.services.polls.results.poll(visit.parts["poll"])
    return visit.page(
        "desk_poll_enter.html", poll=poll, heading=heading, action=f"/desk/polls/{poll.id}/{whose}",
        channels=[CameBy.PAPER, CameBy.PHONE, CameBy.DOOR],
    )


def _counting(text: str) -> Counting:
    countings = {counting.value: counting for counting in Counting}
    if text not in countings:
        raise InvalidParam("数えかたを えらんでください。")
    return countings[text]
