"""Doors: the keys of other servers, vouched for by us (spec: "Querying Keys Through Another Server").

What a server has signed itself is handed on as it came, with our signature under it. Anybody may ask.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from federation.inbound.opening import FEDERATION
from federation.serving.services import Federation
from server.foundation.errors import BadRequest, InvalidParam
from server.foundation.ids import is_server_name
from server.http.answers import json_answer
from server.http.keys import RATE_LIMITS
from server.http.requests import int_query, json_body, optional_field

Json = dict[str, Any]
_MOST_SERVERS: Final = 100


async def keys_of_server(request: web.Request) -> web.Response:
    """GET /_matrix/key/v2/query/{serverName}"""
    federation = await _open(request)
    server = request.match_info["serverName"]
    until = int_query(request, "minimum_valid_until_ts", federation.clock.now_ms())
    return json_answer({"server_keys": await _vouched(federation, server, until)})


async def keys_of_servers(request: web.Request) -> web.Response:
    """POST /_matrix/key/v2/query"""
    federation = await _open(request)
    asked = optional_field(await json_body(request), "server_keys", dict) or {}
    if len(asked) > _MOST_SERVERS:
        raise BadRequest(f"At most {_MOST_SERVERS} servers are asked for at once")
    found: list[Json] = []
    for server, keys in asked.items():
        found += await _vouched(federation, server, _until(keys, federation.clock.now_ms()))
    return json_answer({"server_keys": found})


async def _open(request: web.Request) -> Federation:
    request.app[RATE_LIMITS].requests.take(f"notary {request.remote}")
    return await request.app[FEDERATION].open()


def _until(keys: object, now_ms: int) -> int:
    wanted = [now_ms]
    for criteria in keys.values() if isinstance(keys, dict) else ():
        until = criteria.get("minimum_valid_until_ts") if isinstance(criteria, dict) else None
        if type(until) is int:
            wanted.append(until)
    return max(wanted)


async def _vouched(federation: Federation, server: str, until_ts: int) -> list[Json]:
    if not is_server_name(server):
        raise InvalidParam("This is no name of a server")
    return await federation.key_ring.vouch(server, until_ts)
