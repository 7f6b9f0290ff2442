"""おしらせ: what somebody wants to be reminded of, and when. Kept as account data, so any client may set it, too."""

from __future__ import annotations

from aiohttp import web

from server.association.reminders.model import CHOICE, EVENING_HOUR, Choice, read_choice
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Looking and choosing."""
    routes.get("/my/reminders", show_choice)
    routes.post("/my/reminders", choose)


async def show_choice(visit: Visit) -> web.StreamResponse:
    """What is chosen now."""
    told = await visit.services.node.accounts.account_data.find(visit.user_id, "", CHOICE)
    return visit.page("my_reminders.html", choice=read_choice(told), evening=EVENING_HOUR)


async def choose(visit: Visit) -> web.StreamResponse:
    """Keep it; it holds from the next reminder on."""
    form = await visit.form()
    when = form.lines("when")
    choice = Choice("day_before" in when, "hour_before" in when, form.line("what") == "all")
    await visit.services.node.accounts.account_data.set(visit.user_id, "", CHOICE, choice.as_content())
    return visit.go("/my/reminders", done="saved")
