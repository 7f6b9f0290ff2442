"""Liaison rooms (連絡室) at the desk: officers of two linked nodes talk, and every question has a state."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.model import Role
from server.foundation.errors import InvalidParam
from server.web.attached_files import answer_file, attachments_of, keeper_for
from server.web.dates import day_from_input, end_of_day_ms, moment_from_input
from server.web.forms import Form
from server.web.liaison import LiaisonDesk
from server.web.routing import Routes
from server.web.visit import Visit

_ROOM: Final = "/desk/liaison/{room}"
_CASE: Final = "/desk/liaison/{room}/{case}"


def add_routes(routes: Routes) -> None:
    """The list, a room, a question."""
    routes.get("/desk/liaison", show_rooms)
    routes.get(_ROOM, show_room)
    routes.get(f"{_ROOM}/lines", show_lines)
    routes.post(f"{_ROOM}/say", say)
    routes.get(f"{_ROOM}/new", show_form)
    routes.post(f"{_ROOM}/ask", ask)
    routes.post(f"{_ROOM}/duty", set_duty)
    routes.post(f"{_ROOM}/enter", enter)
    routes.get(f"{_ROOM}/file/{{event}}", show_file)
    routes.get(_CASE, show_case)
    routes.get(f"{_CASE}/lines", show_conversation)
    routes.post(_CASE, reply)


async def show_rooms(visit: Visit) -> web.StreamResponse:
    """All rooms, those first in which something waits."""
    return visit.page("desk_liaison.html", rooms=await (await _desk(visit)).rooms(visit.user_id))


async def show_room(visit: Visit) -> web.StreamResponse:
    """Who is on duty, the questions, and what was said."""
    return await _room_page(visit, "desk_liaison_room.html")


async def show_lines(visit: Visit) -> web.StreamResponse:
    """Only the part that changes."""
    return await _room_page(visit, "desk_liaison_lines.html")


async def show_form(visit: Visit) -> web.StreamResponse:
    """The form for a question."""
    room = await (await _desk(visit)).room(visit.user_id, _room(visit))
    return visit.page(
        "desk_liaison_new.html", room=room, here=_address(visit), by=_called(visit), once=visit.new_once())


async def show_case(visit: Visit) -> web.StreamResponse:
    """A question with everything that was said about it."""
    return await _case_page(visit, "desk_liaison_case.html")


async def show_conversation(visit: Visit) -> web.StreamResponse:
    """Only the part that changes."""
    return await _case_page(visit, "desk_liaison_conversation.html")


async def say(visit: Visit) -> web.StreamResponse:
    """Words and files for the other side."""
    form, desk = await visit.form(keeper_for(visit)), await _desk(visit)
    with visit.once(form) as is_first:
        if is_first:
            await _say(visit, desk, form, "")
    return visit.go(_address(visit))


async def ask(visit: Visit) -> web.StreamResponse:
    """Open a question."""
    form, desk = await visit.form(), await _desk(visit)
    with visit.once(form) as is_first:
        if not is_first:
            return visit.go(_address(visit))
        case_id = await desk.ask(
            visit.user_id, _room(visit), form.line("title"), form.text("text"), form.line("by"))
    return visit.go(f"{_address(visit)}/{case_id}", done="sent")


async def reply(visit: Visit) -> web.StreamResponse:
    """Say something about a question, and what the pressed button says of its state."""
    form, desk, case_id = await visit.form(keeper_for(visit)), await _desk(visit), visit.parts["case"]
    state = form.line("what")
    with visit.once(form) as is_first:
        if is_first and (state == "say" or form.text("text") or form.uploads):
            await _say(visit, desk, form, case_id)
        if is_first and state != "say":
            await desk.move(visit.user_id, _room(visit), case_id, state, form.line("by"))
    return visit.go(f"{_address(visit)}/{case_id}", done="sent")


async def set_duty(visit: Visit) -> web.StreamResponse:
    """Who answers on our side, and until when."""
    form, desk = await visit.form(), await _desk(visit)
    await desk.set_duty(visit.user_id, _room(visit), form.line("who"), _until(form))
    return visit.go(_address(visit), done="saved")


async def enter(visit: Visit) -> web.StreamResponse:
    """Into the room with one's own account."""
    await visit.form()
    await (await _desk(visit)).enter(visit.user_id, _room(visit))
    return visit.go(_address(visit), done="saved")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A photo or a paper that somebody of either side has shown."""
    attachment = await (await _desk(visit)).file(visit.user_id, _room(visit), visit.parts["event"])
    return await answer_file(visit, attachment, is_small=False)


# ---- parts ----------------------------------------------------------------------------------------------------------


async def _desk(visit: Visit) -> LiaisonDesk:
    return (await visit.services.wide_area()).liaison


def _room(visit: Visit) -> str:
    return visit.parts["room"]


def _address(visit: Visit) -> str:
    """The room's page, as the browser has named it."""
    return "/".join(visit.request.rel_url.raw_path.split("/")[:4])


async def _room_page(visit: Visit, template: str) -> web.Response:
    desk, room_id = await _desk(visit), _room(visit)
    return visit.page(
        template, room=await desk.room(visit.user_id, room_id), cases=await desk.cases(visit.user_id, room_id),
        lines=await desk.talk(visit.user_id, room_id), here=_address(visit), by=_called(visit), once=visit.new_once(),
    )


async def _case_page(visit: Visit, template: str) -> web.Response:
    desk, room_id, case_id = await _desk(visit), _room(visit), visit.parts["case"]
    return visit.page(
        template, room=await desk.room(visit.user_id, room_id),
        case=await desk.case(visit.user_id, room_id, case_id), here=_address(visit), by=_called(visit),
        lines=await desk.conversation(visit.user_id, room_id, case_id), once=visit.new_once(),
    )


async def _say(visit: Visit, desk: LiaisonDesk, form: Form, case_id: str) -> None:
    text, by, room_id = form.text("text"), form.line("by"), _room(visit)
    files = await attachments_of(visit, [upload.mxc for upload in form.uploads])
    if not text and not files:
        raise InvalidParam("本文を書くか、ファイルをつけてください")
    if text and case_id:
        await desk.reply(visit.user_id, room_id, case_id, text, by)
    elif text:
        await desk.say(visit.user_id, room_id, text, by)
    for file in files:
        await desk.show(visit.user_id, room_id, file, by, case_id)


def _until(form: Form) -> int | None:
    day, time = form.line("day"), form.line("time")
    if not day and not time:
        return None
    if not time:
        return end_of_day_ms(day_from_input(day, "担当"))
    return int(moment_from_input(day, time, "担当").timestamp() * 1000)


def _called(visit: Visit) -> str:
    """How officers of an association are mostly called; those of a city say which office they are."""
    if visit.services.settings.node.role != "association":
        return ""
    roles = visit.services.members.roles_of_user(visit.user_id)
    return next((role.label for role in Role if role in roles), "")
