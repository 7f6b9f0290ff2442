"""``/_synapse/admin/v1/register``: accounts for tools that know a shared secret, as Synapse documents it."""

from __future__ import annotations

from aiohttp import web

from server.http.answers import json_answer
from server.http.keys import ACCOUNTS, SHARED_SECRET
from server.http.requests import field, json_body, optional_field
from server.http.routes import Doors

PATH = "/_synapse/admin/v1/register"


def add_routes(doors: Doors) -> None:
    """A nonce, and the registration."""
    doors.get(PATH, get_nonce)
    doors.post(PATH, register)


async def get_nonce(request: web.Request) -> web.Response:
    """GET: a text that must be signed."""
    return json_answer({"nonce": request.app[SHARED_SECRET].nonce()})


async def register(request: web.Request) -> web.Response:
    """POST: an account, logged in. ``user_type`` is signed if it is there, and means nothing here."""
    body = await json_body(request)
    username, password = field(body, "username", str), field(body, "password", str)
    admin = optional_field(body, "admin", bool) is True
    user_type = optional_field(body, "user_type", str)
    parts = [username, password, "admin" if admin else "notadmin", *([user_type] if user_type else [])]
    request.app[SHARED_SECRET].check(field(body, "nonce", str), parts, field(body, "mac", str))
    accounts = request.app[ACCOUNTS]
    display_name = optional_field(body, "displayname", str)
    user_id = await accounts.create_user(username, password, display_name, admin=admin)
    answer = {"user_id": user_id, "home_server": accounts.server_name}
    if not optional_field(body, "inhibit_login", bool):
        answer["access_token"], answer["device_id"] = await accounts.create_session(user_id)
    return json_answer(answer)
