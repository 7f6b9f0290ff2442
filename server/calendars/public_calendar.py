"""The city's public calendar (市の予定): read-only, put in place of the one before from an .ics file."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from icalendar import Calendar

from server.calendars import calendar_store as store
from server.calendars.calendar_object import CalendarObject, read_object
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, Kind, PutResult, Window
from server.calendars.occurrences import require_expandable, span_of
from server.calendars.refusals import CalendarRefused, refuse_rights
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam
from server.storage.database import Database, Transaction

PUBLIC: Final = "public"
# No account is called so.
_OWNER: Final = "public"
MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ENTRIES: Final = 2_000
_UNREADABLE: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


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

        Raises ``InvalidParam`` where it is no calendar.
        """
        if len(data) > MAX_BYTES:
            raise InvalidParam("ファイルが大きすぎます")
        found, bad = await asyncio.to_thread(read_entries, data)
        async with self._turn:
            await self._replace({item.uid: item for item in found})
        return len(found), bad

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection, if there is anything in it."""
        if not self._is_loaded:
            async with self._turn:
                await self._load()
        if self._known is None:
            return ()
        return (Collection(PUBLIC, PUBLIC, Kind.SHARED, "VEVENT", "市の予定", self._known[1], color="#455A64FF"),)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All entries."""
        return await store.heads(self._database, self._number)

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Entries by name."""
        found: list[Item] = []
        for start in range(0, len(names), 400):
            found += await store.named(self._database, self._number, names[start:start + 400])
        return found

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

    async def _replace(self, wanted: dict[str, CalendarObject]) -> None:
        await self._load()
        async with self._database.write() as tx:
            number = self._known[0] if self._known is not None else await self._add(tx)
            there = {head.uid: head for head in await store.heads(self._database, number)}
            for uid in there.keys() - wanted.keys():
                await store.remove(tx, number, there[uid].name, await self._next(tx, number))
            for uid, thing in wanted.items():
                if uid not in there or there[uid].etag != thing.etag:
                    await store.put(tx, number, self._item(thing, await self._next(tx, number)))
            revision = await self._next(tx, number)
            tx.after_commit.append(lambda: setattr(self, "_known", (number, revision)))

    def _item(self, thing: CalendarObject, revision: int) -> Item:
        name = f"{hashlib.sha256(thing.uid.encode()).hexdigest()[:24]}.ics"
        head = ItemHead(name, thing.etag, thing.uid, len(thing.data), self._clock.now_ms(), revision, span_of(thing))
        return Item(head, thing.data)

    async def _add(self, tx: Transaction) -> int:
        number = secrets.randbits(52)
        await store.add_calendar(tx, number, _OWNER, PUBLIC, "VEVENT", self._clock.now_ms())
        return number

    async def _next(self, tx: Transaction, number: int) -> int:
        return await store.next_revision(tx, number, self._clock.now_ms()) or 0


def read_entries(data: bytes) -> tuple[list[CalendarObject], int]:
    """The entries of a file, each as an object of its own, and how many cannot be kept; CPU-bound."""
    try:
        calendar = Calendar.from_ical(data)
    except _UNREADABLE:
        raise InvalidParam("カレンダーのファイル（.ics）として読めませんでした") from None
    by_uid: dict[str, list[object]] = {}
    for part in calendar.walk("VEVENT"):
        by_uid.setdefault(str(part.get("UID", "")), []).append(part)
    if not by_uid or len(by_uid) > MAX_ENTRIES:
        raise InvalidParam(f"予定がないか、{MAX_ENTRIES}より多くあります")
    zones = calendar.walk("VTIMEZONE")
    found = [thing for parts in by_uid.values() if (thing := _object(zones, parts)) is not None]
    return found, len(by_uid) - len(found)


def _object(zones: Iterable[object], parts: Iterable[object]) -> CalendarObject | None:
    alone = Calendar()
    alone.add("VERSION", "2.0")
    alone.add("PRODID", "-//Kairan//Public//JA")
    for part in (*zones, *parts):
        alone.add_component(part)  # type: ignore[arg-type]
    try:
        thing = read_object(alone.to_ical())
        require_expandable(thing, span_of(thing))
    except (CalendarRefused, *_UNREADABLE):
        return None
    return thing
