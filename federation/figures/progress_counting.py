"""How far this association has come: counted from its own read models, in the name of the node's account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from federation.figures.progress import ACTIVE_DAYS, CIRCULAR_DAYS
from server.association.circulars.model import Circular, Progress, State
from server.association.circulars.reader import CircularReader
from server.association.members.members import Members
from server.foundation.clock import Clock

_DAY_MS: Final = 86_400_000
_MOST_CIRCULARS: Final = 60
_READ: Final = (Progress.SEEN, Progress.OPENED, Progress.ACKNOWLEDGED)


class ProgressCounting:
    """Counts ``residents``, ``registered`` …; names are read here only to be counted."""

    def __init__(
        self, members: Members, circulars: CircularReader, clock: Clock, seen: Callable[[int], Awaitable[set[str]]]
    ) -> None:
        self._members = members
        self._circulars = circulars
        self._clock = clock
        self._seen = seen

    async def count(self) -> dict[str, int]:
        """All figures of ``progress.COLUMNS``."""
        persons = self._members.persons()
        accounts = {person.user_id for person in persons if person.user_id is not None}
        there = await self._seen(self._clock.now_ms() - ACTIVE_DAYS * _DAY_MS)
        counted = {
            "households": len({person.household_id for person in persons}), "residents": len(persons),
            "registered": len(accounts), "active": len(accounts & there), "circulars": 0, "expected": 0, "read": 0,
        }
        for circular in await self._lately() if persons else ():
            reach = (await self._circulars.reach(self._members.node_user_id, circular.id)).persons
            counted["circulars"] += 1
            counted["expected"] += reach.total
            counted["read"] += sum(reach.of(progress) for progress in _READ)
        return counted

    async def _lately(self) -> list[Circular]:
        """The circulars of the last months, the newest first."""
        page = await self._circulars.all(self._members.node_user_id, _MOST_CIRCULARS)
        since = self._clock.now_ms() - CIRCULAR_DAYS * _DAY_MS
        found = [item.circular for item in page.items]
        return [item for item in found if item.created_ts >= since and item.state is not State.WITHDRAWN]
