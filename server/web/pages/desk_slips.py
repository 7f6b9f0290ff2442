"""Answer slips that come back: find them by their code, from a photo or the camera, and tap the answer."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from server.association.members.came_by import CameBy
from server.association.members.model import Right
from server.association.polls.slips import MAX_PHOTO_BYTES, FoundSlip
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.web.forms import Upload, bytes_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Printing, scanning, entering."""
    routes.post("/desk/polls/{poll}/slips", print_slips)
    routes.get("/desk/scan", show_scan)
    routes.post("/desk/scan", scan)
    routes.post("/desk/scan/look", look)
    routes.get("/slips/{slip}", show_slip)
    routes.post("/slips/{slip}", enter)


async def print_slips(visit: Visit) -> web.StreamResponse:
    """Slips for the households that get paper, or for all of them."""
    form = await visit.form()
    pdf = await visit.services.slips.pdf(visit.user_id, visit.parts["poll"], everybody=form.line("who") == "all")
    return visit.download(pdf, "application/pdf", "アンケート用紙.pdf")


async def show_scan(visit: Visit) -> web.StreamResponse:
    """Take a photo of slips, or hold the camera over one after the other."""
    visit.require_somewhere(Right.ENTER_ANSWERS)
    return visit.page("desk_scan.html", found=[])


async def scan(visit: Visit) -> web.StreamResponse:
    """Read a photo. It is not kept."""
    try:
        found = await _shown_slips(visit)
        if not found:
            raise InvalidParam("用紙の もようが 見つかりません。明るいところで、もようを 大きく 写してください。")
    except InvalidParam as fault:
        return visit.page("desk_scan.html", found=[], fault=fault, status=400)
    if len(found) == 1:
        return visit.go(f"/slips/{found[0].slip.id}")
    return visit.page("desk_scan.html", found=found)


async def look(visit: Visit) -> web.StreamResponse:
    """What the camera sees now (static/scan.js): the address of a slip, first of one without an answer, or none."""
    try:
        found = await _shown_slips(visit)
    except InvalidParam:
        found = []
    slip = next((item for item in found if item.answer is None), next(iter(found), None))
    address = "" if slip is None else f"/slips/{slip.slip.id}"
    return web.json_response({"address": address}, headers={"Cache-Control": "no-store"})


async def show_slip(visit: Visit) -> web.StreamResponse:
    """For officers the buttons of the answers; whoever else reads the code with their telephone comes to the poll."""
    slip = await visit.services.slips.slip(visit.parts["slip"])
    try:
        home = visit.services.members.household(slip.household_id)
        may_enter = visit.may(Right.ENTER_ANSWERS, home.block_id)
    except NotFound:
        may_enter = False
    if not may_enter:
        _ = visit.user_id
        return visit.go(f"/polls/{slip.poll_id}")
    return _slip_page(visit, await visit.services.slips.find(visit.user_id, slip.id))


async def enter(visit: Visit) -> web.StreamResponse:
    """Write the answer down, and on to the next slip."""
    form = await visit.form()
    found = await visit.services.slips.find(visit.user_id, visit.parts["slip"])
    slip, polls = found.slip, visit.services.polls
    try:
        if slip.person_id:
            await polls.enter(visit.user_id, slip.poll_id, slip.person_id, form.lines("choice"), CameBy.PAPER)
        else:
            await polls.enter_for_household(
                visit.user_id, slip.poll_id, slip.household_id, form.lines("choice"), CameBy.PAPER)
    except Refused as fault:
        if fault.status not in (400, 409):
            raise
        return _slip_page(visit, found, fault)
    return visit.go("/desk/scan", done="entered")


def _slip_page(visit: Visit, found: FoundSlip, fault: Refused | None = None) -> web.Response:
    chosen = () if found.answer is None else found.answer.chosen
    return visit.page(
        "desk_slip.html", found=found, poll=found.poll,
        said="、".join(item.text for item in found.poll.choices if item.id in chosen),
        is_over=found.poll.is_over_at(visit.services.clock.now_ms()),
        fault=fault,
    )


async def _shown_slips(visit: Visit) -> list[FoundSlip]:
    """The slips on the photos of a form; raises ``InvalidParam`` for what is no photo."""
    visit.require_somewhere(Right.ENTER_ANSWERS)
    form = await visit.form(_photo)
    codes = [code for upload in form.uploads for code in await visit.services.slips.codes_in(upload.data)]
    return [slip for slip in [await _known(visit, code) for code in codes] if slip is not None]


async def _known(visit: Visit, code: str) -> FoundSlip | None:
    """What a code stands for; another association's, or another block's, is left out."""
    try:
        return await visit.services.slips.find(visit.user_id, code)
    except Refused:
        return None


async def _photo(part: BodyPartReader) -> Upload:
    return Upload(part.name or "", part.filename or "", "image/jpeg", data=await bytes_of(part, MAX_PHOTO_BYTES))
