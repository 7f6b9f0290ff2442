"""What admins do to accounts: lock, suspend, look up (spec, "Server administration")."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from server.accounts.sessions import Caller
from server.accounts.users_store import User
from server.foundation.errors import Forbidden, InvalidParam
from server.foundation.ids import UserId
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import field, json_body, member


async def get_locked(request: web.Request) -> web.Response:
    """GET admin/lock/{userId}"""
    return json_answer({"locked": (await _account(request)).is_locked})


async def set_locked(request: web.Request) -> web.Response:
    """PUT admin/lock/{userId}"""
    user = await _account(request)
    locked = field(await json_body(request), "locked", bool)
    held = await request.app[ACCOUNTS].hold(user.user_id, locked=locked)
    return json_answer({"locked": held.is_locked})


async def get_suspended(request: web.Request) -> web.Response:
    """GET admin/suspend/{userId}"""
    return json_answer({"suspended": (await _account(request)).is_suspended})


async def set_suspended(request: web.Request) -> web.Response:
    """PUT admin/suspend/{userId}"""
    user = await _account(request)
    suspended = field(await json_body(request), "suspended", bool)
    held = await request.app[ACCOUNTS].hold(user.user_id, suspended=suspended)
    return json_answer({"suspended": held.is_suspended})


async def who_is(request: web.Request) -> web.Response:
    """GET admin/whois/{userId}: one's own devices; those of others for admins."""
    known = await member(request)
    user_id = request.match_info["userId"]
    if user_id != known.user_id:
        _require_admin(known)
    user_id = (await request.app[ACCOUNTS].users.get(_ours(request, user_id))).user_id
    devices: dict[str, Any] = {}
    for device in await request.app[ACCOUNTS].devices(user_id):
        seen = {"ip": device.last_seen_ip, "last_seen": device.last_seen_ts}
        connections = [] if device.last_seen_ts is None else [seen]
        devices[device.device_id] = {"sessions": [{"connections": connections}]}
    return json_answer({"user_id": user_id, "devices": devices})


async def _account(request: web.Request) -> User:
    """The account that the path names, for an admin; never the admin's own or another admin's."""
    known = await member(request)
    _require_admin(known)
    user = await request.app[ACCOUNTS].users.get(_ours(request, request.match_info["userId"]))
    if user.is_admin or user.user_id == known.user_id:
        raise Forbidden("This is not possible with admins")
    return user


def _require_admin(known: Caller) -> None:
    if not known.is_admin:
        raise Forbidden("Only admins may do this")


def _ours(request: web.Request, text: str) -> str:
    user_id = str(UserId.parse(text))
    if not request.app[ACCOUNTS].users.is_ours(user_id):
        raise InvalidParam("This user belongs to another server")
    return user_id
