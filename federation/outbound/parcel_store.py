"""Tables ``outbox`` and ``events`` together: what a destination is to get next, as it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, bindparam, select

from server.foundation.tasks import Tasks
from server.outbox.outbox_store import Parcel, outbox
from server.rooms.event_store import events
from server.storage.database import Database

_NEXT: Final = (
    select(outbox, events.c.json.label("event"))
    .select_from(outbox.outerjoin(events, events.c.event_id == outbox.c.event_id))
    .where(outbox.c.destination == bindparam("to"))
    .order_by(outbox.c.urgent.desc(), outbox.c.position).limit(bindparam("most", type_=Integer))
)

# Whose things lie in memory together.
_TOGETHER: Final = 32


class Item(NamedTuple):
    """One thing on its way, and its JSON; ``None`` where it has no meaning any more."""

    parcel: Parcel
    json: bytes | None

    @property
    def is_event(self) -> bool:
        """Whether it is an event of a room."""
        return self.parcel.event_id is not None


class NextItems:
    """What destinations are to get next. Those that ask in the same moment (a word to 240 servers) cost one look."""

    def __init__(self, database: Database, tasks: Tasks, most: int) -> None:
        self._database = database
        self._tasks = tasks
        self._most = most
        self._asked: list[tuple[str, asyncio.Future[list[Item]]]] = []

    def of(self, destination: str) -> Awaitable[list[Item]]:
        """What is urgent first, else in order."""
        told: asyncio.Future[list[Item]] = asyncio.get_running_loop().create_future()
        self._asked.append((destination, told))
        if len(self._asked) == 1:
            self._tasks.start("a look into the outbox", self._look())
        return told

    async def _look(self) -> None:
        # A task begins when those that were ready before it have run: whoever was woken in the same moment has asked.
        asked, self._asked = self._asked, []
        for start in range(0, len(asked), _TOGETHER):
            part = asked[start:start + _TOGETHER]
            try:
                found = await self._database.fetch_each(_NEXT, [{"to": name, "most": self._most} for name, _ in part])
            except Exception as fault:
                for _, told in asked[start:]:
                    if not told.done():
                        told.set_exception(fault)
                return
            for (_, told), rows in zip(part, found, strict=True):
                if not told.done():
                    told.set_result([_as_item(row) for row in rows])


def _as_item(row: Any) -> Item:
    whole = None if row.json is None else bytes(row.json)
    parcel = Parcel(row.destination, row.position, bool(row.urgent), row.event_id, whole)
    return Item(parcel, whole if row.event_id is None else None if row.event is None else bytes(row.event))
