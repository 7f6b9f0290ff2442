"""Circulars as a resident reads them: a list, one in large letters, a button that says: I have read it."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import Circular, State
from server.association.circulars.reader import Item
from server.association.circulars.translating import Translated
from server.association.members.model import Right
from server.foundation.errors import NotFound, Refused
from server.web.attached_files import answer_file
from server.web.languages.tongues import EASY, JAPANESE, TONGUES, Tongue
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """Reading, acknowledging, files."""
    routes.get("/circulars", show_list)
    routes.get("/circulars/{circular}", show_circular)
    routes.post("/circulars/{circular}/acknowledge", acknowledge)
    routes.post("/circulars/{circular}/stamp", stamp)
    routes.get("/circulars/{circular}/files/{number}", show_file)


async def show_list(visit: Visit) -> web.StreamResponse:
    """Twenty at a time, newest first; with a search for words."""
    search = visit.query("q")
    page = await visit.services.circulars.reader.page(visit.user_id, 20, visit.query("after"), search)
    return visit.page("circulars.html", page=page, search=search, State=State, now=visit.services.clock.now_ms())


async def show_circular(visit: Visit) -> web.StreamResponse:
    """One circular. Showing it is opening it."""
    item = await _item(visit)
    circular = item.circular
    is_mine = visit.services.members.is_in(visit.user_id, circular.audience)
    if is_mine and circular.state is not State.WITHDRAWN:
        await visit.services.circulars.verbs.note_opened(visit.user_id, circular.id)
    issuer = visit.services.members.person_of_user(circular.issuer)
    other, told_otherwise, fault = await _in_other_words(visit, circular)
    return visit.page(
        "circular.html", other=other, told_otherwise=told_otherwise, fault=fault, others=_others(visit, circular),
        item=item, circular=circular, is_mine=is_mine, State=State,
        state=circular.state_at(visit.services.clock.now_ms()), issuer="" if issuer is None else issuer.name,
        told=visit.services.members.describe(circular.audience),
        stamps=await visit.services.circulars.stamps.on(visit.user_id, circular.id),
    )


async def acknowledge(visit: Visit) -> web.StreamResponse:
    """The button 「了解」: the same as ✅ in any client."""
    await visit.form()
    circular_id = visit.parts["circular"]
    await visit.services.circulars.verbs.acknowledge(visit.user_id, circular_id)
    return visit.go(f"/circulars/{circular_id}", done="acknowledged")


async def stamp(visit: Visit) -> web.StreamResponse:
    """A stamp, or the own one taken back: the same as a reaction in any client."""
    form = await visit.form()
    circular_id = visit.parts["circular"]
    sign, is_on = form.line("put") or form.line("back"), form.has("put")
    await visit.services.circulars.stamps.turn(visit.user_id, circular_id, sign, is_on=is_on)
    return visit.go(f"/circulars/{circular_id}")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A file of a circular, for its readers only."""
    circular = (await _item(visit)).circular
    number = visit.parts["number"]
    is_gone = circular.state is State.WITHDRAWN or not (number.isascii() and number.isdigit() and len(number) < 3)
    if is_gone or int(number) >= len(circular.attachments):
        raise NotFound("このファイルは ありません。")
    return await answer_file(visit, circular.attachments[int(number)], is_small=visit.query("size") == "small")


async def _in_other_words(visit: Visit, circular: Circular) -> tuple[Tongue | None, Translated | None, str]:
    """The circular in the language that is asked for (``in``), by a machine; or why that cannot be."""
    other, translations = TONGUES.get(visit.query("in")), visit.services.circulars.translations
    if other is None or other not in _others(visit, circular) or translations is None:
        return None, None, ""
    try:
        return other, await translations.of(circular, other.code), ""
    except Refused as fault:
        return other, None, fault.reason


def _others(visit: Visit, circular: Circular) -> list[Tongue]:
    """The languages in which a circular can be read; the reader's own first."""
    translations = visit.services.circulars.translations
    if translations is None or not translations.may_be_sent(circular):
        return []
    found = [tongue for tongue in TONGUES.values() if tongue not in (JAPANESE, EASY)]
    return sorted(found, key=lambda tongue: tongue != visit.tongue)


async def _item(visit: Visit) -> Item:
    item = await visit.services.circulars.reader.one(visit.user_id, visit.parts["circular"])
    _require_readable(visit, item.circular)
    return item


def _require_readable(visit: Visit, circular: Circular) -> None:
    """A block or group that is gone leaves its circulars to those who may post."""
    if not visit.may(Right.POST_CIRCULARS) and not visit.services.members.is_in(visit.user_id, circular.audience):
        raise NotFound("その回覧は ありません。")
