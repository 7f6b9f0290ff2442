"""Invitations at the desk: cards for many households on paper, and one for a person on the screen."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from server.association.members.model import Person, Right
from server.association.members.papers import Card as PrintedCard
from server.foundation.errors import InvalidParam
from server.web.forms import Form
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Making cards, and making them void."""
    routes.get("/desk/invitations", show_form)
    routes.post("/desk/invitations", print_cards)
    routes.post("/desk/invitations/persons/{person}", show_card)
    routes.post("/desk/invitations/persons/{person}/void", make_void)
    routes.post("/desk/invitations/free/{card}/void", make_free_void)


async def show_form(visit: Visit) -> web.StreamResponse:
    """Which blocks, and one card a household or one a person."""
    visit.require_somewhere(Right.INVITE)
    members = visit.services.members
    blocks = members.blocks_with(visit.user_id, Right.INVITE)
    waiting = {block.id: 0 for block in blocks}
    for person in members.persons():
        block_id = members.block_of(person.id).id
        if person.user_id is None and block_id in waiting:
            waiting[block_id] += 1
    cards = await visit.services.roster.invitations.list_open(visit.user_id) if visit.may(Right.INVITE) else []
    free = [(card, members.person_of_user(card.created_by)) for card in cards if card.person_id is None]
    return visit.page("desk_invitations.html", blocks=blocks, waiting=waiting, free=free)


async def print_cards(visit: Visit) -> web.StreamResponse:
    """Cards for everybody in these blocks who has none yet and no account, as a PDF. Older cards are void."""
    form = await visit.form()
    persons = _persons(visit, form)
    if not persons:
        raise InvalidParam("招待する人が いません。班を えらんでください。")
    members, settings = visit.services.members, visit.services.settings
    cards = await visit.services.roster.invitations.cards_for(visit.user_id, persons)
    printed = [
        PrintedCard(members.block_of(card.person.id).name, f"{card.person.name} 様", card.link, card.code)
        for card in cards if card.person is not None
    ]
    pdf = await visit.services.roster.papers.invitation_cards_pdf(
        printed, settings.association.name, f"{settings.http.public_url}/code"
    )
    return visit.download(pdf, "application/pdf", "招待カード.pdf")


async def show_card(visit: Visit) -> web.StreamResponse:
    """A new card for one person, on the screen; the codes of older cards are void."""
    await visit.form()
    person = visit.services.members.person(visit.parts["person"])
    if person.user_id is not None:
        return visit.go(f"/desk/phones/{person.id}")
    card = (await visit.services.roster.invitations.cards_for(visit.user_id, [person]))[0]
    svg = await visit.services.roster.papers.qr_svg(card.link)
    return visit.page(
        "desk_invitation.html", person=person, card=card, qr=Markup(svg),  # noqa: S704 - drawn by our own worker
        code_page=f"{visit.services.settings.http.public_url}/code",
    )


async def make_void(visit: Visit) -> web.StreamResponse:
    """A person's card is lost: nobody comes in with it any more."""
    await visit.form()
    await visit.services.roster.invitations.revoke(visit.user_id, visit.parts["person"])
    return visit.go(f"/desk/roster/persons/{visit.parts['person']}", done="card_void")


async def make_free_void(visit: Visit) -> web.StreamResponse:
    """The same for a card without a name."""
    await visit.form()
    await visit.services.roster.invitations.revoke_free(visit.user_id, visit.parts["card"])
    return visit.go("/desk/invitations", done="card_void")


def _persons(visit: Visit, form: Form) -> list[Person]:
    members = visit.services.members
    chosen = set(form.lines("block"))
    seen: set[str] = set()
    found = []
    for person in members.persons():
        is_reached = form.line("each") == "household" and any(
            item.user_id is not None or item.id in seen for item in members.persons_at(person.household_id)
        )
        if members.block_of(person.id).id in chosen and person.user_id is None and not is_reached:
            seen.add(person.id)
            found.append(person)
    return found
