"""The neighbours' gatherings as one calendar that residents read in their calendar apps; nobody writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Final

from federation.sharing.book import ShareBook
from federation.sharing.contents import FarGathering
from federation.sharing.model import Subject
from federation.sharing.neighbours import Neighbours, Of
from server.calendars.appointments import RenderedEntries
from server.calendars.model import Changes, Collection, Item, Kind
from server.calendars.ports import Gathering, GatheringDraft
from server.calendars.refusals import Condition, refuse
from server.foundation.clock import tokyo_time

KEY: Final = "neighbours"
_PAST_MS: Final = 31 * 86_400_000
_MOST: Final = 500

# Opens what is shared, where anything is.
Opener = Callable[[], Awaitable[tuple[ShareBook, Neighbours] | None]]


class NeighbourCalendar:
    """A ``whole.WholeSource`` of one collection, as long as a neighbour shares its calendar."""

    def __init__(self, opener: Opener) -> None:
        self._open = opener
        self._rendered = RenderedEntries()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection."""
        opened = await self._open()
        if opened is None or not opened[0].in_force(Subject.CALENDAR):
            return ()
        return (Collection(KEY, KEY, Kind.SHARED, "VEVENT", "近所の町会の行事", opened[0].position, color="#00796BFF"),)

    async def all_items(self, collection: Collection) -> list[Item]:
        """All times of all gatherings."""
        opened = await self._open()
        if opened is None:
            return []
        book, neighbours = opened
        since = book.clock.now_ms() - _PAST_MS
        times = [(span, found) for found in await neighbours.gatherings(since) for span in found.thing.times]
        soonest = sorted(times, key=lambda pair: pair[0])[:_MOST]
        return self._rendered.all_of(_entry(found, span) for span, found in soonest)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """From nothing, or nothing new; whoever knows an older position begins anew, for it is not kept what was."""
        if revision == collection.revision:
            return Changes((), (), revision, False)
        if revision:
            raise refuse(Condition.VALID_SYNC_TOKEN, "The sync token is no longer known; start anew")
        heads = tuple(item.head for item in await self.all_items(collection))
        return Changes(heads, (), collection.revision, False)


def _entry(found: Of[FarGathering], span: tuple[int, int]) -> Gathering:
    thing, start = found.thing, span[0]
    seed = f"{found.share.room_id}\n{thing.id}\n{start}".encode()
    name = hashlib.sha256(seed).hexdigest()[:24]
    first, last = _moments(thing, span)
    draft = GatheringDraft(
        f"{name}@neighbours", f"{thing.title}（{found.share.name}）", first, last, thing.place, "",
        cancelled=thing.is_cancelled,
    )
    # The position says nothing here: see ``changes_since``.
    return Gathering(f"{name}.ics", draft, 0, found.received_ts, found.received_ts, 0)


def _moments(thing: FarGathering, span: tuple[int, int]) -> tuple[date | datetime, date | datetime]:
    start, end = (tokyo_time(item) for item in span)
    return (start.date(), end.date()) if thing.is_all_day and end.date() > start.date() else (start, end)
