"""The resources of this door as things that have properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from server.caldav.call import Call
from server.caldav.paths import (
    HOMES_HREF,
    PRINCIPALS_HREF,
    ROOT_HREF,
    Place,
    Target,
    collection_href,
    segment,
)
from server.calendars.actions import Shelf
from server.calendars.model import Item, ItemHead

HOME_KEY = "home"
PRINCIPAL_KEY = "principal"
_NOTHING: Mapping[str, str] = {}


class Subject(NamedTuple):
    """One resource for one caller; made by the thousand. ``own``: what the caller has set on it, as serialised XML by
    Clark name."""

    place: Place
    path: str
    call: Call
    shelf: Shelf | None = None
    own: Mapping[str, str] = _NOTHING
    head: ItemHead | None = None
    data: bytes | None = None


async def subject_of(call: Call, target: Target) -> Subject:
    """The resource of a target; raises ``NotFound``."""
    match call.require_own(target).place:
        case Place.ROOT:
            return Subject(Place.ROOT, ROOT_HREF, call)
        case Place.PRINCIPALS:
            return Subject(Place.PRINCIPALS, PRINCIPALS_HREF, call)
        case Place.HOMES:
            return Subject(Place.HOMES, HOMES_HREF, call)
        case Place.PRINCIPAL:
            own = await call.calendars.properties(call.user_id, PRINCIPAL_KEY)
            return Subject(Place.PRINCIPAL, call.principal, call, own=own)
        case Place.HOME:
            own = await call.calendars.properties(call.user_id, HOME_KEY)
            return Subject(Place.HOME, call.home, call, own=own)
    shelf = await call.calendars.find(call.user_id, target.collection)
    if target.place is Place.COLLECTION:
        return await collection_subject(call, shelf)
    item = await call.calendars.item(shelf, target.item)
    return item_subject(call, shelf, item.head, item.data)


async def collection_subject(call: Call, shelf: Shelf) -> Subject:
    """A calendar."""
    own = await call.calendars.properties(call.user_id, shelf.collection.key)
    return Subject(Place.COLLECTION, collection_href(call.localpart, shelf.collection.name), call, shelf, own)


def item_subject(call: Call, shelf: Shelf, head: ItemHead, data: bytes | None = None) -> Subject:
    """An entry."""
    return item_subjects(call, shelf, [(head, data)])[0]


def item_subjects(call: Call, shelf: Shelf, entries: Iterable[tuple[ItemHead, bytes | None]]) -> list[Subject]:
    """Entries of one calendar, each with its data where that is known."""
    base = collection_href(call.localpart, shelf.collection.name)
    return [
        Subject(Place.ITEM, base + segment(head.name), call, shelf, _NOTHING, head, data) for head, data in entries
    ]


async def members_of(subject: Subject, *, with_data: bool) -> Sequence[Subject]:
    """What lies directly below; of entries the data only where it is needed."""
    call = subject.call
    match subject.place:
        case Place.ROOT:
            return [await subject_of(call, Target(Place.PRINCIPALS)), await subject_of(call, Target(Place.HOMES))]
        case Place.PRINCIPALS:
            return [await subject_of(call, Target(Place.PRINCIPAL))]
        case Place.HOMES:
            return [await subject_of(call, Target(Place.HOME))]
        case Place.HOME:
            return [await collection_subject(call, shelf) for shelf in await call.calendars.shelves(call.user_id)]
        case Place.COLLECTION:
            return await _entries(subject, with_data=with_data)
    return []


async def _entries(subject: Subject, *, with_data: bool) -> Sequence[Subject]:
    call, shelf = subject.call, subject.shelf
    assert shelf is not None
    heads = await call.calendars.heads(shelf)
    found: Mapping[str, Item] = {}
    if with_data:
        found = await call.calendars.multiget(shelf, [head.name for head in heads])
    return item_subjects(call, shelf, (
        (head, found[head.name].data if head.name in found else None) for head in heads
    ))
