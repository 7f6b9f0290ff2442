"""Doors: receipts, read markers, typing."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.foundation.errors import BadRequest, Forbidden, InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, optional_field
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.rooms.receipts import READ, READ_PRIVATE

_FULLY_READ = "m.fully_read"


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    doors.post("v3/rooms/{roomId}/receipt/{receiptType}/{eventId}", send_receipt)
    doors.post("v3/rooms/{roomId}/read_markers", set_read_markers)
    doors.put("v3/rooms/{roomId}/typing/{userId}", set_typing)


async def send_receipt(request: web.Request) -> web.Response:
    """One has read up to an event."""
    who = await caller(request)
    path = request.match_info
    body = await json_body(request)
    kind, event_id, room_id = path["receiptType"], path["eventId"], path["roomId"]
    if kind == _FULLY_READ:
        if "thread_id" in body:
            raise InvalidParam("A read marker is for the whole room")
        await _mark(request, who.user_id, room_id, event_id)
    else:
        await request.app[ROOMS].receipts.send(room_id, who.user_id, kind, event_id, _thread(body))
    return json_answer({})


async def set_read_markers(request: web.Request) -> web.Response:
    """Move the "new messages" line, and with it the receipts."""
    who = await caller(request)
    room_id = request.match_info["roomId"]
    body = await json_body(request)
    services = request.app[ROOMS]
    for kind in (READ, READ_PRIVATE):
        event_id = optional_field(body, kind, str)
        if event_id is not None:
            await services.receipts.send(room_id, who.user_id, kind, event_id)
    marker = optional_field(body, _FULLY_READ, str)
    if marker is not None:
        await _mark(request, who.user_id, room_id, marker)
    return json_answer({})


async def set_typing(request: web.Request) -> web.Response:
    """One begins or stops to type."""
    who = await caller(request)
    path = request.match_info
    if path["userId"] != who.user_id:
        raise Forbidden("You may speak for yourself only")
    body = await json_body(request)
    request.app[ACCOUNTS].presence.noticed(who.user_id)
    timeout = optional_field(body, "timeout", int)
    await request.app[ROOMS].typing.set(
        path["roomId"], who.user_id, field(body, "typing", bool), 30_000 if timeout is None else timeout
    )
    return json_answer({})


async def _mark(request: web.Request, user_id: str, room_id: str, event_id: str) -> None:
    """``m.fully_read`` is account data of the room, which only this door may set; it never goes back."""
    data = request.app[ACCOUNTS].account_data
    known = await data.find(user_id, room_id, _FULLY_READ)
    than = known.get("event_id") if known is not None else None
    if await request.app[ROOMS].receipts.is_later(room_id, user_id, event_id, than if isinstance(than, str) else None):
        await data.set(user_id, room_id, _FULLY_READ, {"event_id": event_id})


def _thread(body: dict[str, Any]) -> str:
    if "thread_id" not in body:
        return ""
    thread = body["thread_id"]
    if not isinstance(thread, str) or not thread:
        raise BadRequest("thread_id is main or an event id", code="M_INVALID_PARAM")
    return thread
