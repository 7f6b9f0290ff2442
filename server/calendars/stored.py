"""Calendars whose items are kept in tables: each resident's own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Final

from server.calendars import calendar_store as store
from server.calendars.calendar_object import CalendarObject
from server.calendars.listings import Listing, Listings
from server.calendars.model import (
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
from server.calendars.occurrences import span_of
from server.calendars.personal_properties import PersonalProperties
from server.calendars.refusals import Condition, refuse
from server.calendars.user_cache import UserCache
from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Database, Transaction, Writes

MAX_CALENDARS: Final = 50
MAX_ITEMS: Final = 20_000
_KEY: Final = "own-"
# What everybody finds: without a calendar to write to, some apps make one of their own, others give up.
_FIRST: Final = (("personal", "VEVENT"), ("tasks", "VTODO"))
_NAMES: Final = {"VEVENT": "わたしの手帳", "VTODO": "わたしのやること", "VJOURNAL": "わたしのメモ"}


class StoredCalendars:
    """A ``ports.CalendarBackend``; also makes and removes calendars."""

    def __init__(self, database: Database, properties: PersonalProperties, clock: Clock) -> None:
        self._database = database
        self._properties = properties
        self._clock = clock
        self._homes: UserCache[tuple[Collection, ...]] = UserCache()
        self._listings = Listings()
        # One change of a calendar at a time: what it is decided upon still stands when it is written.
        self._locks = KeyedLocks()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The resident's own; the first two are made when they are first looked for."""
        return await self._homes.get(user_id, lambda: self._load_home(user_id))

    async def create(self, user_id: str, wanted: NewCalendar) -> None:
        """Make a calendar; refuses a name that is taken."""
        require_name(wanted.name)
        async with self._database.write() as tx:
            if await store.calendar_exists(tx, user_id, wanted.name):
                raise refuse(Condition.MUST_BE_NULL, "There is a calendar of that name already", status=405)
            if await store.count_calendars(tx, user_id) >= MAX_CALENDARS:
                raise refuse(Condition.WITHIN_LIMITS, "You have as many calendars as one may have", status=507)
            number = await self._add(tx, user_id, wanted.name, wanted.component)
            await self._properties.change(tx, user_id, f"{_KEY}{number}", wanted.properties)

    async def remove(self, user_id: str, collection: Collection) -> None:
        """Delete a calendar with all that is in it."""
        async with self._locks.hold(_number(collection)), self._database.write() as tx:
            await store.remove_calendar(tx, _number(collection))
            await self._properties.drop(tx, user_id, collection.key)
            tx.after_commit.append(lambda: self._homes.forget(user_id))

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All items."""
        return (await self._listing(collection)).heads

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Items by name."""
        return await store.named(self._database, _number(collection), names)

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return await store.around(self._database, _number(collection), window)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """Changed and gone, in one order."""
        ordered = await self._changes(collection, revision, limit + 1)
        taken, more = ordered[:limit], len(ordered) > limit
        reached = taken[-1][0] if more else max(collection.revision, taken[-1][0] if taken else 0)
        return Changes(
            tuple(thing for _, thing in taken if isinstance(thing, ItemHead)),
            tuple(thing for _, thing in taken if isinstance(thing, str)), reached, more,
        )

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Store the bytes as they were sent."""
        number = _number(collection)
        async with self._locks.hold(number):
            there = await self._standing(user_id, number, name, thing.uid)
            old, revision = there.old, there.revision + 1
            expected.require(old[0] if old else None)
            if old is not None and old[0] == thing.etag:
                return PutResult(False, thing.etag)
            _require_uid_free(name, thing.uid, old, there.other)
            if old is None:
                await self._require_room(number, revision)
            head = ItemHead(name, thing.etag, thing.uid, len(thing.data), self._clock.now_ms(), revision,
                            span_of(thing))
            writes = Writes()
            store.put(writes, number, Item(head, thing.data))
            await self._commit(writes, user_id, {number: revision})
        return PutResult(old is None, thing.etag)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Delete one item."""
        number = _number(collection)
        async with self._locks.hold(number):
            there = await self._standing(user_id, number, name)
            if there.old is None:
                raise NotFound("There is no such entry")
            expected.require(there.old[0])
            revision, writes = there.revision + 1, Writes()
            store.remove(writes, number, name, revision, self._clock.now_ms())
            await self._commit(writes, user_id, {number: revision})

    async def move_item(
        self, user_id: str, source: Collection, name: str, target: Collection, new_name: str, etag: str, *,
        overwrite: bool,
    ) -> PutResult:
        """Move one item, which must still have ``etag``, in one step; its bytes and its ETag stay."""
        here, there = _number(source), _number(target)
        async with self._hold_both(here, there):
            found = await store.named(self._database, here, [name])
            if not found:
                raise NotFound("There is no such entry")
            head = found[0].head
            Expected(frozenset({etag})).require(head.etag)
            source_now = await self._standing(user_id, here, name)
            target_now = await self._standing(user_id, there, new_name, head.uid)
            old, other = target_now.old, target_now.other
            Expected(None, None if overwrite else frozenset("*")).require(old[0] if old else None)
            _require_uid_free(new_name, head.uid, old, None if here == there and other == name else other)
            left, writes = source_now.revision + 1, Writes()
            revision = left + 1 if here == there else target_now.revision + 1
            if old is None:
                await self._require_room(there, revision)
            now = self._clock.now_ms()
            store.remove(writes, here, name, left, now)
            moved = replace(head, name=new_name, modified_ms=now, revision=revision)
            store.put(writes, there, Item(moved, found[0].data))
            await self._commit(writes, user_id, {here: left, there: revision})
        return PutResult(old is None, head.etag)

    @asynccontextmanager
    async def _hold_both(self, here: int, there: int) -> AsyncIterator[None]:
        """The locks of two calendars, in one order for everybody."""
        async with AsyncExitStack() as held:
            for number in sorted({here, there}):
                await held.enter_async_context(self._locks.hold(number))
            yield

    async def _changes(
        self, collection: Collection, revision: int, limit: int
    ) -> Sequence[tuple[int, ItemHead | str]]:
        if revision:
            return await store.changes_after(self._database, _number(collection), revision, limit)
        # Who starts from nothing need not hear of what is gone.
        heads = (await self._listing(collection)).heads
        return sorted(((head.revision, head) for head in heads), key=lambda pair: pair[0])[:limit]

    async def _listing(self, collection: Collection) -> Listing:
        """Everything in the calendar, at ``collection.revision`` or later."""
        number = _number(collection)
        known = self._listings.find(number)
        if known is not None and known.revision >= max(collection.revision, collection.forgotten):
            return known
        if known is None or known.revision < collection.forgotten:
            heads = tuple(await store.heads(self._database, number))
            listing = Listing(max(collection.revision, max((head.revision for head in heads), default=0)), heads)
        else:
            changes = await store.changes_after(self._database, number, known.revision)
            reached = max(collection.revision, changes[-1][0] if changes else 0)
            listing = known.moved_on(reached, [thing for _, thing in changes if isinstance(thing, ItemHead)],
                                     [thing for _, thing in changes if isinstance(thing, str)])
        self._listings.keep(number, listing)
        return listing

    async def _standing(self, user_id: str, number: int, name: str, uid: str = "") -> store.Standing:
        """How a calendar stands; call under its lock."""
        found = await store.standing(self._database, number, name, uid)
        if found is None:
            self._homes.forget(user_id)  # its owner has left, and came back
            raise NotFound("There is no such calendar")
        return found

    async def _commit(self, writes: Writes, user_id: str, reached: Mapping[int, int]) -> None:
        """Write it, and move the calendars on to where they are then."""
        now = self._clock.now_ms()

        def moved_on(home: tuple[Collection, ...]) -> tuple[Collection, ...]:
            return tuple(
                replace(item, revision=reached[_number(item)], modified_ms=now) if _number(item) in reached else item
                for item in home
            )

        writes.after_commit.append(lambda: self._homes.change(user_id, moved_on))
        done = self._database.submit(writes)
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])  # the lock is held until it is known how it stands
            raise

    async def _require_room(self, number: int, revision: int) -> None:
        """No calendar grows without end. Every entry was a change, so young calendars need not be counted."""
        if revision > MAX_ITEMS and await store.count_items(self._database, number) >= MAX_ITEMS:
            raise refuse(Condition.WITHIN_LIMITS, "This calendar is full", status=507)

    async def _add(self, tx: Transaction, user_id: str, name: str, component: str) -> int:
        number = secrets.randbits(52)
        await store.add_calendar(tx, number, user_id, name, component, self._clock.now_ms())
        tx.after_commit.append(lambda: self._homes.forget(user_id))
        return number

    async def _load_home(self, user_id: str) -> tuple[Collection, ...]:
        if not await store.has_home(self._database, user_id):
            await self._make_first(user_id)
        rows = await store.calendars_of(self._database, user_id)
        return tuple(
            Collection(f"{_KEY}{number}", name, Kind.PERSONAL, component, _NAMES[component], revision, forgotten,
                       owner=user_id, modified_ms=changed_ms)
            for number, name, component, revision, forgotten, changed_ms in rows
        )

    async def _make_first(self, user_id: str) -> None:
        async with self._database.write() as tx:
            if await store.open_home(tx, user_id, self._clock.now_ms()):
                for name, component in _FIRST:
                    await self._add(tx, user_id, name, component)


def _require_uid_free(name: str, uid: str, old: tuple[str, str] | None, other: str | None) -> None:
    """RFC 4791 section 5.3.2.1, ``no-uid-conflict``."""
    if old is not None and old[1] == uid:
        return
    if old is not None or other is not None:
        raise refuse(Condition.UID_CONFLICT, "Another entry has this UID", status=409, names=(other or name,))


def _number(collection: Collection) -> int:
    return int(collection.key.removeprefix(_KEY))
