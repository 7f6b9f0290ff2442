"""Garbage days at the desk: the city's lists, an area for each block, days that are otherwise."""

from __future__ import annotations

from datetime import date

from aiohttp import BodyPartReader, web

from server.association.garbage.model import DayOff
from server.association.garbage.open_data import MAX_BYTES
from server.association.members.model import Block, Right
from server.foundation.errors import InvalidParam, Refused
from server.web.dates import day_from_input
from server.web.forms import Form, Upload, bytes_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Looking after garbage days."""
    routes.get("/desk/garbage", show_desk)
    routes.post("/desk/garbage/lists", take_in)
    routes.post("/desk/garbage/areas/{block}", choose)
    routes.post("/desk/garbage/days", tell)
    routes.post("/desk/garbage/days/{change}/remove", take_back)


async def show_desk(visit: Visit) -> web.StreamResponse:
    """The blocks, what holds in them, and the forms."""
    return await _desk_page(visit)


async def take_in(visit: Visit) -> web.StreamResponse:
    """Take in the files of the city's open data."""
    visit.require(Right.ARRANGE_DUTIES)
    form = await visit.form(_whole_file)
    files = {item.field: item.data for item in form.uploads}
    garbage, told = visit.services.daily.garbage, []
    if "areas" in files:
        taken = await garbage.take_in(
            visit.user_id, files["areas"], files.get("centers", b""), files.get("remarks", b""))
        told = [f"{taken.areas}の地区を 読みました。", *taken.warnings[:50]]
    if "things" in files:
        told.append(f"{await garbage.take_in_things(visit.user_id, files['things'])}の品目を 読みました。")
    if not told:
        raise InvalidParam("ファイルを えらんでください。")
    return await _desk_page(visit, told=told)


async def choose(visit: Visit) -> web.StreamResponse:
    """Choose an area for a block."""
    form, block_id = await visit.form(), visit.parts["block"]
    await visit.services.daily.garbage.choose(
        visit.user_id, block_id, form.line("area"), center=form.line("center") or None,
        on_holidays=form.has("on_holidays"),
    )
    return visit.go("/desk/garbage", done="saved")


async def tell(visit: Visit) -> web.StreamResponse:
    """Tell blocks that a day is otherwise, once however often the button is pressed."""
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if is_first:
                blocks = [visit.services.members.block(item) for item in form.lines("block")]
                if not blocks:
                    raise InvalidParam("班を えらんでください。")
                await visit.services.daily.garbage.tell(
                    visit.user_id, blocks, form.line("kind"), _day(form, "day"), _day(form, "moved_to"),
                    form.line("reason"),
                )
    except Refused as fault:
        return await _desk_page(visit, fault=fault)
    return visit.go("/desk/garbage", done="sent")


async def take_back(visit: Visit) -> web.StreamResponse:
    """The usual day holds again."""
    await visit.form()
    await visit.services.daily.garbage.take_back(visit.user_id, visit.parts["change"])
    return visit.go("/desk/garbage", done="sent")


def _day(form: Form, name: str) -> date | None:
    return day_from_input(form.line(name), "ごみ") if form.line(name) else None


async def _desk_page(visit: Visit, *, told: list[str] | None = None, fault: Refused | None = None) -> web.Response:
    visit.require_somewhere(Right.ARRANGE_DUTIES)
    garbage = visit.services.daily.garbage
    blocks = visit.services.members.blocks_with(visit.user_id, Right.ARRANGE_DUTIES)
    plans = {block.id: garbage.plan(block.id) for block in blocks}
    kinds = dict.fromkeys(kind for plan in plans.values() if plan is not None for kind in plan.rules)
    return visit.page(
        "desk_garbage.html", blocks=blocks, plans=plans, areas=await garbage.areas(), centers=await garbage.centers(),
        kinds=list(kinds),
        changes=_changes(visit, blocks), told=told or [], once=visit.new_once(),
        fault=fault,
    )


def _changes(visit: Visit, blocks: list[Block]) -> list[dict[str, object]]:
    """Exceptions that are still to come, each once."""
    garbage = visit.services.daily.garbage
    found: dict[str, tuple[DayOff, list[str]]] = {}
    for block in blocks:
        for item in garbage.changes(block.id):
            last = max(day for day in (item.day, item.moved_to) if day is not None)
            if not item.is_over and last >= garbage.today:
                found.setdefault(item.id, (item, []))[1].append(block.name)
    return [{"change": item, "blocks": names} for item, names in found.values()]


async def _whole_file(part: BodyPartReader) -> Upload:
    return Upload(part.name or "", part.filename or "", "text/csv", data=await bytes_of(part, MAX_BYTES))
