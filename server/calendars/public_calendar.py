"""The city's public calendar (市のカレンダー): read-only, put in place of the one before from an .ics file."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from server.calendars import calendar_store as store
from server.calendars.calendar_object import CalendarObject
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, Kind, PutResult, Window
from server.calendars.occurrences import span_of
from server.calendars.public_entries import read_changed, taken_apart
from server.calendars.refusals import refuse_rights
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam
from server.storage.database import Database, Writes

PUBLIC: Final = "public"
# No account is called so.
_OWNER: Final = "public"
# So many are read, and written, before others have their turn.
_AT_ONCE: Final = 50


class PublicCalendar:
    """A ``ports.CalendarBackend`` with one collection, once something was taken in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[int, int] | None = None
        self._is_loaded = False
        self._turn = asyncio.Lock()

    async def take_in(self, data: bytes) -> tuple[int, int]:
        """Put the entries of a file in place of those before; answers how many, and how many make no sense.

        Raises ``InvalidParam`` where it is no calendar, or nothing of it makes sense.
        """
        entries = await asyncio.to_thread(taken_apart, data)
        async with self._turn:
            await self._load()
            there = {} if self._known is None else {
                head.uid: head for head in await store.heads(self._database, self._number)}
            found, bad = await _read(entries, {uid: head.etag for uid, head in there.items()})
            if len(bad) == len(entries):
                raise InvalidParam("カレンダーのファイル（.ics）として読めませんでした")
            # An entry that makes no sense any more takes the place of nothing.
            gone = [there[uid].name for uid in there.keys() - entries.keys()]
            await self._write(found, gone)
        return len(entries) - len(bad), len(bad)

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection, if there is anything in it."""
        if not self._is_loaded:
            async with self._turn:
                await self._load()
        if self._known is None:
            return ()
        return (Collection(PUBLIC, PUBLIC, Kind.SHARED, "VEVENT", "市のカレンダー", self._known[1], color="#455A64FF"),)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All entries."""
        return await store.heads(self._database, self._number)

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Entries by name."""
        return await store.named(self._database, self._number, names)

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return await store.around(self._database, self._number, window)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        ordered = await store.changes_after(self._database, self._number, revision, limit + 1)
        taken, more = ordered[:limit], len(ordered) > limit
        reached = taken[-1][0] if more else max(collection.revision, taken[-1][0] if taken else 0)
        return Changes(
            tuple(thing for _, thing in taken if isinstance(thing, ItemHead)),
            tuple(thing for _, thing in taken if isinstance(thing, str) and revision), reached, more,
        )

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """The city's entries are the city's."""
        raise refuse_rights()

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Nothing is removed here."""
        raise refuse_rights()

    @property
    def _number(self) -> int:
        assert self._known is not None
        return self._known[0]

    async def _load(self) -> None:
        for number, _name, _component, revision, *_ in await store.calendars_of(self._database, _OWNER):
            self._known = (number, revision)
        self._is_loaded = True

    async def _write(self, changed: Sequence[CalendarObject], gone: Sequence[str]) -> None:
        number, revision = self._known or await self._add()
        works: list[CalendarObject | str] = [*gone, *changed]
        for start in range(0, len(works), _AT_ONCE):
            writes = Writes()
            for work in works[start:start + _AT_ONCE]:
                revision += 1
                if isinstance(work, str):
                    store.remove(writes, number, work, revision, self._clock.now_ms())
                else:
                    store.put(writes, number, self._item(work, revision))
            await asyncio.shield(self._database.submit(writes))
            self._known = number, revision

    def _item(self, thing: CalendarObject, revision: int) -> Item:
        name = f"{hashlib.sha256(thing.uid.encode()).hexdigest()[:24]}.ics"
        head = ItemHead(name, thing.etag, thing.uid, len(thing.data), self._clock.now_ms(), revision, span_of(thing))
        return Item(head, thing.data)

    async def _add(self) -> tuple[int, int]:
        number = secrets.randbits(52)
        async with self._database.write() as tx:
            await store.add_calendar(tx, number, _OWNER, PUBLIC, "VEVENT", self._clock.now_ms())
        self._known = number, 1
        return self._known


async def _read(entries: Mapping[str, bytes], known: Mapping[str, str]) -> tuple[list[CalendarObject], set[str]]:
    found: list[CalendarObject] = []
    bad: set[str] = set()
    pairs = list(entries.items())
    for start in range(0, len(pairs), _AT_ONCE):
        things, senseless = await asyncio.to_thread(read_changed, dict(pairs[start:start + _AT_ONCE]), known)
        found += things
        bad |= senseless
    return found, bad
