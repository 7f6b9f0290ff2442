"""The installable app: manifest, service worker, and the one page that works without signal."""

from __future__ import annotations

import hashlib
from typing import Final

import orjson
from aiohttp import web

from server.association.circulars.model import State
from server.association.gatherings.answers import Answer
from server.association.gatherings.model import State as GatheringState
from server.association.gatherings.occurrences import Occurrence
from server.association.inquiries.model import MAX_TEXT, MOST_PHOTOS
from server.association.safety_checks.model import MAX_COMMENT, Status
from server.association.standing_papers.model import Kind
from server.web.routing import Routes
from server.web.security import form_proof
from server.web.visit import Visit

_KEPT_CIRCULARS: Final = 30
_KEPT_GATHERINGS: Final = 20
_KEPT_PAPERS: Final = (Kind.SHELTERS, Kind.TELEPHONES)
_SHELL: Final = ("style.css", "queue.js", "app.js", "live.js", "icon.svg", "icon-192.png")
_ICONS: Final = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
                 ("icon-maskable-512.png", "512x512", "maskable"))  # fmt: skip


def add_routes(routes: Routes) -> None:
    """What browsers ask for by themselves, and what they keep."""
    routes.get("/manifest.webmanifest", show_manifest)
    routes.get("/sw.js", show_worker)
    routes.get("/kept", show_kept)
    routes.get("/kept/who", tell_who)


async def show_manifest(visit: Visit) -> web.StreamResponse:
    """How the app is called on a telephone, and what it looks like."""
    name = visit.services.settings.association.name
    manifest = {
        "name": name, "short_name": name[:12], "lang": visit.tongue.lang, "start_url": "/", "scope": "/", "id": "/",
        "display": "standalone", "background_color": "#ffffff", "theme_color": "#0a5c36",
        "icons": [
            {"src": visit.templates.address_of(file), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for file, sizes, purpose in _ICONS
        ],
        "shortcuts": [{"name": "安否確認", "url": "/safety"}, {"name": "回覧板", "url": "/circulars"}],
    }
    return web.Response(
        body=orjson.dumps(manifest), content_type="application/manifest+json", headers={"Cache-Control": "no-cache"}
    )


async def show_worker(visit: Visit) -> web.StreamResponse:
    """The service worker with the addresses of what it keeps; it changes with them."""
    files = orjson.dumps([visit.templates.address_of(name) for name in _SHELL]).decode()
    text = visit.templates.files["sw.js"].data.decode()
    version = hashlib.sha256(f"{files}{text}".encode()).hexdigest()[:12]
    return web.Response(
        text=f'const FILES = {files};\nconst VERSION = "{version}";\n{text}', content_type="text/javascript",
        headers={"Cache-Control": "no-cache"},
    )


async def show_kept(visit: Visit) -> web.StreamResponse:
    """The last circulars, shelters, telephone numbers, and what can be answered. Showing it is not opening anything."""
    _ = visit.person
    now = visit.services.clock.now_ms()
    papers = await visit.services.papers.all()
    circulars = await visit.services.circulars.reader.page(visit.user_id, _KEPT_CIRCULARS)
    return visit.page(
        "kept.html", questions=await visit.services.safety.desk.questions_for(visit.user_id), statuses=list(Status),
        most=MAX_COMMENT, papers=[papers[kind] for kind in _KEPT_PAPERS], circulars=circulars.items, State=State,
        now=now, polls=[item for item in await visit.services.polls.results.polls_for(visit.user_id)
                        if not item.poll.is_over_at(now)],
        gatherings=await _asking(visit), Answer=Answer, once=visit.new_once(), most_letters=MAX_TEXT,
        most_photos=MOST_PHOTOS,
    )


async def tell_who(visit: Visit) -> web.StreamResponse:
    """Who is logged in, for the worker that has forms of somebody to send, and the proof that forms need."""
    _ = visit.user_id
    told = {"person": visit.person_mark, "proof": form_proof(visit.cookie or "")}
    return web.json_response(told, headers={"Cache-Control": "no-store"})


async def _asking(visit: Visit) -> list[tuple[Occurrence, Answer | None]]:
    """Gatherings ahead that ask who comes, and what this resident has said."""
    verbs, members = visit.services.gatherings.verbs, visit.services.members
    said = await visit.services.gatherings.attendance.of_user(visit.user_id)
    asking = {
        item.gathering.id: item for item in reversed(verbs.upcoming(visit.user_id, _KEPT_GATHERINGS))
        if item.gathering.plan.asks and item.gathering.state is GatheringState.PLANNED
        and members.is_in(visit.user_id, item.gathering.audience)
    }
    return [(item, said.to(number)) for number, item in reversed(asking.items())]
