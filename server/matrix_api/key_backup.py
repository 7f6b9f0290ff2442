"""Key backup (spec, "Server-side key backups")."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.key_backup import BackedUpKey, BackupState, KeyPlace
from server.foundation.canonical_json import require_canonical
from server.foundation.errors import BadRequest, InvalidParam, NotFound
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import field, json_body, member, optional_field, required_query
from server.http.routes import Doors

Json = dict[str, Any]

_MAX_BODY_BYTES: Final = 8 * 1024 * 1024
_ALL: Final = "v3/room_keys/keys"
_PATHS: Final = (_ALL, f"{_ALL}/{{room_id}}", f"{_ALL}/{{room_id}}/{{session_id}}")


def add_routes(doors: Doors) -> None:
    """Versions, and the keys in them: all, of a room, of a session."""
    doors.get("v3/room_keys/version", get_version)
    doors.post("v3/room_keys/version", create_version)
    doors.get("v3/room_keys/version/{version}", get_version)
    doors.put("v3/room_keys/version/{version}", change_version)
    doors.delete("v3/room_keys/version/{version}", delete_version)
    for path in _PATHS:
        doors.get(path, get_keys)
        doors.put(path, put_keys)
        doors.delete(path, delete_keys)


async def create_version(request: web.Request) -> web.Response:
    """POST room_keys/version"""
    known = await member(request)
    body = await json_body(request)
    version = await request.app[ACCOUNTS].key_backups.create(
        known.user_id, field(body, "algorithm", str), field(body, "auth_data", dict)
    )
    return json_answer({"version": str(version)})


async def get_version(request: web.Request) -> web.Response:
    """GET room_keys/version and room_keys/version/{version}"""
    known = await member(request)
    text = request.match_info.get("version")
    state = await request.app[ACCOUNTS].key_backups.state(known.user_id, None if text is None else _number(text))
    backup = state.backup
    shown = {"version": str(backup.version), "algorithm": backup.algorithm, "auth_data": backup.auth_data}
    return json_answer({**shown, **_figures(state)})


async def change_version(request: web.Request) -> web.Response:
    """PUT room_keys/version/{version}"""
    known = await member(request)
    version = _number(request.match_info["version"])
    body = await json_body(request)
    if optional_field(body, "version", str) not in (None, str(version)):
        raise InvalidParam("The version in the request is not the one in the path")
    await request.app[ACCOUNTS].key_backups.change(
        known.user_id, version, field(body, "algorithm", str), field(body, "auth_data", dict)
    )
    return json_answer({})


async def delete_version(request: web.Request) -> web.Response:
    """DELETE room_keys/version/{version}"""
    known = await member(request)
    await request.app[ACCOUNTS].key_backups.delete(known.user_id, _number(request.match_info["version"]))
    return json_answer({})


async def put_keys(request: web.Request) -> web.Response:
    """PUT room_keys/keys…"""
    place = await _place(request)
    body = await json_body(request, limit=_MAX_BODY_BYTES)
    require_canonical(body)
    keys = _parse_keys(place, body)
    return json_answer(_figures(await request.app[ACCOUNTS].key_backups.put(place.user_id, place.version, keys)))


async def get_keys(request: web.Request) -> web.Response:
    """GET room_keys/keys…"""
    place = await _place(request)
    keys = await request.app[ACCOUNTS].key_backups.read(place)
    if place.session_id is not None:
        if not keys:
            raise NotFound("There is no key of this session")
        return json_answer(_as_json(keys[0]))
    if place.room_id is not None:
        return json_answer({"sessions": {key.session_id: _as_json(key) for key in keys}})
    rooms: dict[str, Json] = {}
    for key in keys:
        rooms.setdefault(key.room_id, {"sessions": {}})["sessions"][key.session_id] = _as_json(key)
    return json_answer({"rooms": rooms})


async def delete_keys(request: web.Request) -> web.Response:
    """DELETE room_keys/keys…"""
    return json_answer(_figures(await request.app[ACCOUNTS].key_backups.remove(await _place(request))))


async def _place(request: web.Request) -> KeyPlace:
    known = await member(request)
    path = request.match_info
    version = _number(required_query(request, "version"))
    return KeyPlace(known.user_id, version, path.get("room_id"), path.get("session_id"))


def _number(text: str) -> int:
    """Versions are numbers here; anything else is one that does not exist."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound("There is no such key backup")
    return int(text)


def _parse_keys(place: KeyPlace, body: Json) -> list[BackedUpKey]:
    if place.room_id is not None and place.session_id is not None:
        return [_parse_key(place.room_id, place.session_id, body)]
    if place.room_id is not None:
        return _parse_room(place.room_id, body)
    return [key for room_id, room in field(body, "rooms", dict).items() for key in _parse_room(room_id, room)]


def _parse_room(room_id: str, room: object) -> list[BackedUpKey]:
    if not isinstance(room, dict):
        raise BadRequest("A room's keys are an object")
    return [_parse_key(room_id, session_id, key) for session_id, key in field(room, "sessions", dict).items()]


def _parse_key(room_id: str, session_id: str, key: object) -> BackedUpKey:
    if not isinstance(key, dict):
        raise BadRequest("A key is an object")
    return BackedUpKey(
        room_id, session_id, field(key, "first_message_index", int), field(key, "forwarded_count", int),
        field(key, "is_verified", bool), field(key, "session_data", dict),
    )


def _as_json(key: BackedUpKey) -> Json:
    return {
        "first_message_index": key.first_message_index, "forwarded_count": key.forwarded_count,
        "is_verified": key.is_verified, "session_data": key.session_data,
    }


def _figures(state: BackupState) -> Json:
    return {"count": state.count, "etag": str(state.backup.etag)}
