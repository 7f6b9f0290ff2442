"""Who comes, at the desk: figures and households, what came on paper, by telephone or at the door; and who is called
when a gathering is off.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.gatherings.answers import Answer
from server.association.gatherings.calling_off import CalledOff
from server.association.gatherings.calls import ToCall
from server.association.gatherings.model import State
from server.association.gatherings.words import moment_in_words, when
from server.association.gatherings.writing_down import MOST_PEOPLE, Word
from server.association.members.came_by import CameBy
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam, Refused
from server.web.attendance_file import attendance_csv
from server.web.forms import Form
from server.web.photos import name_of
from server.web.routing import Routes
from server.web.visit import Visit

_SHEET: Final = "server.association.gatherings.call_sheet:calls_pdf"
_WAYS: Final = (CameBy.PHONE, CameBy.PAPER, CameBy.DOOR)


def add_routes(routes: Routes) -> None:
    """Attendance as officers and helpers see it."""
    routes.get("/desk/attendance", show_asking)
    routes.get("/desk/gatherings/{gathering}/answers", show_answers)
    routes.post("/desk/gatherings/{gathering}/answers", give_out)
    routes.get("/desk/gatherings/{gathering}/homes/{home}", show_home)
    routes.post("/desk/gatherings/{gathering}/homes/{home}", enter)
    routes.get("/desk/gatherings/{gathering}/calls", show_calls)
    routes.post("/desk/gatherings/{gathering}/calls", tick)
    routes.post("/desk/gatherings/{gathering}/calls/sheet", print_calls)


async def show_asking(visit: Visit) -> web.StreamResponse:
    """The gatherings that ask who comes."""
    found = visit.services.gatherings.ledger.asking(visit.user_id)
    return visit.page("desk_attendance.html", gatherings=found, when=when, State=State)


async def show_answers(visit: Visit) -> web.StreamResponse:
    """Figures of all, and the households that one looks after."""
    view = await visit.services.gatherings.ledger.view(visit.user_id, visit.parts["gathering"])
    await visit.services.members.log_look(visit.user_id, "行事の出欠の一覧")
    return visit.page(
        "desk_attendance_answers.html", view=view, gathering=view.gathering, Answer=Answer, State=State,
        name_of=lambda user_id: name_of(visit, user_id),
    )


async def give_out(visit: Visit) -> web.StreamResponse:
    """The same as a file for a spreadsheet."""
    await visit.form()
    view = await visit.services.gatherings.ledger.view(visit.user_id, visit.parts["gathering"])
    await visit.services.members.log_look(visit.user_id, "行事の出欠のファイル")
    return visit.download(attendance_csv(view, lambda user_id: name_of(visit, user_id)), "text/csv", "出欠.csv")


async def show_home(visit: Visit) -> web.StreamResponse:
    """The form for what a household said."""
    return await _home_page(visit, Form())


async def enter(visit: Visit) -> web.StreamResponse:
    """Write it down, or take back what was written."""
    form, writing = await visit.form(), visit.services.gatherings.writing
    gathering_id, home_id = visit.parts["gathering"], visit.parts["home"]
    try:
        if form.line("step") == "take_back":
            await writing.take_back(visit.user_id, gathering_id, home_id)
            return visit.go(f"/desk/gatherings/{gathering_id}/answers", done="taken_back")
        gathering = await writing.enter(visit.user_id, gathering_id, home_id, _word(form))
    except Refused as fault:
        if fault.status not in (400, 409):
            raise
        return await _home_page(visit, form, fault)
    if gathering.state is State.CANCELLED:
        return visit.go(f"/desk/gatherings/{gathering_id}/calls", done="entered")
    return visit.go(f"/desk/gatherings/{gathering_id}/answers", done="entered")


async def show_calls(visit: Visit) -> web.StreamResponse:
    """電話で知らせる人, household by household, and who has told them."""
    off = _off(visit, visit.query("day"))
    rows = await visit.services.gatherings.calls.to_call(visit.user_id, off)
    await visit.services.members.log_look(visit.user_id, "中止を電話で知らせる人")
    return visit.page(
        "desk_calls.html", off=off, rows=rows, plan=off.gathering.plan, when=_when(off),
        left=sum(row.call is None for row in rows), name_of=lambda user_id: name_of(visit, user_id),
    )


async def tick(visit: Visit) -> web.StreamResponse:
    """知らせた, or not after all."""
    form = await visit.form()
    off = _off(visit, form.line("day"))
    told = form.line("step") != "undo"
    await visit.services.gatherings.calls.tick(visit.user_id, off, form.line("home"), told=told)
    return visit.go(_calls_path(off), done="saved")


async def print_calls(visit: Visit) -> web.StreamResponse:
    """The list on paper, in walking order."""
    off = _off(visit, (await visit.form()).line("day"))
    rows = await visit.services.gatherings.calls.to_call(visit.user_id, off)
    await visit.services.members.log_look(visit.user_id, "中止を電話で知らせる人（印刷）")
    printed = await visit.services.gatherings.printing.run(_SHEET, {
        "title": off.gathering.plan.title, "when": _when(off), "reason": off.gathering.reason,
        "rows": [{
            "block": row.block.name, "household": row.household.name,
            "persons": "、".join(f"{person.name} {person.phone}".strip() for person in row.persons),
            "told": _told(visit, row),
        } for row in rows],
    })
    return visit.download(printed.data, "application/pdf", "電話で知らせる人.pdf")


def _word(form: Form) -> Word:
    answers = {answer.value: answer for answer in Answer}
    answer = answers.get(form.line("answer"))
    if answer is None:
        raise InvalidParam("来るか どうかを えらんでください。")
    people = form.number("people", "人数", least=1, most=MOST_PEOPLE) if form.line("people") else 1
    way = CameBy.written_down(form.line("came_by"))
    return Word(answer=answer, came_by=way, people=people, person_id=form.line("who"))


async def _home_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    services, members = visit.services.gatherings, visit.services.members
    home = members.household(visit.parts["home"])
    gathering, people = services.writing.asked(visit.user_id, visit.parts["gathering"], home.id)
    view = await services.ledger.view(visit.user_id, gathering.id)
    row = next(item for item in view.rows if item.household.id == home.id)
    return visit.page(
        "desk_attendance_home.html", gathering=gathering, home=home, row=row, people=people, form=form, ways=_WAYS,
        answers=list(Answer), most=MOST_PEOPLE, State=State, name_of=lambda user_id: name_of(visit, user_id),
        fault=fault,
    )


def _off(visit: Visit, day: str) -> CalledOff:
    day_ms = int(day) if day.isascii() and day.isdigit() and len(day) < 15 else 0
    return visit.services.gatherings.calls.off(visit.user_id, visit.parts["gathering"], day_ms)


def _when(off: CalledOff) -> str:
    return when(off.gathering.plan) if off.day is None else moment_in_words(off.day)


def _told(visit: Visit, row: ToCall) -> str:
    return "" if row.call is None else f"{name_of(visit, row.call.officer)} {tokyo_time(row.call.ts):%m/%d %H:%M}"


def _calls_path(off: CalledOff) -> str:
    path = f"/desk/gatherings/{off.gathering.id}/calls"
    return f"{path}?day={off.day_ms}" if off.day_ms else path
