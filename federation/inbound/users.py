"""Doors: devices and keys of our users (spec: "Device Management", "End-to-End Encryption")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from federation.inbound.caller import peer
from server.foundation.errors import BadRequest, InvalidParam
from server.http.answers import json_answer

# Users in one question.
_MOST: Final = 5_000


async def devices(request: web.Request) -> web.Response:
    """GET user/devices"""
    who = await peer(request)
    return json_answer(await who.federation.messages.own_devices.list_of(request.match_info["userId"]))


async def query(request: web.Request) -> web.Response:
    """POST user/keys/query"""
    who = await peer(request)
    wanted = _by_user(who.object(), "device_keys")
    if any(names is not None and not _is_texts(names) for names in wanted.values()):
        raise BadRequest("device_keys names a list of devices by user")
    asked = {user_id: names or [] for user_id, names in wanted.items()}
    return json_answer(await who.federation.messages.own_devices.query(asked))


async def claim(request: web.Request) -> web.Response:
    """POST user/keys/claim"""
    who = await peer(request)
    wanted = _by_user(who.object(), "one_time_keys")
    for names in wanted.values():
        if not isinstance(names, dict) or not _is_texts([*names, *names.values()]):
            raise BadRequest("one_time_keys names an algorithm by user and device")
    accounts = who.federation.accounts
    ours = {user_id: names for user_id, names in wanted.items() if accounts.users.is_ours(user_id)}
    return json_answer({"one_time_keys": await accounts.device_keys.claim(ours)})


def _by_user(body: dict[str, Any], name: str) -> dict[str, Any]:
    wanted = body.get(name)
    if not isinstance(wanted, dict) or len(wanted) > _MOST or not _is_texts([*wanted]):
        raise InvalidParam(f"{name} is an object by user")
    return wanted


def _is_texts(names: object) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and "\0" not in name for name in names)
