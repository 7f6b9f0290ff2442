"""Coming in with an invitation: the link behind the QR code, or the short code; no mail, no password to invent."""

from __future__ import annotations

from aiohttp import web

from server.association.members.invitations_store import InvitationKind
from server.association.members.model import Person
from server.association.members.newcomers import Newcomer
from server.foundation.errors import InvalidParam, NotFound
from server.web import family_phone
from server.web.app_login import new_app_password, show_app_login
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """From the card to the home page."""
    routes.get("/i/{token}", show_invitation)
    routes.get("/code", show_code_form)
    routes.post("/code", show_invitation_of_code)
    routes.post("/come-in", come_in)


async def show_invitation(visit: Visit) -> web.StreamResponse:
    """Whom the card is for, and one choice. Nothing is used up by looking."""
    return await _invitation_page(visit, visit.parts["token"])


async def show_code_form(visit: Visit) -> web.StreamResponse:
    """The form for the eight letters of a card."""
    return visit.page("code.html", code="")


async def show_invitation_of_code(visit: Visit) -> web.StreamResponse:
    """The same as the link."""
    code = (await visit.form()).line("code")
    try:
        return await _invitation_page(visit, code)
    except NotFound as fault:
        return visit.page("code.html", code=code, fault=fault, status=404)


async def come_in(visit: Visit) -> web.StreamResponse:
    """Use the card: on this screen, beside one's family who uses it already, or with a Matrix client and a password
    that is shown once."""
    form = await visit.form()
    how = form.line("how")
    if how not in ("here", "app", "family"):
        raise InvalidParam("つかいかたを えらんでください。")
    password = new_app_password() if how == "app" else None
    newcomer = Newcomer(form.line("name"), form.line("block")) if form.has("name") else None
    welcome = await visit.services.roster.invitations.redeem(
        form.line("secret"), visit.address, newcomer=newcomer, password=password,
        beside=visit.person if how == "family" else None,
    )
    if how == "family":
        return await family_phone.add(visit, welcome.user_id)
    if password is None:
        return await visit.log_in(welcome.user_id, "/")
    return await show_app_login(visit, welcome.user_id, password)


async def _invitation_page(visit: Visit, secret: str) -> web.StreamResponse:
    invitation, person = await visit.services.roster.invitations.look_at(secret, visit.address)
    here = None if visit.session is None else visit.services.members.person_of_user(visit.session.user_id)
    beside = here if here is not None and _is_family(here, person) else None
    return visit.page(
        "invitation.html", secret=secret, person=person, blocks=visit.services.members.blocks(), beside=beside,
        here=here, only_family=invitation.kind is InvitationKind.FAMILY,
    )


def _is_family(here: Person, person: Person | None) -> bool:
    return person is not None and person.household_id == here.household_id and person.id != here.id
