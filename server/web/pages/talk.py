"""窓口: a resident's talk with the officers. What is written here stands in their own room, as from any client."""

from __future__ import annotations

from aiohttp import web

from server.association.circulars.model import Attachment
from server.association.inquiries.model import MAX_TEXT, MOST_PHOTOS, Photo, Side, State
from server.association.members.model import Person
from server.foundation.errors import InvalidParam, Refused
from server.rooms.receipts import MAIN, READ, READ_PRIVATE
from server.web.attached_files import answer_file, attachments_of, keeper_for
from server.web.reading import mark_desk_read
from server.web.routing import Routes
from server.web.visit import Visit

_SHOWN = 100


def add_routes(routes: Routes) -> None:
    """Reading and writing."""
    routes.get("/talk", show_talk)
    routes.post("/talk", say)
    routes.get("/talk/files/{line}", show_file)


async def show_talk(visit: Visit) -> web.StreamResponse:
    """What was said, the newest last, and a place to write. Showing it is reading it."""
    return await _talk_page(visit)


async def _talk_page(visit: Visit, typed: str = "", fault: Refused | None = None) -> web.Response:
    inquiry, lines = await visit.services.inquiries.talk(visit.user_id)
    await mark_desk_read(visit, visit.person)
    return visit.page(
        "talk.html", inquiry=inquiry, lines=lines[-_SHOWN:], more=max(0, len(lines) - _SHOWN), most=MAX_TEXT, Side=Side,
        State=State, once=visit.new_once(), most_photos=MOST_PHOTOS, typed=typed, fault=fault,
        owner="" if inquiry is None else _name_of(visit, inquiry.owner),
    )


async def say(visit: Visit) -> web.StreamResponse:
    """Words, photos, or both; once however often the button is pressed."""
    visit.person  # noqa: B018 - refuses strangers before their files are kept
    form = await visit.form(keeper_for(visit))
    found = await attachments_of(visit, [upload.mxc for upload in form.uploads])
    photos = [Photo(item.url, item.name, item.mimetype) for item in found]
    try:
        await visit.services.inquiries.ask(visit.user_id, form.text("text"), photos, once=form.line("once"))
    except InvalidParam as fault:
        if visit.has_waited:
            raise
        return await _talk_page(visit, form.text("text"), fault)
    return visit.go("/talk", done="answered")


async def show_file(visit: Visit) -> web.StreamResponse:
    """A photo of one's own talk."""
    photo = await visit.services.inquiries.own_photo(visit.user_id, visit.parts["line"])
    return await answer_file(visit, as_attachment(photo), is_small=visit.query("size") == "small")


def as_attachment(photo: Photo) -> Attachment:
    """A photo as the pages give files out."""
    return Attachment(photo.url, photo.name, photo.mimetype)


async def has_reply(visit: Visit, person: Person) -> bool:
    """Whether the officers have answered and that was not read yet, here or in any client."""
    inquiry, room_id = visit.services.inquiries.newest_of(person.id), visit.services.members.desk_room_of(person.id)
    if inquiry is None or room_id is None or inquiry.state is not State.ANSWERED:
        return False
    book = await visit.services.node.receipts.book(room_id)
    found = (book.find(person.user_id or "", kind, thread) for kind in (READ, READ_PRIVATE) for thread in ("", MAIN))
    return not any(receipt is not None and receipt.ts >= inquiry.changed_ts for receipt in found)


def _name_of(visit: Visit, user_id: str) -> str:
    person = visit.services.members.person_of_user(user_id) if user_id else None
    return "" if person is None else person.name
