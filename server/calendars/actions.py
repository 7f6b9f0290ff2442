"""The verbs of calendars. Every one finds its collection through ``Calendars.find``, which asks for the right to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from server.calendars.calendar_object import CalendarObject, read_object
from server.calendars.expansion import DataRequest
from server.calendars.filters import CompFilter
from server.calendars.free_busy import free_busy
from server.calendars.long_work import LongWork
from server.calendars.model import (
    COMPONENTS,
    OWN_KINDS,
    Changes,
    Collection,
    Expected,
    Item,
    ItemHead,
    Kind,
    NewCalendar,
    PutResult,
    Window,
    require_name,
)
from server.calendars.occurrences import require_expandable, span_of
from server.calendars.overlaid import OverlaidCalendars
from server.calendars.personal_properties import PersonalProperties
from server.calendars.ports import CalendarBackend, Rights
from server.calendars.querying import YearSpans, select, window_of
from server.calendars.reading import MAX_BYTES
from server.calendars.refusals import Condition, refuse, refuse_rights
from server.calendars.scheduling import Scheduling
from server.calendars.shown import ShownObjects
from server.calendars.stored import StoredCalendars
from server.calendars.sync_token import read_sync_token
from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.storage.database import Database

# Reading a bigger object than this would keep the others waiting; it goes to a thread.
_READ_AT_ONCE: Final = 8 * 1024
_EXPAND_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection, who serves it, and what the caller may do with it.

    ``overlaid`` is the same backend where the collection is shared: there a reader may set alarms of their own.
    """

    collection: Collection
    backend: CalendarBackend
    may_write: bool
    overlaid: OverlaidCalendars | None = None

    @property
    def is_own(self) -> bool:
        """Whether the caller may also change and remove the collection itself."""
        return self.collection.kind is Kind.PERSONAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A place for an item: a collection and a name in it."""

    shelf: Shelf
    name: str


class Calendars:
    """All calendars of a caller: their own and those of the association."""

    def __init__(
        self, database: Database, own: StoredCalendars, shared: Sequence[OverlaidCalendars],
        properties: PersonalProperties, rights: Rights, clock: Clock, scheduling: Scheduling | None = None,
    ) -> None:
        self._database = database
        self._own = own
        self._all: tuple[StoredCalendars | OverlaidCalendars, ...] = (*shared, own)
        self._properties = properties
        self._rights = rights
        self._clock = clock
        self._scheduling = scheduling
        self._years = YearSpans()
        self._shown = ShownObjects()
        self._long_work = LongWork(clock)

    async def shelves(self, user_id: str) -> list[Shelf]:
        """Everything that the caller may read, the association's first."""
        shelves = []
        for backend in self._all:
            for collection in await backend.collections(user_id):
                if await self._may_read(user_id, collection):
                    shelves.append(await self._shelf(user_id, collection, backend))
        return shelves

    async def find(self, user_id: str, name: str) -> Shelf:
        """One collection; raises ``NotFound`` also where there is one that the caller may not know of."""
        boxes = self._scheduling.boxes if self._scheduling is not None else ()
        # Most requests are about one's own calendars; a new one never gets the name of another kind (``create``).
        for backend in (self._own, *self._all[:-1], *boxes):
            for collection in await backend.collections(user_id):
                if collection.name == name and await self._may_read(user_id, collection):
                    return await self._shelf(user_id, collection, backend)
        raise NotFound("There is no such calendar")

    async def _shelf(
        self, user_id: str, collection: Collection, backend: CalendarBackend
    ) -> Shelf:
        overlaid = backend if isinstance(backend, OverlaidCalendars) else None
        return Shelf(collection, backend, await self._may_write(user_id, collection), overlaid)

    async def create(self, user_id: str, wanted: NewCalendar) -> None:
        """Make a calendar of the caller's own."""
        if wanted.component not in COMPONENTS:
            raise refuse(Condition.SUPPORTED_COMPONENT, "A calendar holds VEVENT, VTODO or VJOURNAL")
        boxes = self._scheduling.names if self._scheduling is not None else ()
        if wanted.name in (*boxes, *(shelf.collection.name for shelf in await self.shelves(user_id))):
            raise refuse(Condition.MUST_BE_NULL, "There is a calendar of that name already", status=405)
        await self._own.create(user_id, wanted)

    async def remove(self, user_id: str, shelf: Shelf) -> None:
        """Remove a calendar of the caller's own."""
        if not shelf.is_own:
            raise refuse_rights()
        await self._own.remove(user_id, shelf.collection)

    async def properties(self, user_id: str, key: str) -> Mapping[str, str]:
        """What the caller has set on a collection (by its key) or another resource: Clark name to serialised XML."""
        return await self._properties.of(user_id, key)

    async def change_properties(self, user_id: str, key: str, changes: Mapping[str, str | None]) -> None:
        """Set or remove (``None``) what only the caller sees."""
        async with self._database.write() as tx:
            await self._properties.change(tx, user_id, key, changes)

    async def heads(self, shelf: Shelf) -> Sequence[ItemHead]:
        """All items without their data."""
        return await shelf.backend.heads(shelf.collection)

    async def item(self, shelf: Shelf, name: str) -> Item:
        """One item; raises ``NotFound``."""
        for item in await shelf.backend.items(shelf.collection, [name]):
            return item
        raise NotFound("There is no such entry")

    async def multiget(self, shelf: Shelf, names: Sequence[str]) -> dict[str, Item]:
        """Items by name, as far as they exist."""
        return {item.head.name: item for item in await shelf.backend.items(shelf.collection, names)}

    async def query(self, shelf: Shelf, wanted: CompFilter) -> list[Item]:
        """The items that pass a filter."""
        component = shelf.collection.component
        candidates = await shelf.backend.search(shelf.collection, window_of(wanted, component))
        elsewhere = partial(self._long_work.over, shelf.collection.owner)
        return await select(candidates, wanted, component, self._years, elsewhere)

    async def changes_since(self, shelf: Shelf, token: str, limit: int) -> Changes:
        """What changed after a sync token."""
        revision = read_sync_token(shelf.collection, token)
        if revision == shelf.collection.revision:
            return Changes((), (), revision, False)
        return await shelf.backend.changes_since(shelf.collection, revision, limit)

    async def put_item(
        self, user_id: str, shelf: Shelf, name: str, data: bytes, expected: Expected
    ) -> PutResult:
        """Check and write one item; of a shared one that the caller may only read, their own alarms."""
        if not shelf.may_write and shelf.overlaid is None:
            raise refuse_rights()
        require_name(name)
        if len(data) > MAX_BYTES:
            raise refuse(Condition.MAX_SIZE, f"An entry may have at most {MAX_BYTES} bytes")
        thing = _checked(data) if len(data) <= _READ_AT_ONCE else await asyncio.to_thread(_checked, data)
        if thing.component != shelf.collection.component:
            raise refuse(Condition.SUPPORTED_COMPONENT, f"This calendar holds {shelf.collection.component} only")
        if not shelf.may_write and shelf.overlaid is not None:
            return await shelf.overlaid.put_own(user_id, shelf.collection, name, thing, expected)
        return await shelf.backend.put_item(user_id, shelf.collection, name, thing, expected)

    async def delete_item(self, user_id: str, shelf: Shelf, name: str, expected: Expected) -> None:
        """Remove one item."""
        if not shelf.may_write:
            raise refuse_rights()
        await shelf.backend.delete_item(user_id, shelf.collection, name, expected)

    async def transfer(
        self, user_id: str, source: Entry, target: Entry, expected: Expected, *, keep: bool, overwrite: bool
    ) -> PutResult:
        """Copy (``keep``) or move one item; ``expected`` is said of the source. Nothing is lost if a part is refused.

        Between calendars of one's own a move is one step. From or to a shared one the copy is made first.
        """
        is_invitation = source.shelf.collection.kind is Kind.INVITED
        if not target.shelf.may_write or not (keep or source.shelf.may_write) or (is_invitation and not keep):
            raise refuse_rights()
        require_name(target.name)
        item = await self.item(source.shelf, source.name)
        expected.require(item.head.etag)
        if target.shelf.collection.component != source.shelf.collection.component:
            kind = target.shelf.collection.component
            raise refuse(Condition.SUPPORTED_COMPONENT, f"This calendar holds {kind} only")
        if not keep and source.shelf.is_own and target.shelf.is_own:
            places = source.shelf.collection, source.name, target.shelf.collection, target.name
            return await self._own.move_item(user_id, *places, item.head.etag, overwrite=overwrite)
        condition = Expected() if overwrite else Expected(None, frozenset("*"))
        result = await self.put_item(user_id, target.shelf, target.name, item.data, condition)
        if not keep:
            await self.delete_item(user_id, source.shelf, source.name, Expected(frozenset({item.head.etag})))
        return result

    async def data_of(self, shelf: Shelf, items: Sequence[Item], wanted: DataRequest) -> list[bytes]:
        """Their bytes, as a report wants them."""
        if wanted.as_stored:
            return [item.data for item in items]
        missing = sum(self._shown.known(item, wanted) is None for item in items)
        if missing <= _EXPAND_AT_ONCE:
            return self._shown.all_of(items, wanted)
        work = partial(self._shown.all_of, wanted=wanted)
        return await self._long_work.over(shelf.collection.owner, items, work)

    async def free_busy(self, shelf: Shelf, window: Window) -> bytes:
        """A VFREEBUSY object of one collection."""
        items = await shelf.backend.search(shelf.collection, window)
        work = partial(free_busy, window=window, now_ms=self._clock.now_ms())
        return await self._long_work.over(shelf.collection.owner, items, work)

    # ---- scheduling ------------------------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The node's time."""
        return self._clock.now_ms()

    async def put_away(self, user_id: str, name: str) -> None:
        """Remove one's copy of an invitation without answering it; raises ``NotFound``."""
        if self._scheduling is None:
            raise NotFound("There is no such invitation")
        await self._scheduling.copies.put_away(user_id, name)

    async def shows_busy_times(self, user_id: str) -> bool:
        """Whether somebody lets neighbours see when they have time."""
        return self._scheduling is not None and await self._scheduling.shows_busy_times(user_id)

    async def busy_items(self, user_id: str, window: Window) -> list[Item]:
        """What somebody's time goes to: their own entries, and what they were invited to."""
        found: list[Item] = []
        for shelf in await self.shelves(user_id):
            if shelf.collection.kind in (Kind.PERSONAL, Kind.INVITED) and shelf.collection.component == "VEVENT":
                found += await shelf.backend.search(shelf.collection, window)
        return found

    async def worked_out(self, user_id: str, items: Sequence[Item], work: Callable[[Iterable[Item]], bytes]) -> bytes:
        """``work`` over items, where it keeps nobody waiting."""
        return await self._long_work.over(user_id, items, work)

    async def _may_read(self, user_id: str, collection: Collection) -> bool:
        return collection.kind in OWN_KINDS or await self._rights.may_read(user_id, collection.key)

    async def _may_write(self, user_id: str, collection: Collection) -> bool:
        if collection.kind in OWN_KINDS:
            return collection.kind is not Kind.OUTBOX
        return await self._rights.may_write(user_id, collection.key)


def _checked(data: bytes) -> CalendarObject:
    thing = read_object(data)
    require_expandable(thing, span_of(thing))
    return thing
