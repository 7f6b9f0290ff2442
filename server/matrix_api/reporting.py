"""Doors: report a room, an event, a user (spec: "Reporting Content")."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.foundation.errors import NotFound
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, DATABASE, SETTINGS
from server.http.requests import field, json_body, member, optional_field, take_message
from server.http.room_services import ROOMS
from server.rooms.reports import Reports


async def report_room(request: web.Request) -> web.Response:
    """POST rooms/{roomId}/report"""
    reporter, body = await _reporter(request)
    await _reports(request).report_room(reporter, request.match_info["roomId"], field(body, "reason", str))
    return json_answer({})


async def report_event(request: web.Request) -> web.Response:
    """POST rooms/{roomId}/report/{eventId}; a reason is not needed, the old ``score`` says nothing any more."""
    reporter, body = await _reporter(request)
    path = request.match_info
    reason = optional_field(body, "reason", str) or ""
    await _reports(request).report_event(reporter, path["roomId"], path["eventId"], reason)
    return json_answer({})


async def report_user(request: web.Request) -> web.Response:
    """POST users/{userId}/report; people of other servers are not looked up."""
    reporter, body = await _reporter(request)
    user_id = UserId.parse(request.match_info["userId"])
    ours = user_id.server_name == request.app[SETTINGS].server_name
    if ours and not await request.app[ACCOUNTS].user_exists(str(user_id)):
        raise NotFound("There is no such user here")
    await _reports(request).report_user(reporter, str(user_id), field(body, "reason", str))
    return json_answer({})


async def _reporter(request: web.Request) -> tuple[str, dict[str, Any]]:
    who = await member(request)
    take_message(request, who)
    return who.user_id, await json_body(request)


def _reports(request: web.Request) -> Reports:
    services = request.app[ROOMS]
    return Reports(request.app[DATABASE], services.rooms, services.history, services.clock)
