"""A new telephone at the table: an officer makes a card that lets a resident in again, within three minutes.

The card is shown to the resident's camera and used there; the officer's screen never opens anything of theirs.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from markupsafe import Markup

from server.association.members.invitations_store import Invitation, InvitationState
from server.association.members.model import Right
from server.association.members.names import folded
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_FOUND: Final = 30


def add_routes(routes: Routes) -> None:
    """Find somebody, ask what happens to the old telephone, show the card."""
    routes.get("/desk/phones", show_search)
    routes.get("/desk/phones/{person}", show_choice)
    routes.post("/desk/phones/{person}", show_card)


async def show_search(visit: Visit) -> web.StreamResponse:
    """Who it is; and what was made lately, by whom."""
    visit.require(Right.SIGN_IN_AGAIN)
    members, wanted = visit.services.members, folded(visit.query("q"))
    found = [
        person for person in members.persons()
        if wanted and person.user_id is not None and wanted in folded(f"{person.name} {person.kana}")
    ]
    made = await visit.services.roster.invitations.phone_cards(visit.user_id)
    return visit.page(
        "desk_phones.html", query=visit.query("q"), found=found[:_MOST_FOUND], block_of=members.block_of,
        made=[(card, _name(visit, card), _maker(visit, card), _state(visit, card)) for card in made],
    )


async def show_choice(visit: Visit) -> web.StreamResponse:
    """Whether the old telephone is lost."""
    visit.require(Right.SIGN_IN_AGAIN)
    person = visit.services.members.person(visit.parts["person"])
    return visit.page(
        "desk_phone.html", person=person, block=visit.services.members.block_of(person.id),
        may_make=visit.services.roster.invitations.may_make_phone_card(visit.user_id, person.id),
    )


async def show_card(visit: Visit) -> web.StreamResponse:
    """QR code and eight letters, this once."""
    form = await visit.form()
    person = visit.services.members.person(visit.parts["person"])
    card = await visit.services.roster.invitations.phone_card(visit.user_id, person.id, only=form.has("only"))
    svg = await visit.services.roster.papers.qr_svg(card.link)
    return visit.page(
        "desk_phone_card.html", person=person, card=card, qr=Markup(svg),  # noqa: S704 - drawn by our own worker
        code_page=f"{visit.services.settings.http.public_url}/code",
    )


def _name(visit: Visit, card: Invitation) -> str:
    return visit.services.members.person(card.person_id).name if card.person_id else ""


def _maker(visit: Visit, card: Invitation) -> str:
    person = visit.services.members.person_of_user(card.created_by)
    return person.name if person is not None else "（名簿にない人）"


def _state(visit: Visit, card: Invitation) -> str:
    if card.state is InvitationState.USED:
        return "ログインしました"
    is_open = card.state is InvitationState.OPEN and card.expires_ts > visit.services.clock.now_ms()
    return "まっています" if is_open else "もう 使えません"
