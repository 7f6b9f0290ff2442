"""Everybody's own calendar 「わたしの予定」: what somebody said yes to, has booked, has to do. Read-only.

It is put together from sources, each of which answers from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.calendar_object import CalendarObject
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, Kind, PutResult, Window
from server.calendars.ports import Gathering
from server.calendars.refusals import refuse_rights

MINE: Final = "mine"


class MineSource(Protocol):
    """One kind of things that concern a person."""

    async def revision(self, user_id: str) -> int:
        """Position of the last change of anything of this kind for an account, in the node's order of events."""

    async def entries(self, user_id: str) -> Iterable[Gathering]:
        """What concerns an account; names must not meet those of other kinds."""

    async def gone_since(self, user_id: str, revision: int) -> Iterable[tuple[int, str]]:
        """Position and name of what concerns it no more; naming too much does no harm."""


class MineCalendar:
    """A ``ports.CalendarBackend``. ``place_of`` answers what the entries follow from beside the sources (the
    household of the account), or ``None`` for who is not on the roster: where it changes, apps begin anew.
    """

    def __init__(self, sources: Sequence[MineSource], place_of: Callable[[str], str | None]) -> None:
        self._sources = sources
        self._place_of = place_of
        self._rendered = RenderedEntries()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection."""
        place = self._place_of(user_id)
        if place is None:
            return ()
        revision = max([await source.revision(user_id) for source in self._sources])
        return (Collection(f"{MINE}-{place}", MINE, Kind.SHARED, "VEVENT", "わたしの予定", revision + 1, owner=user_id,
                           color="#6A1B9AFF"),)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """Everything."""
        return [item.head for item in await self._items(collection)]

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Entries by name."""
        by_name = {item.head.name: item for item in await self._items(collection)}
        return [by_name[name] for name in names if name in by_name]

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return [item for item in await self._items(collection) if window.may_meet(item.head.span)]

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        gone = [pair for source in self._sources for pair in await source.gone_since(collection.owner, revision - 1)]
        return told_since(await self._items(collection), gone, revision, limit, collection.revision)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Nothing is written here: a booking is changed in the calendar of what is booked."""
        raise refuse_rights()

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Nothing is removed here."""
        raise refuse_rights()

    async def _items(self, collection: Collection) -> list[Item]:
        found = [await source.entries(collection.owner) for source in self._sources]
        return self._rendered.all_of(entry for entries in found for entry in entries)
