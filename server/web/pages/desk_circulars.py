"""Circulars at the desk: the list, who has read one, paper, withdrawing, the printed sheet."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.association.circulars.model import Circular, Progress, State
from server.association.examples.model import Kind
from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Following a circular on its round. Writing is in ``desk_writing``."""
    routes.get("/desk/circulars", show_list)
    routes.get("/desk/circulars/{circular}", show_reach)
    routes.post("/desk/circulars/{circular}/withdraw", withdraw)
    routes.post("/desk/circulars/{circular}/return", call_back)
    routes.post("/desk/circulars/{circular}/paper", enter_paper)
    routes.post("/desk/circulars/{circular}/sheet", print_sheet)
    routes.post("/desk/circulars/{circular}/sheets", print_sheets)
    routes.post("/desk/circulars/{circular}/again", tell_again)


async def show_list(visit: Visit) -> web.StreamResponse:
    """All circulars, newest first."""
    page = await visit.services.circulars.reader.all(visit.user_id, 20, visit.query("after"))
    return visit.page(
        "desk_circulars.html", page=page, State=State, now=visit.services.clock.now_ms(),
        planned=visit.services.circulars.planned.all(visit.user_id),
    )


async def show_reach(visit: Visit) -> web.StreamResponse:
    """Who has seen, opened, acknowledged it or has it on paper, by household."""
    reach = await visit.services.circulars.reader.reach(visit.user_id, visit.parts["circular"])
    members, only = visit.services.members, visit.query("only")
    rows = [row for row in reach.rows if only != "not_yet" or row.progress is Progress.NOT_YET]
    unseen = await visit.services.circulars.again.unseen(reach)
    return visit.page(
        "desk_circular.html", reach=reach, circular=reach.circular, rows=rows, only=only, Progress=Progress,
        unseen=len(unseen),
        is_example=await visit.services.examples.find(Kind.CIRCULAR, reach.circular.id) is not None,
        State=State, state=reach.circular.state_at(visit.services.clock.now_ms()),
        told=members.describe(reach.circular.audience),
        may_change=members.may_for(visit.user_id, Right.POST_CIRCULARS, reach.circular.audience),
        may_enter={block.id for block in members.blocks_with(visit.user_id, Right.ENTER_ANSWERS)},
    )


async def withdraw(visit: Visit) -> web.StreamResponse:
    """Take it back: its text and files are gone for readers."""
    form = await visit.form()
    circular_id = visit.parts["circular"]
    await visit.services.circulars.verbs.withdraw(visit.user_id, circular_id, form.line("reason"))
    return visit.go(f"/desk/circulars/{circular_id}", done="withdrawn")


async def call_back(visit: Visit) -> web.StreamResponse:
    """It has been round."""
    await visit.form()
    circular_id = visit.parts["circular"]
    await visit.services.circulars.verbs.call_back(visit.user_id, circular_id)
    return visit.go(f"/desk/circulars/{circular_id}", done="saved")


async def enter_paper(visit: Visit) -> web.StreamResponse:
    """A household has it on paper, or that was a mistake."""
    form = await visit.form()
    circular_id, home_id = visit.parts["circular"], form.line("household")
    verbs = visit.services.circulars.verbs
    if form.line("paper") == "no":
        await verbs.take_paper_back(visit.user_id, circular_id, home_id)
    else:
        await verbs.enter_paper(visit.user_id, circular_id, home_id, by_phone=form.line("paper") == "phone")
    only = "?only=not_yet" if form.line("only") == "not_yet" else ""
    return visit.go(f"/desk/circulars/{circular_id}{only}", done="entered")


async def tell_again(visit: Visit) -> web.StreamResponse:
    """Tell those once more who have not seen it."""
    await visit.form()
    circular_id = visit.parts["circular"]
    await visit.services.circulars.again.tell(visit.user_id, circular_id)
    return visit.go(f"/desk/circulars/{circular_id}", done="sent")


async def print_sheet(visit: Visit) -> web.StreamResponse:
    """One A4 page in large letters, with the way to the page as a QR code."""
    await visit.form()
    reach = await visit.services.circulars.reader.reach(visit.user_id, visit.parts["circular"])
    return await _printed(visit, reach.circular)


async def print_sheets(visit: Visit) -> web.StreamResponse:
    """The same with a name on it for each household that gets paper, in walking order."""
    await visit.form()
    members = visit.services.members
    reach = await visit.services.circulars.reader.reach(visit.user_id, visit.parts["circular"])
    homes = [(row.block, row.household.name) for row in reach.rows if members.channel_of(row.household.id).has_paper]
    if not homes:
        raise InvalidParam("紙の世帯は、ありません")
    await members.log_look(visit.user_id, "紙の世帯の 一覧")
    return await _printed(visit, reach.circular, homes)


async def _printed(visit: Visit, circular: Circular, homes: Sequence[tuple[str, str]] = ()) -> web.Response:
    settings = visit.services.settings
    pdf = await visit.services.roster.papers.circular_sheet_pdf(
        circular.title, circular.text, settings.association.name, tokyo_time(circular.created_ts).date(),
        f"{settings.http.public_url}/circulars/{circular.id}", homes,
    )
    return visit.download(pdf, "application/pdf", f"{circular.title}.pdf")
