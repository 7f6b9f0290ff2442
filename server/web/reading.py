"""What is shown on a page has been seen: the same receipt as a Matrix client sends. Reading is not answering."""

from __future__ import annotations

from server.association.members.model import Person
from server.rooms.receipts import READ
from server.web.visit import Visit


async def mark_desk_read(visit: Visit, person: Person) -> None:
    """The resident has seen what stands in their 窓口."""
    room_id = visit.services.members.desk_room_of(person.id)
    if room_id is not None:
        await mark_room_read(visit, room_id)


async def mark_room_read(visit: Visit, room_id: str) -> None:
    """Who is logged in has seen a room up to its newest event, as far as they are in it."""
    room = await visit.services.node.rooms.find(room_id)
    if room is None or not room.timeline or room.membership(visit.user_id) != "join":
        return
    await visit.services.node.receipts.send(room_id, visit.user_id, READ, room.timeline[-1].event.event_id)
