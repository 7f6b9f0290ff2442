"""Everybody's own calendar 「わたしの予定」: what somebody said yes to, has booked, has to do. Read-only.

It is put together from sources, each of which answers from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from server.calendars.appointments import RenderedEntries, told_since
from server.calendars.model import Changes, Collection, Item, Kind
from server.calendars.ports import Gathering

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
    """A ``whole.WholeSource``. ``place_of`` answers what the entries follow from beside the sources (the
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

    async def all_items(self, collection: Collection) -> list[Item]:
        """Everything; a booking is changed in the calendar of what is booked."""
        found = [await source.entries(collection.owner) for source in self._sources]
        return self._rendered.all_of(entry for entries in found for entry in entries)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        gone = [pair for source in self._sources for pair in await source.gone_since(collection.owner, revision - 1)]
        return told_since(await self.all_items(collection), gone, revision, limit, collection.revision)
