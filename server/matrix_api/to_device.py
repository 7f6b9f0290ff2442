"""Messages from device to device (spec, "Send-to-Device messaging")."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.foundation.canonical_json import require_canonical
from server.foundation.errors import BadRequest, InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body
from server.http.routes import Doors

# Room keys for some hundred devices in one request.
_MAX_BODY_BYTES: Final = 4 * 1024 * 1024


def add_routes(doors: Doors) -> None:
    """Sending. Receiving is part of /sync."""
    doors.put("v3/sendToDevice/{type}/{txn_id}", send_to_device)


async def send_to_device(request: web.Request) -> web.Response:
    """PUT sendToDevice/{type}/{txn_id}"""
    known = await caller(request)
    kind = request.match_info["type"]
    if len(kind.encode()) > 255:
        raise InvalidParam("The type has at most 255 bytes")
    messages = field(await json_body(request, limit=_MAX_BODY_BYTES), "messages", dict)
    for by_device in messages.values():
        if not isinstance(by_device, dict) or not all(isinstance(content, dict) for content in by_device.values()):
            raise BadRequest("messages holds a content by user and device")
    require_canonical(messages)
    sender = (known.user_id, known.device_id)
    await request.app[ACCOUNTS].to_device.send_once(sender, kind, request.match_info["txn_id"], messages)
    return json_answer({})
