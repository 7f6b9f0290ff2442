"""What a client says on the board where officers want to see it first: taken out of the room, and into their queue."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Final

from server.association.board.contents import notice_content
from server.association.members.members import Members
from server.association.members.model import Purpose
from server.foundation.errors import Refused
from server.rooms.send_event import Draft, EventSender

LOOK: Final = "役員のつくえの「掲示板と写真」を見てください。"
_REASON: Final = "役員が確認してから出します"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits: it stands in the queue already, and still in the room."""

    room_id: str
    event_id: str
    author: str
    title: str


async def hold_back(members: Members, sender: EventSender, held: Held) -> None:
    """Take it out of the room, and tell its author and the officers."""
    node = members.node_user_id
    content = {"reason": _REASON}
    with contextlib.suppress(Refused):  # its author was faster
        await sender.send(Draft(held.room_id, node, "m.room.redaction", dict(content), redacts=held.event_id))
    person = members.person_of_user(held.author)
    told = [
        (None if person is None else members.desk_room_of(person.id),
         f"【掲示板】「{held.title}」は、役員が確認してから掲示板に出ます。"),
        (members.hall_room(Purpose.RECEPTION), f"【掲示板】確認を待っている投稿があります。{LOOK}"),
    ]
    for room_id, text in told:
        if room_id is not None:
            await sender.send(Draft(room_id, node, "m.room.message", notice_content(text)))
