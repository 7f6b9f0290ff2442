"""End-to-end keys (spec, "End-to-End Encryption")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.cross_signing import USAGES
from server.accounts.device_keys import KeyUpload
from server.accounts.key_formats import parse_public_keys
from server.foundation.errors import BadRequest, InvalidParam
from server.foundation.ids import is_server_name, server_name_of
from server.http.answers import json_answer
from server.http.credentials import confirmed
from server.http.far_keys import FAR_KEYS
from server.http.keys import ACCOUNTS
from server.http.requests import caller, field, json_body, member, optional_field
from server.http.routes import Doors

# One-time keys of many devices, or signatures on many keys, in one request.
_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
# How long other servers are waited for, unless the client says.
_PATIENCE_S: Final = 10.0
_LONGEST_S: Final = 60.0


def add_routes(doors: Doors) -> None:
    """Upload, query, claim, cross-signing. ``keys/changes`` belongs to sync."""
    doors.post("v3/keys/upload", upload)
    doors.post("v3/keys/query", query)
    doors.post("v3/keys/claim", claim)
    doors.post("v3/keys/signatures/upload", upload_signatures)
    for path in ("v3/keys/device_signing/upload", "unstable/keys/device_signing/upload"):
        doors.post(path, upload_cross_signing)


async def upload(request: web.Request) -> web.Response:
    """POST keys/upload"""
    known = await caller(request)
    if not known.device_id:
        raise InvalidParam("Keys belong to a device; name it with device_id")
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    fallback = optional_field(body, "fallback_keys", dict)
    if fallback is None:
        fallback = optional_field(body, "org.matrix.msc2732.fallback_keys", dict)
    keys = request.app[ACCOUNTS].device_keys
    await keys.upload(known.user_id, known.device_id, KeyUpload(
        optional_field(body, "device_keys", dict),
        parse_public_keys(optional_field(body, "one_time_keys", dict) or {}, "one_time_keys"),
        parse_public_keys(fallback or {}, "fallback_keys"),
    ))
    counts = keys.counts(known.user_id, known.device_id)
    return json_answer({"one_time_key_counts": {"signed_curve25519": 0, **counts}})


async def query(request: web.Request) -> web.Response:
    """POST keys/query"""
    known = await caller(request)
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    wanted = _users_and_devices(field(body, "device_keys", dict))
    ours, far = _ours_and_far(request, wanted)
    answer = await request.app[ACCOUNTS].cross_signing.query(known.user_id, ours)
    if not far or FAR_KEYS not in request.app:
        return json_answer({**answer, "failures": _unreachable(far)})
    others = await request.app[FAR_KEYS].query_keys(known.user_id, far, _patience(body))
    for part in ("device_keys", "master_keys", "self_signing_keys"):
        answer[part] |= others[part]
    return json_answer({**answer, "failures": others["failures"]})


async def claim(request: web.Request) -> web.Response:
    """POST keys/claim"""
    await caller(request)
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    wanted = field(body, "one_time_keys", dict)
    for devices in wanted.values():
        if not isinstance(devices, dict) or not all(isinstance(name, str) for name in devices.values()):
            raise BadRequest("one_time_keys names an algorithm by user and device")
    ours, far = _ours_and_far(request, wanted)
    keys = await request.app[ACCOUNTS].device_keys.claim(ours)
    if not far or FAR_KEYS not in request.app:
        return json_answer({"one_time_keys": keys, "failures": _unreachable(far)})
    others = await request.app[FAR_KEYS].claim_keys(far, _patience(body))
    return json_answer({"one_time_keys": {**keys, **others["one_time_keys"]}, "failures": others["failures"]})


async def upload_cross_signing(request: web.Request) -> web.Response:
    """POST keys/device_signing/upload; only keys that replace others need a confirmation (MSC3967)."""
    known = await member(request)
    body = await json_body(request)
    keys = _cross_signing_keys(body)
    cross_signing = request.app[ACCOUNTS].cross_signing
    if await cross_signing.needs_confirmation(known.user_id, keys):
        keys = _cross_signing_keys(await confirmed(request, known, body))
    await cross_signing.upload(known.user_id, keys)
    return json_answer({})


async def upload_signatures(request: web.Request) -> web.Response:
    """POST keys/signatures/upload"""
    known = await member(request)
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    failures = await request.app[ACCOUNTS].cross_signing.add_signatures(known.user_id, body)
    return json_answer({"failures": failures})


def _cross_signing_keys(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {usage: optional_field(body, f"{usage}_key", dict) for usage in USAGES}
    return {usage: key for usage, key in found.items() if key is not None}


def _users_and_devices(wanted: dict[str, Any]) -> dict[str, list[str]]:
    for devices in wanted.values():
        # Old clients write {} or null for "all devices".
        if devices and not (isinstance(devices, list) and all(isinstance(item, str) for item in devices)):
            raise BadRequest("device_keys names a list of devices by user")
    return {user_id: devices or [] for user_id, devices in wanted.items()}


def _ours_and_far(request: web.Request, wanted: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is asked of our users, and of those of other servers; ids that nobody can have are passed over."""
    users = request.app[ACCOUNTS].users
    ours = {user_id: asked for user_id, asked in wanted.items() if users.is_ours(user_id)}
    far = {
        user_id: asked for user_id, asked in wanted.items()
        if user_id not in ours and user_id.startswith("@") and "\0" not in user_id
        and is_server_name(server_name_of(user_id))
    }
    return ours, far


def _unreachable(far: dict[str, Any]) -> dict[str, Any]:
    """Servers that we cannot ask."""
    return {server_name_of(user_id): {} for user_id in far}


def _patience(body: dict[str, Any]) -> float:
    """Seconds to wait for other servers."""
    timeout = optional_field(body, "timeout", int)
    return _PATIENCE_S if timeout is None else min(max(timeout / 1000, 0.1), _LONGEST_S)
