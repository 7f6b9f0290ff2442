"""Dehydrated devices (MSC3814)."""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web

from server.accounts.dehydrated import DehydratedDevices
from server.accounts.dehydrated_store import DehydratedDevice
from server.accounts.device_keys import KeyUpload
from server.accounts.key_formats import parse_public_keys
from server.foundation.canonical_json import require_canonical
from server.foundation.errors import InvalidParam
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, CLOCK, DATABASE
from server.http.requests import field, json_body, member, optional_field

_MAX_BODY_BYTES: Final = 4 * 1024 * 1024


async def get_device(request: web.Request) -> web.Response:
    """GET dehydrated_device"""
    known = await member(request)
    device = await _devices(request).get(known.user_id)
    return json_answer({"device_id": device.device_id, "device_data": device.data})


async def put_device(request: web.Request) -> web.Response:
    """PUT dehydrated_device"""
    known = await member(request)
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    data = field(body, "device_data", dict)
    field(data, "algorithm", str)
    require_canonical(data)
    device = DehydratedDevice(field(body, "device_id", str), data)
    keys = KeyUpload(
        optional_field(body, "device_keys", dict),
        parse_public_keys(optional_field(body, "one_time_keys", dict) or {}, "one_time_keys"),
        parse_public_keys(optional_field(body, "fallback_keys", dict) or {}, "fallback_keys"),
    )
    name = optional_field(body, "initial_device_display_name", str)
    await _devices(request).put(known.user_id, device, name, keys)
    return json_answer({"device_id": device.device_id})


async def delete_device(request: web.Request) -> web.Response:
    """DELETE dehydrated_device"""
    known = await member(request)
    return json_answer({"device_id": await _devices(request).remove(known.user_id)})


async def get_messages(request: web.Request) -> web.Response:
    """POST dehydrated_device/{deviceId}/events; ``next_batch`` of an answer goes on where it ended."""
    known = await member(request)
    after = optional_field(await json_body(request), "next_batch", str) or "0"
    return json_answer(await _messages(request, known.user_id, after))


async def list_messages(request: web.Request) -> web.Response:
    """GET dehydrated_device/{deviceId}/events: matrix-js-sdk 43 goes on ``from`` each ``next_batch``."""
    known = await member(request)
    answer = await _messages(request, known.user_id, request.query.get("from", "0"))
    return json_answer(answer if answer["events"] else {"events": []})


async def _messages(request: web.Request, user_id: str, after: str) -> dict[str, Any]:
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise InvalidParam("next_batch is not one of this node")
    found = await _devices(request).messages(user_id, request.match_info["deviceId"], int(after))
    events: list[dict[str, Any]] = [
        {"sender": message.sender, "type": message.type, "content": orjson.Fragment(message.content)}
        for message in found
    ]
    return {"events": events, "next_batch": str(found[-1].stream) if found else after}


def _devices(request: web.Request) -> DehydratedDevices:
    app = request.app
    return DehydratedDevices(app[DATABASE], app[CLOCK], app[ACCOUNTS])
