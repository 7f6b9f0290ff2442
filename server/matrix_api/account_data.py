"""Account data (spec, "Client Config")."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.accounts.account_data import PUSH_RULES
from server.foundation.errors import InvalidParam, Refused
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import json_body, member, require_self
from server.http.routes import Doors

# These are kept by the node; they change by doors of their own.
_OURS: Final = (PUSH_RULES, "m.fully_read")


def add_routes(doors: Doors) -> None:
    """Reading and writing, in all and in one room."""
    for path in ("v3/user/{user_id}/account_data/{type}", "v3/user/{user_id}/rooms/{room_id}/account_data/{type}"):
        doors.get(path, get_account_data)
        doors.put(path, set_account_data)


async def get_account_data(request: web.Request) -> web.Response:
    """GET …/account_data/{type}"""
    user_id, room_id, kind = await _place(request)
    return json_answer(await request.app[ACCOUNTS].account_data.get(user_id, room_id, kind))


async def set_account_data(request: web.Request) -> web.Response:
    """PUT …/account_data/{type}"""
    user_id, room_id, kind = await _place(request)
    if kind in _OURS:
        raise Refused(f"{kind} cannot be set here", code="M_BAD_JSON", status=405)
    await request.app[ACCOUNTS].account_data.set(user_id, room_id, kind, await json_body(request))
    return json_answer({})


async def _place(request: web.Request) -> tuple[str, str, str]:
    known = await member(request)
    require_self(known, request.match_info["user_id"])
    room_id = request.match_info.get("room_id", "")
    if room_id and not room_id.startswith("!"):
        raise InvalidParam("Not a room id")
    return known.user_id, room_id, request.match_info["type"]
