"""What the order and the filters of lists must know of rooms, kept small, so that rooms themselves may be forgotten.

A card holds good until the bell says that something has happened in its room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.sliding.card_store import outlines_of

_KEPT_CARDS: Final = 20_000

# Events that bring a room up in the list of clients (MSC4186, ``bump_stamp``), with the names that are in use.
BUMPING: Final = frozenset({
    "m.room.create", "m.room.message", "m.room.encrypted", "m.sticker", "m.call.invite",
    "m.poll.start", "org.matrix.msc3381.poll.start", "m.beacon_info", "org.matrix.msc3672.beacon_info",
})


class Card(NamedTuple):
    """A room as lists see it, at position ``at``. ``activity`` is the position of its last event.

    ``bump_stamp`` is ``None`` where nobody has asked for it yet.
    """

    at: int
    activity: int
    bump_stamp: int | None
    room_type: str | None
    is_encrypted: bool


class Cards:
    """The cards of rooms in lists."""

    def __init__(self, database: Database, rooms: Rooms, bell: Bell, positions: StreamPositions) -> None:
        self._database = database
        self._rooms = rooms
        self._bell = bell
        self._positions = positions
        self._cards: OrderedDict[str, Card] = OrderedDict()

    async def of(self, room_ids: Iterable[str]) -> dict[str, Card]:
        """Cards of rooms that this node has; others are left out."""
        wanted = list(room_ids)
        far: list[str] = []
        for room_id in wanted:
            if not self._holds_good(room_id):
                room = self._rooms.live(room_id)
                if room is None:
                    far.append(room_id)
                else:
                    self._cards[room_id] = self._card(room)
        if far:
            now = self._positions.current
            for outline in await outlines_of(self._database, far):
                card = Card(now, outline.activity, None, outline.room_type, outline.is_encrypted)
                self._cards[outline.room_id] = card
        found = {room_id: self._cards[room_id] for room_id in wanted if room_id in self._cards}
        while len(self._cards) > _KEPT_CARDS:
            self._cards.popitem(last=False)
        return found

    def bump_stamp(self, room: LiveRoom) -> int:
        """The position of the last event that brings a room up."""
        card = self._cards.get(room.room_id)
        if card is None or card.bump_stamp is None or not self._holds_good(room.room_id):
            card = self._cards[room.room_id] = self._card(room)
        return card.bump_stamp or 0

    def _holds_good(self, room_id: str) -> bool:
        card = self._cards.get(room_id)
        return card is not None and self._bell.last_of_room(room_id) <= card.at

    def _card(self, room: LiveRoom) -> Card:
        now = self._positions.current
        activity = bump = 0
        for entry in reversed(room.timeline):
            if entry.stream > now:
                continue
            activity = activity or entry.stream
            if entry.event.type in BUMPING:
                bump = entry.stream
                break
        oldest = room.complete_after or (room.timeline[0].stream if room.timeline else 0)
        return Card(now, activity or oldest, bump or oldest, room.room_type, room.is_encrypted)
