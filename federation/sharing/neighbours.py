"""What residents find of the neighbours: their gatherings, hazard reports, facilities. Only of shares in force."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from federation.sharing import things_store
from federation.sharing.book import ShareBook
from federation.sharing.contents import FarFacility, FarGathering, read_far_facility, read_gathering
from federation.sharing.hazards import FarHazard, read_hazard
from federation.sharing.model import Kind, Share
from federation.sharing.things_store import Taken
from server.foundation.errors import NotFound, Refused

logger = logging.getLogger(__name__)

T = TypeVar("T")
_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class Of(Generic[T]):
    """Something of a neighbour."""

    share: Share
    thing: T
    received_ts: int


class Neighbours:
    """Reads what was taken."""

    def __init__(self, book: ShareBook) -> None:
        self._book = book

    async def gatherings(self, since_ms: int) -> list[Of[FarGathering]]:
        """Their gatherings that are not all over at ``since_ms``, soonest first."""
        found = await self._all(Kind.GATHERING, read_gathering)
        ahead = [item for item in found if any(end >= since_ms for _, end in item.thing.times)]
        return sorted(ahead, key=lambda item: min(start for start, end in item.thing.times if end >= since_ms))

    async def hazards(self) -> list[Of[FarHazard]]:
        """Their hazard reports, the newest first."""
        found = await self._all(Kind.HAZARD, read_hazard)
        return sorted(found, key=lambda item: -item.thing.reported_ms)

    async def hazard(self, room_id: str, thing_id: str) -> Of[FarHazard]:
        """One report; raises ``NotFound``."""
        for item in await self._all(Kind.HAZARD, read_hazard):
            if (item.share.room_id, item.thing.id) == (room_id, thing_id):
                return item
        raise NotFound("その知らせはありません")

    async def facilities(self) -> list[Of[FarFacility]]:
        """Their facilities, by neighbour and name; only those that were agreed."""
        found = await self._all(Kind.FACILITY, read_far_facility)
        opened = [item for item in found if item.share.taken.opens(item.thing.facility.id)]
        return sorted(opened, key=lambda item: (item.share.begun_ts, item.thing.facility.name))

    async def _all(self, kind: Kind, read: Callable[[str, Mapping[str, Any]], T]) -> list[Of[T]]:
        shares = {share.room_id: share for share in self._book.in_force(kind.subject)}
        if not shares:
            return []
        rows = await things_store.taken_of(self._book.database, kind.value, shares)
        read_ones = ((row, _readable(row, read)) for row in rows)
        return [Of(shares[row.room_id], thing, row.received_ts) for row, thing in read_ones if thing is not None]


def _readable(row: Taken, read: Callable[[str, Mapping[str, Any]], T]) -> T | None:
    try:
        return read(row.id, row.value)
    except _UNREADABLE:
        logger.warning("a thing of a neighbour that was kept can no longer be read")
        return None
