"""Mail addresses and telephone numbers of accounts (spec, "Adding Account Administrative Contact Information").

The node sends no mail and no SMS, asks no identity server, and keeps no addresses. It says so at each door; what people
would do with an address, getting back in, is done with an invitation here.
"""

from __future__ import annotations

from aiohttp import web

from server.foundation.errors import Forbidden, InvalidParam, Refused
from server.http.answers import json_answer
from server.http.credentials import confirmed
from server.http.requests import field, json_body, member, optional_field


async def list_all(request: web.Request) -> web.Response:
    """GET account/3pid: there are none."""
    await member(request)
    return json_answer({"threepids": []})


async def add(request: web.Request) -> web.Response:
    """POST account/3pid/add: confirmed like everything that matters, then refused: nothing was validated."""
    known = await member(request)
    parameters = await confirmed(request, known, await json_body(request))
    field(parameters, "client_secret", str)
    field(parameters, "sid", str)
    raise Refused("This address has not been validated", code="M_THREEPID_AUTH_FAILED")


async def add_of_old(request: web.Request) -> web.Response:
    """POST account/3pid (deprecated)."""
    await member(request)
    field(await json_body(request), "three_pid_creds", dict)
    raise Forbidden("No identity server can be asked", code="M_THREEPID_AUTH_FAILED")


async def bind(request: web.Request) -> web.Response:
    """POST account/3pid/bind: no identity server is trusted."""
    await member(request)
    body = await json_body(request)
    for name in ("client_secret", "id_server", "id_access_token", "sid"):
        field(body, name, str)
    raise Refused("No identity server is trusted here", code="M_SERVER_NOT_TRUSTED")


async def remove(request: web.Request) -> web.Response:
    """POST account/3pid/delete and unbind: it is not there, and no identity server was told of it."""
    await member(request)
    body = await json_body(request)
    if field(body, "medium", str) not in ("email", "msisdn"):
        raise InvalidParam("The medium is email or msisdn")
    field(body, "address", str)
    optional_field(body, "id_server", str)
    return json_answer({"id_server_unbind_result": "no-support"})


async def request_token(request: web.Request) -> web.Response:
    """POST …/email/requestToken and …/msisdn/requestToken, of every kind: no mail and no SMS is sent."""
    body = await json_body(request)
    is_mail = request.path.rstrip("/").endswith("email/requestToken")
    for name in ("client_secret", "email") if is_mail else ("client_secret", "country", "phone_number"):
        field(body, name, str)
    # A number, not a text (spec, "send_attempt").
    field(body, "send_attempt", int)
    if optional_field(body, "id_server", str) is not None:
        raise Refused("No identity server is trusted here", code="M_SERVER_NOT_TRUSTED")
    if "/account/3pid/" in request.path:
        raise Refused("No addresses can be added here", code="M_THREEPID_MEDIUM_NOT_SUPPORTED")
    raise Forbidden("Neither mail nor SMS is sent here", code="M_THREEPID_DENIED")
