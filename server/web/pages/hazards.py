"""Hazard reports (危険の知らせ): what is dangerous here and next door, reporting something, how far it was seen to."""

from __future__ import annotations

from aiohttp import web

from server.association.hazards.model import MAX_PLACE, MAX_TEXT, NEXT, HazardKind, HazardState, Sight
from server.association.members.model import Right
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.media.pictures import Picture
from server.web.forms import Form
from server.web.photos import ACCEPT, answer_photo, photo_keeper, pictures_of
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The list, a form, one report, its picture."""
    routes.get("/hazards", show_list)
    routes.get("/hazards/new", show_empty_form)
    routes.post("/hazards/new", report)
    routes.get("/hazards/{hazard}", show_one)
    routes.post("/hazards/{hazard}", move)
    routes.get("/hazards/{hazard}/photo", show_photo)


async def show_list(visit: Visit) -> web.StreamResponse:
    """Ours, and those of the neighbours."""
    _ = visit.person
    far = await (await visit.services.sharing()).hazards(visit.user_id)
    return visit.page("hazards.html", hazards=await visit.services.daily.hazards.shown(), far=far, State=HazardState)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """What, where, a picture."""
    _ = visit.person
    return _form_page(visit, Form())


async def report(visit: Visit) -> web.StreamResponse:
    """Report, once however often the button is pressed."""
    _ = visit.person
    form = await visit.form(photo_keeper(visit))
    try:
        photos = await pictures_of(visit, form)
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/hazards")
            kind = next((item for item in HazardKind if item.value == form.line("kind")), None)
            if kind is None:
                raise InvalidParam("なにが あぶないかを えらんでください。", field="kind")
            sight = Sight(kind, form.line("place"), form.text("text"), photos[0].url if photos else "")
            hazard = await visit.services.daily.hazards.report(
                visit.user_id, sight, photos[0].mimetype if photos else "")
    except Refused as fault:
        return _form_page(visit, form, fault)
    return visit.go(f"/hazards/{hazard.id}", done="sent")


async def show_one(visit: Visit) -> web.StreamResponse:
    """One report; officers say how far it was seen to, whoever has reported it may take it back."""
    hazard = await visit.services.daily.hazards.get(visit.user_id, visit.parts["hazard"])
    may_move = visit.may(Right.POST_CIRCULARS)
    next_states = [item for item in HazardState if item in NEXT[hazard.state] and item is not HazardState.WITHDRAWN]
    return visit.page(
        "hazard.html", hazard=hazard, may_move=may_move, next_states=next_states, State=HazardState, most=MAX_TEXT,
        may_withdraw=may_move or hazard.reporter == visit.user_id,
    )


async def move(visit: Visit) -> web.StreamResponse:
    """Seen, fixed, withdrawn."""
    form = await visit.form()
    state = next((item for item in HazardState if item.value == form.line("state")), None)
    if state is None:
        raise InvalidParam("どれか ひとつを えらんでください。")
    hazard_id = visit.parts["hazard"]
    await visit.services.daily.hazards.move(visit.user_id, hazard_id, state, form.line("note"))
    if state is HazardState.WITHDRAWN:
        return visit.go("/hazards", done="withdrawn")
    return visit.go(f"/hazards/{hazard_id}", done="saved")


async def show_photo(visit: Visit) -> web.StreamResponse:
    """Its picture, small."""
    hazard = await visit.services.daily.hazards.get(visit.user_id, visit.parts["hazard"])
    if not hazard.sight.photo:
        raise NotFound("写真は ありません。")
    return await answer_photo(visit, Picture(hazard.sight.photo))


def _form_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    return visit.page(
        "hazard_new.html", form=form, kinds=list(HazardKind), accept=ACCEPT, most=(MAX_PLACE, MAX_TEXT),
        once=visit.new_once(), files=form.lines("file") or [upload.mxc for upload in form.uploads],
        fault=fault,
    )
