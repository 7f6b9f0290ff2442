"""What is reported beside the board, at the desk: by whom and why, and what was decided."""

from __future__ import annotations

from aiohttp import web

from server.association.board.model import MAX_REASON
from server.association.board.told_elsewhere import DONE, UNIMPORTANT
from server.web.photos import name_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """One page, and the decision."""
    routes.get("/desk/reports", show)
    routes.post("/desk/reports", decide)


async def show(visit: Visit) -> web.StreamResponse:
    """What waits, with the words of those who have told it; nothing of what was said in a room."""
    told = visit.services.common.told_elsewhere
    return visit.page(
        "desk_reports.html", waiting=await told.waiting(visit.user_id), most=MAX_REASON, DONE=DONE,
        UNIMPORTANT=UNIMPORTANT, person_of=visit.services.members.person_of_user,
        decided=[(item, name_of(visit, item.officer)) for item in await told.decided(visit.user_id)],
    )


async def decide(visit: Visit) -> web.StreamResponse:
    """Seen to, or nothing."""
    form = await visit.form()
    await visit.services.common.told_elsewhere.decide(
        visit.user_id, form.line("subject"), form.line("step"), form.text("words"))
    return visit.go("/desk/reports", done="saved")
