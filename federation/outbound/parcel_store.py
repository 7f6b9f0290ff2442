"""Tables ``outbox`` and ``events`` together: what a destination is to get next, as it goes out."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Integer, bindparam, select

from server.outbox.outbox_store import Parcel, outbox
from server.rooms.event_store import events
from server.storage.database import Database

_NEXT: Final = (
    select(outbox, events.c.json.label("event"))
    .select_from(outbox.outerjoin(events, events.c.event_id == outbox.c.event_id))
    .where(outbox.c.destination == bindparam("to"))
    .order_by(outbox.c.urgent.desc(), outbox.c.position).limit(bindparam("most", type_=Integer))
)


class Item(NamedTuple):
    """One thing on its way, and its JSON; ``None`` where it has no meaning any more."""

    parcel: Parcel
    json: bytes | None

    @property
    def is_event(self) -> bool:
        """Whether it is an event of a room."""
        return self.parcel.event_id is not None


async def next_items(database: Database, destination: str, most: int) -> list[Item]:
    """What a destination is to get next: what is urgent first, else in order."""
    rows = await database.fetch_all(_NEXT, {"to": destination, "most": most})
    found = []
    for row in rows:
        whole = None if row.json is None else bytes(row.json)
        parcel = Parcel(row.destination, row.position, bool(row.urgent), row.event_id, whole)
        found.append(Item(parcel, whole if row.event_id is None else None if row.event is None else bytes(row.event)))
    return found
