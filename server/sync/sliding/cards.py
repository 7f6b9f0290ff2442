"""What the order and the filters of lists must know of rooms, kept small, so that rooms themselves may be forgotten.

A card holds good until the bell says that something has happened in its room.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.rooms.timeline import text_of
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.sliding.card_store import Outline, activities_of, names_of, outlines_of

_KEPT_CARDS: Final = 20_000

# Events that bring a room up in the list of clients (MSC4186, ``bump_stamp``), with the names that are in use.
BUMPING: Final = frozenset({
    "m.room.create", "m.room.message", "m.room.encrypted", "m.sticker", "m.call.invite",
    "m.poll.start", "org.matrix.msc3381.poll.start", "m.beacon_info", "org.matrix.msc3672.beacon_info",
})


class Card(NamedTuple):
    """A room as lists see it, at position ``at``. ``activity`` is the position of its last event.

    ``bump_stamp`` and ``outline`` are ``None`` where nobody has asked for them yet.
    """

    at: int
    activity: int
    bump_stamp: int | None = None
    outline: Outline | None = None


class Cards:
    """The cards of rooms in lists."""

    def __init__(self, database: Database, rooms: Rooms, bell: Bell, positions: StreamPositions) -> None:
        self._database = database
        self._rooms = rooms
        self._bell = bell
        self._positions = positions
        self._cards: OrderedDict[str, Card] = OrderedDict()

    async def of(self, room_ids: Iterable[str], *, outlined: bool) -> dict[str, Card]:
        """Cards of rooms that this node has, with ``outlined`` also with what they are; others are left out."""
        found: dict[str, Card] = {}
        far: list[str] = []
        for room_id in room_ids:
            card = self._cards.get(room_id)
            if card is None or self._bell.last_of_room(room_id) > card.at:
                room = self._rooms.live(room_id)
                card = None if room is None else self.near(room)
            if card is None:
                far.append(room_id)
            else:
                found[room_id] = card
        if far:
            found |= await self._read(far)
        if outlined:
            found |= await self._outlined(found)
        while len(self._cards) > _KEPT_CARDS:
            self._cards.popitem(last=False)
        return found

    async def _read(self, room_ids: list[str]) -> dict[str, Card]:
        now = self._positions.current
        activities = await activities_of(self._database, room_ids)
        cards = {room_id: Card(now, activity) for room_id, activity in activities.items()}
        self._cards |= cards
        return cards

    async def _outlined(self, cards: dict[str, Card]) -> dict[str, Card]:
        """Those of these cards that do not say yet what their room is."""
        bare = [room_id for room_id, card in cards.items() if card.outline is None]
        outlines = await outlines_of(self._database, bare) if bare else {}
        found = {room_id: cards[room_id]._replace(outline=outline) for room_id, outline in outlines.items()}
        self._cards |= found
        return found

    async def names_of(self, room_ids: Iterable[str]) -> dict[str, str]:
        """The names that rooms were given; rooms without one are left out."""
        found: dict[str, str] = {}
        far: list[str] = []
        for room_id in room_ids:
            room = self._rooms.live(room_id)
            if room is None:
                far.append(room_id)
            else:
                found[room_id] = text_of(room.content("m.room.name"), "name")
        return found | (await names_of(self._database, far) if far else {})

    def near(self, room: LiveRoom) -> Card:
        """The card of a room in memory."""
        card = self._cards.get(room.room_id)
        if card is None or card.bump_stamp is None or not self._holds_good(room.room_id):
            card = self._cards[room.room_id] = self._card(room)
        return card

    def bump_stamp(self, room: LiveRoom) -> int:
        """The position of the last event that brings a room up."""
        return self.near(room).bump_stamp or 0

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
        return Card(now, activity or oldest, bump or oldest, Outline(room.room_type, room.is_encrypted))
