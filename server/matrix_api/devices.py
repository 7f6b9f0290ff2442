"""One's own devices (spec, "Device Management")."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.accounts.sessions import Device
from server.foundation.errors import BadRequest
from server.http.answers import json_answer
from server.http.credentials import confirmed
from server.http.ghosts import make_device
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, member, optional_field
from server.http.routes import Doors


def add_routes(doors: Doors) -> None:
    """Listing, naming and removing devices."""
    doors.get("v3/devices", list_devices)
    doors.get("v3/devices/{device_id}", get_device)
    doors.put("v3/devices/{device_id}", rename_device)
    doors.delete("v3/devices/{device_id}", delete_device)
    doors.post("v3/delete_devices", delete_devices)


def _as_json(device: Device) -> dict[str, Any]:
    shown = {
        "device_id": device.device_id, "display_name": device.display_name, "last_seen_ts": device.last_seen_ts,
        "last_seen_ip": device.last_seen_ip,
    }
    return {name: value for name, value in shown.items() if value is not None}


async def list_devices(request: web.Request) -> web.Response:
    """GET devices"""
    known = await caller(request)
    devices = await request.app[ACCOUNTS].devices(known.user_id)
    return json_answer({"devices": [_as_json(device) for device in devices]})


async def get_device(request: web.Request) -> web.Response:
    """GET devices/{device_id}"""
    known = await caller(request)
    device = await request.app[ACCOUNTS].device(known.user_id, request.match_info["device_id"])
    return json_answer(_as_json(device))


async def rename_device(request: web.Request) -> web.Response:
    """PUT devices/{device_id}; a request without a name changes nothing. Some application services make devices so."""
    known = await caller(request)
    name = optional_field(await json_body(request), "display_name", str)
    if await make_device(request, known, request.match_info["device_id"], name):
        return json_answer({}, 201)
    sessions = request.app[ACCOUNTS].sessions
    device = await sessions.device(known.user_id, request.match_info["device_id"])
    if name is not None:
        await sessions.rename(known.user_id, device.device_id, name)
    return json_answer({})


async def delete_device(request: web.Request) -> web.Response:
    """DELETE devices/{device_id}; one that is not there is gone already."""
    known = await member(request)
    await confirmed(request, known, await json_body(request))
    await request.app[ACCOUNTS].sessions.drop(known.user_id, [request.match_info["device_id"]])
    return json_answer({})


async def delete_devices(request: web.Request) -> web.Response:
    """POST delete_devices"""
    known = await member(request)
    body = await json_body(request)
    parameters = await confirmed(request, known, body)
    devices = field(parameters, "devices", list)
    if not all(isinstance(device, str) for device in devices):
        raise BadRequest("devices is a list of device ids")
    await request.app[ACCOUNTS].sessions.drop(known.user_id, devices)
    return json_answer({})
