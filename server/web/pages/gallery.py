"""The gallery: albums, photos that load as one comes to them, several at once from the telephone, taking them out."""

from __future__ import annotations

from aiohttp import web

from server.association.gallery.actions import PHOTOS
from server.association.gallery.model import MAX_NOTE, MAX_REASON, MAX_TITLE, MOST_AT_ONCE, State
from server.association.gatherings.model import Gathering
from server.association.gatherings.occurrences import to_ms
from server.association.members.model import Right
from server.foundation.errors import Refused
from server.web.forms import Form
from server.web.photos import ACCEPT, answer_photo, name_of, photo_keeper, pictures_of
from server.web.routing import Routes
from server.web.visit import Visit

_GATHERINGS = 20
_DAY_MS = 86_400_000


def add_routes(routes: Routes) -> None:
    """Albums, one album, one photo."""
    routes.get("/gallery", show_list)
    routes.get("/gallery/new", show_empty_form)
    routes.post("/gallery/new", begin)
    routes.get("/gallery/{album}", show_album)
    routes.post("/gallery/{album}", add)
    routes.post("/gallery/{album}/remove", remove_album)
    routes.get("/gallery/{album}/{photo}", show_photo)
    routes.get("/gallery/{album}/{photo}/file", show_file)
    routes.post("/gallery/{album}/{photo}/withdraw", withdraw)
    routes.post("/gallery/{album}/{photo}/object", object_to)


async def show_list(visit: Visit) -> web.StreamResponse:
    """Albums, newest first; or those of one gathering."""
    _, gallery, gathering_id = visit.person, visit.services.common.gallery, visit.query("gathering")
    if gathering_id:
        lines, following = await gallery.of_gathering(visit.user_id, gathering_id), ""
    else:
        lines, following = await gallery.albums(visit.user_id, visit.query("after"))
    return visit.page("gallery.html", lines=lines, next=following)


async def show_empty_form(visit: Visit) -> web.StreamResponse:
    """A new album."""
    _ = visit.person
    return _form_page(visit, Form([("gathering", visit.query("gathering"))]))


async def begin(visit: Visit) -> web.StreamResponse:
    """Make it, once however often the button is pressed."""
    form = await visit.form()
    try:
        with visit.once(form) as is_first:
            if not is_first:
                return visit.go("/gallery")
            album = await visit.services.common.gallery.begin(
                visit.user_id, form.line("title"), form.text("note"), _known_gathering(visit, form.line("gathering")))
    except Refused as fault:
        return _form_page(visit, form, fault)
    return visit.go(f"/gallery/{album.id}")


async def show_album(visit: Visit) -> web.StreamResponse:
    """Sixty photos at a time."""
    return await _album_page(visit)


async def add(visit: Visit) -> web.StreamResponse:
    """Several photos at once."""
    form, album_id = await visit.form(photo_keeper(visit)), visit.parts["album"]
    try:
        with visit.once(form) as is_first:
            if is_first:
                pictures = await pictures_of(visit, form)
                await visit.services.common.gallery.add(
                    visit.user_id, album_id, pictures, has_consent=form.has("consent"))
    except Refused as fault:
        return await _album_page(visit, form, fault)
    return visit.go(f"/gallery/{album_id}", done="sent")


async def remove_album(visit: Visit) -> web.StreamResponse:
    """Take it away with everything in it."""
    await visit.form()
    await visit.services.common.gallery.remove_album(visit.user_id, visit.parts["album"])
    return visit.go("/gallery", done="removed")


async def show_photo(visit: Visit) -> web.StreamResponse:
    """One photo, large, with the two ways to have it gone."""
    gallery, album_id = visit.services.common.gallery, visit.parts["album"]
    photo = await gallery.photo(visit.user_id, album_id, visit.parts["photo"])
    following = await gallery.photos(visit.user_id, album_id, photo.position)
    return visit.page(
        "gallery_photo.html", album=await gallery.album(visit.user_id, album_id), photo=photo,
        next=following[0] if following else None, uploader=name_of(visit, photo.uploader), most=MAX_REASON,
        is_mine=photo.uploader == visit.user_id, is_hidden=photo.state is State.HIDDEN,
    )


async def show_file(visit: Visit) -> web.StreamResponse:
    """The photo itself, scaled."""
    photo = await visit.services.common.gallery.photo(visit.user_id, visit.parts["album"], visit.parts["photo"])
    return await answer_photo(visit, photo.picture)


async def withdraw(visit: Visit) -> web.StreamResponse:
    """Take one's own photo out."""
    await visit.form()
    album_id = visit.parts["album"]
    await visit.services.common.gallery.withdraw(visit.user_id, album_id, visit.parts["photo"])
    return visit.go(f"/gallery/{album_id}", done="removed")


async def object_to(visit: Visit) -> web.StreamResponse:
    """One is in it and does not want to be: it is hidden at once."""
    form, album_id = await visit.form(), visit.parts["album"]
    await visit.services.common.gallery.object_to(
        visit.user_id, album_id, visit.parts["photo"], form.text("reason"))
    return visit.go(f"/gallery/{album_id}", done="hidden")


async def _album_page(visit: Visit, form: Form | None = None, fault: Refused | None = None) -> web.Response:
    gallery, album_id = visit.services.common.gallery, visit.parts["album"]
    album = await gallery.album(visit.user_id, album_id)
    after = visit.query("after")
    is_number = after.isascii() and after.isdigit() and len(after) < 16
    photos = await gallery.photos(visit.user_id, album_id, int(after) if is_number else -1)
    return visit.page(
        "gallery_album.html", album=album, photos=photos[:PHOTOS], author=name_of(visit, album.author),
        next=photos[PHOTOS - 1].position if len(photos) > PHOTOS else None, once=visit.new_once(), accept=ACCEPT,
        kept=[] if form is None else form.lines("file") + [item.mxc for item in form.uploads],
        has_gathering=any(album.gathering_id == item.id for item in _seen_gatherings(visit)),
        may_remove=visit.may(Right.MODERATE) or (album.author == visit.user_id and not photos), most=MOST_AT_ONCE,
        fault=fault,
    )


def _form_page(visit: Visit, form: Form, fault: Refused | None = None) -> web.Response:
    return visit.page(
        "gallery_new.html", form=form, gatherings=_gatherings(visit), once=visit.new_once(), most=(MAX_TITLE, MAX_NOTE),
        fault=fault,
    )


def _gatherings(visit: Visit) -> list[Gathering]:
    """The last gatherings, to which photos may belong."""
    soon = visit.services.clock.now_ms() + _DAY_MS
    begun = [(to_ms(item.plan.start), item) for item in _seen_gatherings(visit)]
    last = sorted(((start, item.id, item) for start, item in begun if start < soon), reverse=True)[:_GATHERINGS]
    return [item for _, _, item in last]


def _seen_gatherings(visit: Visit) -> list[Gathering]:
    verbs = visit.services.gatherings.verbs
    return [item for item in verbs.changed_since(0) if item.is_shown and verbs.sees(visit.user_id, item)]


def _known_gathering(visit: Visit, gathering_id: str) -> str:
    return gathering_id if any(gathering_id == item.id for item in _seen_gatherings(visit)) else ""
