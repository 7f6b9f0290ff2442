"""The way into a Matrix client: a password that is made here, shown once, and never sent anywhere."""

from __future__ import annotations

import secrets
from typing import Final

from aiohttp import web

from server.web.visit import Visit

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"


def new_app_password() -> str:
    """A password that can be copied by hand: 20 letters, 100 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


async def show_app_login(visit: Visit, user_id: str, password: str) -> web.StreamResponse:
    """What a Matrix client asks for; the password is shown this once. The browser is logged in as well."""
    settings = visit.services.settings
    response = visit.page(
        "app_login.html", user_id=user_id, localpart=user_id[1:].partition(":")[0], password=password,
        server=settings.http.public_url, server_name=settings.server_name,
    )
    return await visit.log_in(user_id, "", response)
