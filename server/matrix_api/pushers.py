"""Pushers (spec, "Push Notifications"): which of one's apps are told, and by which gateway."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from server.accounts.sessions import Caller
from server.foundation.canonical_json import require_canonical
from server.foundation.errors import InvalidParam, MissingParam
from server.foundation.settings import IpNetwork
from server.http.answers import json_answer
from server.http.keys import CLOCK, SETTINGS
from server.http.requests import field, json_body, member, optional_field
from server.http.room_services import ROOMS
from server.notifications.push_message import EVENT_ID_ONLY
from server.notifications.pusher_store import Described, Pusher, PusherKey
from server.notifications.web_subscriptions import is_web

_NOTIFY: Final = "/_matrix/push/v1/notify"
_REQUIRED: Final = ("app_display_name", "device_display_name", "lang", "data")
_MOST_APP_ID_CHARACTERS: Final = 64
_MOST_PUSHKEY_BYTES: Final = 512
_MOST_TEXT_CHARACTERS: Final = 255
_MOST_DATA_CHARACTERS: Final = 8_192
# MSC3881: a pusher can be switched off without being removed, also from another device.
_ENABLED: Final = "org.matrix.msc3881.enabled"
_DEVICE_ID: Final = "org.matrix.msc3881.device_id"


async def list_pushers(request: web.Request) -> web.Response:
    """GET pushers"""
    who = await member(request)
    return json_answer({"pushers": [_shown(pusher) for pusher in request.app[ROOMS].pushers.of(who.user_id)
                                     if not is_web(pusher)]})


async def set_pusher(request: web.Request) -> web.Response:
    """POST pushers/set"""
    who = await member(request)
    body = await json_body(request)
    require_canonical(body)
    key = _key(who, body)
    pushers = request.app[ROOMS].pushers
    if "kind" not in body:
        raise MissingParam("kind is missing")
    if body["kind"] is None:
        await pushers.remove(key)
        return json_answer({})
    pusher = _pusher(key, who, body, request)
    await pushers.set(pusher, append=optional_field(body, "append", bool) is True)
    return json_answer({})


def _shown(pusher: Pusher) -> dict[str, Any]:
    shown = {
        **pusher.described._asdict(), "app_id": pusher.key.app_id, "pushkey": pusher.key.pushkey, "kind": "http",
        "data": pusher.data, _ENABLED: pusher.enabled, _DEVICE_ID: pusher.device_id,
    }
    return {name: value for name, value in shown.items() if name != "profile_tag" or value}


def _key(who: Caller, body: dict[str, Any]) -> PusherKey:
    app_id, pushkey = _text(body, "app_id"), _text(body, "pushkey", _MOST_PUSHKEY_BYTES)
    if not 0 < len(app_id) <= _MOST_APP_ID_CHARACTERS:
        raise InvalidParam(f"An app_id has from 1 to {_MOST_APP_ID_CHARACTERS} characters")
    if not 0 < len(pushkey.encode()) <= _MOST_PUSHKEY_BYTES:
        raise InvalidParam(f"A pushkey has from 1 to {_MOST_PUSHKEY_BYTES} bytes")
    return PusherKey(who.user_id, app_id, pushkey)


def _pusher(key: PusherKey, who: Caller, body: dict[str, Any], request: web.Request) -> Pusher:
    _require_http(field(body, "kind", str))
    missing = [name for name in _REQUIRED if body.get(name) is None]
    if missing:
        raise MissingParam(f"Missing parameters: {', '.join(missing)}")
    described = Described(
        _text(body, "app_display_name"), _text(body, "device_display_name"),
        _text(body, "profile_tag") if body.get("profile_tag") is not None else "", _text(body, "lang"),
    )
    data = field(body, "data", dict)
    _require_data(data, request.app[SETTINGS].outgoing.allowed_networks)
    enabled = optional_field(body, "enabled", bool) is not False and optional_field(body, _ENABLED, bool) is not False
    return Pusher(key, who.device_id, described, data, enabled, request.app[CLOCK].now_ms(), 0)


def _require_http(kind: str) -> None:
    if kind == "email":
        raise InvalidParam("This node sends no mail; only pushers of the kind http can be set")
    if kind != "http":
        raise InvalidParam("There is no such kind of pushers")


def _text(body: dict[str, Any], name: str, most: int = _MOST_TEXT_CHARACTERS) -> str:
    text = field(body, name, str)
    if len(text) > most or "\0" in text:
        raise InvalidParam(f"{name} has at most {most} characters")
    return text


def _require_data(data: dict[str, Any], allowed: tuple[IpNetwork, ...]) -> None:
    if data.get("url") is None:
        raise MissingParam("Missing parameters: data.url")
    if data.get("format") not in (None, EVENT_ID_ONLY):
        raise InvalidParam(f"The only format of data is {EVENT_ID_ONLY}")
    if len(str(data)) > _MOST_DATA_CHARACTERS:
        raise InvalidParam(f"data has at most {_MOST_DATA_CHARACTERS} characters")
    url = data["url"]
    if not isinstance(url, str) or not _is_gateway(url, allowed):
        raise InvalidParam(f"The url of a push gateway begins with https and has the path {_NOTIFY}")


def _is_gateway(url: str, allowed: tuple[IpNetwork, ...]) -> bool:
    """Without TLS only to an address, as a number, that the operator has allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.path != _NOTIFY or parts.username is not None or parts.fragment or not url.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_in(host, allowed))


def _is_in(host: str, networks: tuple[IpNetwork, ...]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)
