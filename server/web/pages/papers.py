"""Standing papers: residents read them, officers write them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.association.members.model import Right
from server.association.standing_papers.model import MAX_TEXT, Kind
from server.foundation.errors import NotFound, Refused
from server.web.routing import Routes
from server.web.visit import Visit

_KINDS: Final = {kind.value: kind for kind in Kind}


def add_routes(routes: Routes) -> None:
    """Reading and writing."""
    routes.get("/papers", show_list)
    routes.get("/papers/{kind}", show_paper)
    routes.get("/desk/papers", show_desk)
    routes.get("/desk/papers/{kind}", show_form)
    routes.post("/desk/papers/{kind}", write)


async def show_list(visit: Visit) -> web.StreamResponse:
    """The folders in which there is something."""
    _ = visit.person
    papers = (await visit.services.papers.all()).values()
    return visit.page("papers.html", papers=[paper for paper in papers if paper.text])


async def show_paper(visit: Visit) -> web.StreamResponse:
    """One paper."""
    _ = visit.person
    return visit.page("paper.html", paper=(await visit.services.papers.all())[_kind(visit)])


async def show_desk(visit: Visit) -> web.StreamResponse:
    """All folders, also empty ones."""
    visit.require(Right.POST_CIRCULARS)
    return visit.page("desk_papers.html", papers=(await visit.services.papers.all()).values())


async def show_form(visit: Visit) -> web.StreamResponse:
    """The text of one as it is."""
    visit.require(Right.POST_CIRCULARS)
    kind = _kind(visit)
    return await _form_page(visit, kind, (await visit.services.papers.all())[kind].text)


async def write(visit: Visit) -> web.StreamResponse:
    """Keep the new text, unless somebody else was faster."""
    visit.require(Right.POST_CIRCULARS)
    form = await visit.form()
    revision = form.number("revision", "版", least=0, most=10**9) or 0
    kind = _kind(visit)
    try:
        await visit.services.papers.write(visit.user_id, kind, form.text("text"), revision)
    except Refused as fault:
        if fault.status not in (400, 412):
            raise
        return await _form_page(visit, kind, form.text("text"), fault)
    return visit.go("/desk/papers", done="saved")


async def _form_page(visit: Visit, kind: Kind, text: str, fault: Refused | None = None) -> web.Response:
    """The form with ``text``; above it what somebody else has written meanwhile."""
    paper = (await visit.services.papers.all())[kind]
    return visit.page(
        "desk_paper.html", paper=paper, most=MAX_TEXT, text=text, fault=fault,
        other=paper if fault is not None and fault.status == 412 else None,
    )


def _kind(visit: Visit) -> Kind:
    kind = _KINDS.get(visit.parts["kind"])
    if kind is None:
        raise NotFound("このページは ありません。")
    return kind
