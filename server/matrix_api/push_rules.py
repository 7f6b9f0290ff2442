"""Push rules (spec, "Push Rules API"). Incomplete paths are refused each in its own way, as clients know it."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.accounts.default_push_rules import KINDS
from server.accounts.push_rules import PushRules
from server.foundation.errors import InvalidParam, Refused
from server.http.answers import json_answer
from server.http.keys import ACCOUNTS
from server.http.requests import field, json_body, member
from server.http.routes import Doors

_SHORT_PATHS: Final = ("v3/pushrules/", "v3/pushrules/{scope}", "v3/pushrules/{scope}/", "v3/pushrules/{scope}/{kind}",
                       "v3/pushrules/{scope}/{kind}/")
_RULE: Final = "v3/pushrules/{scope}/{kind}/{rule_id}"


def add_routes(doors: Doors) -> None:
    """Reading all or some rules; adding, removing and changing one."""
    doors.get("v3/pushrules/", get_all)
    doors.get("v3/pushrules/{scope}", refuse_short_path)
    doors.get("v3/pushrules/{scope}/", get_scope)
    doors.get("v3/pushrules/{scope}/{kind}", refuse_short_path)
    doors.get("v3/pushrules/{scope}/{kind}/", get_kind)
    for path in _SHORT_PATHS:
        doors.put(path, refuse_short_path)
    doors.get(_RULE, get_rule)
    doors.put(_RULE, put_rule)
    doors.delete(_RULE, delete_rule)
    doors.get(f"{_RULE}/{{attribute}}", get_attribute)
    doors.put(f"{_RULE}/{{attribute}}", put_attribute)


async def get_all(request: web.Request) -> web.Response:
    """GET pushrules/"""
    known = await member(request)
    return json_answer(_rules(request).content(known.user_id))


async def get_scope(request: web.Request) -> web.Response:
    """GET pushrules/global/"""
    known = await member(request)
    _require_global(request)
    return json_answer(_rules(request).rules(known.user_id))


async def get_kind(request: web.Request) -> web.Response:
    """GET pushrules/global/{kind}/"""
    known = await member(request)
    return json_answer(_rules(request).rules(known.user_id)[_kind(request)])


async def refuse_short_path(request: web.Request) -> web.Response:
    """A path that names no rule."""
    await member(request)
    raise Refused("This path of push rules is incomplete", code="M_UNRECOGNIZED")


async def get_rule(request: web.Request) -> web.Response:
    """GET pushrules/global/{kind}/{rule_id}"""
    return json_answer(await _rule(request))


async def put_rule(request: web.Request) -> web.Response:
    """PUT pushrules/global/{kind}/{rule_id}"""
    known = await member(request)
    kind, rule_id = _kind(request), request.match_info["rule_id"]
    body = await json_body(request)
    await _rules(request).put(
        known.user_id, kind, rule_id, body, before=request.query.get("before"), after=request.query.get("after")
    )
    return json_answer({})


async def delete_rule(request: web.Request) -> web.Response:
    """DELETE pushrules/global/{kind}/{rule_id}"""
    known = await member(request)
    await _rules(request).remove(known.user_id, _kind(request), request.match_info["rule_id"])
    return json_answer({})


async def get_attribute(request: web.Request) -> web.Response:
    """GET …/enabled and …/actions"""
    rule, name = await _rule(request), _attribute(request)
    return json_answer({name: rule[name]})


async def put_attribute(request: web.Request) -> web.Response:
    """PUT …/enabled and …/actions"""
    known = await member(request)
    kind, rule_id, name = _kind(request), request.match_info["rule_id"], _attribute(request)
    body = await json_body(request)
    if name == "enabled":
        await _rules(request).enable(known.user_id, kind, rule_id, field(body, "enabled", bool))
    else:
        await _rules(request).set_actions(known.user_id, kind, rule_id, field(body, "actions", list))
    return json_answer({})


async def _rule(request: web.Request) -> dict[str, Any]:
    known = await member(request)
    return _rules(request).rule(known.user_id, _kind(request), request.match_info["rule_id"])


def _rules(request: web.Request) -> PushRules:
    return request.app[ACCOUNTS].push_rules


def _require_global(request: web.Request) -> None:
    if request.match_info["scope"] != "global":
        raise InvalidParam("The only scope of push rules is global")


def _kind(request: web.Request) -> str:
    _require_global(request)
    kind = request.match_info["kind"]
    if kind not in KINDS:
        raise InvalidParam("There is no such kind of push rules")
    return kind


def _attribute(request: web.Request) -> str:
    name = request.match_info["attribute"]
    if name not in ("enabled", "actions"):
        raise Refused("A push rule has no such attribute", code="M_UNRECOGNIZED")
    return name
