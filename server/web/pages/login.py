"""The way in and out: the first page of a stranger, login by password, logout."""

from __future__ import annotations

import unicodedata
from typing import Final

from aiohttp import web

from server.accounts.web_sessions import LIFETIME_S
from server.foundation.errors import InvalidParam
from server.web.languages.tongues import TONGUES
from server.web.routing import Routes
from server.web.security import own_path
from server.web.visit import LANGUAGE_COOKIE, Visit

_WRONG: Final = "ユーザーIDか パスワードが ちがいます。"


def add_routes(routes: Routes) -> None:
    """Login and logout."""
    routes.get("/login", show_login)
    routes.post("/login", log_in)
    routes.post("/logout", log_out)
    routes.post("/language", choose_language)


async def show_login(visit: Visit) -> web.StreamResponse:
    """The form for user id and password."""
    if visit.session is not None:
        return visit.go(own_path(visit.query("next")))
    return visit.page("login.html", user="", next=own_path(visit.query("next")))


async def log_in(visit: Visit) -> web.StreamResponse:
    """Check the password and begin a session under a new cookie."""
    form = await visit.form()
    user_id = await _user_by_password(visit, form.line("user"), form.raw("password"))
    following = own_path(form.line("next"))
    if user_id is None:
        return visit.page("login.html", status=403, fault=_WRONG, user=form.line("user"), next=following)
    return await visit.log_in(user_id, following)


async def log_out(visit: Visit) -> web.StreamResponse:
    """End the session of this browser."""
    await visit.form()
    return await visit.log_out()


async def choose_language(visit: Visit) -> web.StreamResponse:
    """The language of the pages for whoever is not logged in: a cookie that says nothing else."""
    code = (await visit.form()).line("language")
    if code not in TONGUES:
        raise InvalidParam("ことばを えらんでください。")
    response = visit.go("/")
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=LIFETIME_S, path="/", samesite="Lax", httponly=True)
    return response


async def _user_by_password(visit: Visit, name: str, password: str) -> str | None:
    """Whose password this is; raises ``LimitExceeded`` after many wrong ones."""
    users = visit.services.node.accounts.users
    try:
        user_id = users.named(unicodedata.normalize("NFKC", name).strip().lower())
    except InvalidParam:
        user_id = f"@:{visit.services.settings.server_name}"
    user = await visit.services.node.limits.logins.authenticate(users, user_id, password, visit.address)
    return None if user is None else user.user_id
