"""Doors: send, state, redact (spec: "Sending events to a room", "Redactions")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.errors import InvalidParam
from server.http.answers import json_answer
from server.http.requests import caller, int_query, json_body, member, require_may_speak, take_message
from server.http.room_services import ROOMS
from server.http.routes import Doors
from server.matrix_api.state_checks import check_state
from server.rooms.send_event import Draft

# A little above the largest event, so that the event's own limit answers.
_LIMIT = 128 * 1024


def add_routes(doors: Doors) -> None:
    """Register the doors of this file."""
    doors.put("v3/rooms/{roomId}/send/{eventType}/{txnId}", send_message)
    doors.put("v3/rooms/{roomId}/state/{eventType}", set_state)
    doors.put("v3/rooms/{roomId}/state/{eventType}/{stateKey}", set_state)
    doors.put("v3/rooms/{roomId}/redact/{eventId}/{txnId}", redact)


async def send_message(request: web.Request) -> web.Response:
    """``PUT …/send/{eventType}/{txnId}``: a message; the same transaction id again answers the same event."""
    who = await caller(request)
    take_message(request, who)
    path = request.match_info
    content = await json_body(request, limit=_LIMIT)
    draft = Draft(path["roomId"], who.user_id, path["eventType"], content, ts=_timestamp(request, who))
    if draft.type == "m.room.redaction":
        draft = _as_redaction(draft)
        await _require_may_redact(request, who, draft)
    else:
        require_may_speak(request, who)
    event_id = await request.app[ROOMS].sender.send_once(draft, who.device_id, path["txnId"])
    return _event_id(event_id)


async def set_state(request: web.Request) -> web.Response:
    """``PUT …/state/{eventType}/{stateKey}``: set a part of the room's state."""
    who = await caller(request)
    take_message(request, who)
    path = request.match_info
    room_id, key = path["roomId"], (path["eventType"], path.get("stateKey", ""))
    content = await check_state(request, who, room_id, key, await json_body(request, limit=_LIMIT))
    draft = Draft(room_id, who.user_id, key[0], content, key[1], ts=_timestamp(request, who))
    event = await request.app[ROOMS].sender.send(draft)
    return _event_id(event.event_id)


async def redact(request: web.Request) -> web.Response:
    """``PUT …/redact/{eventId}/{txnId}``: take an event's content away for good."""
    who = await member(request)
    path = request.match_info
    body = await json_body(request)
    content: dict[str, Any] = {"reason": body["reason"]} if isinstance(body.get("reason"), str) else {}
    ts = _timestamp(request, who)
    draft = Draft(path["roomId"], who.user_id, "m.room.redaction", content, redacts=path["eventId"], ts=ts)
    await _require_may_redact(request, who, draft)
    return _event_id(await request.app[ROOMS].sender.send_once(draft, who.device_id, path["txnId"]))


async def _require_may_redact(request: web.Request, who: Caller, draft: Draft) -> None:
    """Suspended people may only take back what they have said themselves (spec, "Account suspension")."""
    if who.is_suspended or who.owes_consent:
        entry = await request.app[ROOMS].history.event(draft.room_id, who.user_id, str(draft.redacts))
        if entry.event.sender != who.user_id:
            require_may_speak(request, who)


def _as_redaction(draft: Draft) -> Draft:
    """A redaction that was sent as a message (room version 11 allows it)."""
    target = draft.content.get("redacts")
    if not isinstance(target, str):
        raise InvalidParam("A redaction says which event it is about")
    return replace(draft, redacts=target)


def _timestamp(request: web.Request, who: Caller) -> int | None:
    """When an application service says that it was sent (spec, "Timestamp massaging"); of others it is not heard."""
    return int_query(request, "ts", 0) or None if who.service is not None else None


def _event_id(event_id: str) -> web.Response:
    return json_answer({"event_id": event_id})
