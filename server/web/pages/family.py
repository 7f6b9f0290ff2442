"""Family on one telephone: who uses it, changing over, adding somebody, taking somebody out."""

from __future__ import annotations

from aiohttp import web
from markupsafe import Markup

from server.web import family_phone
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The page, and what is done from it and from the head of every page."""
    routes.get("/my/family", show_family)
    routes.post("/my/family/card", show_card)
    routes.post("/my/family/remove", remove)
    routes.post("/family", switch)


async def show_family(visit: Visit) -> web.StreamResponse:
    """Who uses this telephone; and how others of the household come onto it."""
    person = visit.person
    on_it = [member.person.id for member in visit.family.members]
    others = [item for item in visit.services.members.persons_at(person.household_id)
              if item.id != person.id and item.id not in on_it]
    return visit.page("my_family.html", person=person, others=others, most=family_phone.MOST)


async def show_card(visit: Visit) -> web.StreamResponse:
    """One's own card for the telephone of one's family, this once."""
    await visit.form()
    card = await visit.services.roster.invitations.family_card(visit.user_id)
    svg = await visit.services.roster.papers.qr_svg(card.link)
    return visit.page(
        "my_family_card.html", person=visit.person, card=card,
        qr=Markup(svg),  # noqa: S704 - drawn by our own worker
    )


async def remove(visit: Visit) -> web.StreamResponse:
    """Somebody uses this telephone no more."""
    form = await visit.form()
    return await family_phone.remove(visit, form.line("person"))


async def switch(visit: Visit) -> web.StreamResponse:
    """Another one is at the screen now, by one tap; also from a page that was opened before."""
    form = await visit.form(of_anybody=True)
    return family_phone.switch(visit, form.line("person"))
