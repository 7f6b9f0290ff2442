"""My page: who I am here, calendars on my telephone, browsers."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from server.accounts.web_sessions import LIFETIME_S
from server.association.members.model import Channel
from server.foundation.errors import InvalidParam
from server.web.app_login import new_app_password, show_app_login
from server.web.languages.tongues import TONGUES
from server.web.routing import Routes
from server.web.visit import LANGUAGE_COOKIE, Visit


def add_routes(routes: Routes) -> None:
    """All pages about oneself."""
    routes.get("/my", show_my_page)
    routes.post("/my/calendar", make_app_password)
    routes.post("/my/calendar/{password}/remove", remove_app_password)
    routes.post("/my/channel", choose_channel)
    routes.post("/my/app", make_client_password)
    routes.post("/my/look", choose_look)
    routes.get("/my/looks", show_looks)
    routes.get("/my/leave", show_leaving)
    routes.post("/my/leave", leave)


async def show_my_page(visit: Visit) -> web.StreamResponse:
    """Name, ids, passwords for calendar apps."""
    return await _my_page(visit)


async def make_app_password(visit: Visit) -> web.StreamResponse:
    """A password for one calendar app, shown this once."""
    form = await visit.form()
    _, secret = await visit.services.node.app_passwords.create(visit.user_id, form.line("label") or "カレンダー")
    return await _my_page(visit, secret)


async def remove_app_password(visit: Visit) -> web.StreamResponse:
    """That telephone's calendar gets nothing any more."""
    await visit.form()
    await visit.services.node.app_passwords.revoke(visit.user_id, visit.parts["password"])
    return visit.go("/my", done="removed")


async def choose_channel(visit: Visit) -> web.StreamResponse:
    """How the own household gets its circulars: paper, digital, or both."""
    form = await visit.form()
    channel = next((item for item in Channel if item.value == form.line("channel")), None)
    if channel is None:
        raise InvalidParam("うけとりかたを えらんでください。")
    await visit.services.roster.editor.set_channel(visit.user_id, visit.person.household_id, channel)
    return visit.go("/my", done="saved")


async def choose_look(visit: Visit) -> web.StreamResponse:
    """The language of the pages, and how large the letters are."""
    form = await visit.form()
    if form.line("language") not in TONGUES:
        raise InvalidParam("ことばを えらんでください。")
    letters = form.number("letters", "文字の 大きさ", least=1, most=3) or 1
    look = replace(visit.look, language=form.line("language"), letters=letters)
    await visit.services.node.looks.set(visit.user_id, look)
    response = visit.go("/my", done="saved")
    # For the pages before the login, too.
    response.set_cookie(LANGUAGE_COOKIE, look.language, max_age=LIFETIME_S, path="/", samesite="Lax", httponly=True)
    return response


async def make_client_password(visit: Visit) -> web.StreamResponse:
    """A new password for Matrix clients; clients that are logged in stay so, other browsers do not."""
    await visit.form()
    password = new_app_password()
    await visit.services.node.accounts.set_password(visit.user_id, password, log_out=False)
    return await show_app_login(visit, visit.user_id, password)


async def show_looks(visit: Visit) -> web.StreamResponse:
    """Who looked at the roster."""
    members = visit.services.members
    looks = await members.looks(visit.user_id)
    names = {look.viewer: _name_of(visit, look.viewer) for look in looks}
    return visit.page("my_looks.html", looks=looks, names=names)


async def show_leaving(visit: Visit) -> web.StreamResponse:
    """Whether they are sure: what will be gone, and what stays."""
    hindrance = visit.services.roster.departures.hindrance(visit.user_id, visit.person.id)
    return visit.page("my_leave.html", person=visit.person, hindrance=hindrance)


async def leave(visit: Visit) -> web.StreamResponse:
    """Leave the association: everything about oneself is removed, and this browser is logged out."""
    await visit.form()
    await visit.services.roster.departures.erase(visit.user_id, visit.person.id)
    return await visit.log_out(done="left")


def _name_of(visit: Visit, user_id: str) -> str:
    person = visit.services.members.person_of_user(user_id)
    return person.name if person is not None else "（名簿にない人）"


async def _my_page(visit: Visit, secret: str = "") -> web.StreamResponse:
    members = visit.services.members
    person = members.person_of_user(visit.user_id)
    return visit.page(
        "my.html", tongues=list(TONGUES.values()), person=person,
        block=None if person is None else members.block_of(person.id),
        roles=[] if person is None else sorted(role.label for role in members.roles_of(person.id)),
        channels=list(Channel), home=None if person is None else members.household(person.household_id),
        passwords=await visit.services.node.app_passwords.list(visit.user_id), secret=secret,
        localpart=visit.user_id[1:].partition(":")[0], public_url=visit.services.settings.http.public_url,
        has_terms=bool(visit.services.node.accounts.consents.policies), server_name=visit.services.settings.server_name,
    )
