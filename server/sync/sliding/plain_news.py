"""News that are the same for everybody who was equally far: some messages, and nothing else.

So it is nearly always when somebody is woken, and hundreds are woken by one message. What they are told is made once;
only the number of what each has not read is their own.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, NamedTuple

import orjson

from server.rooms.live_room import LiveRoom
from server.sync.room_section import with_membership
from server.sync.sent_members import SentMembers
from server.sync.sliding.cards import Cards
from server.sync.tokens import SyncToken

Json = dict[str, Any]

_KEPT: Final = 64


class PlainNews(NamedTuple):
    """What is new in a room between two positions.

    ``speakers`` are the senders as bits, ``apart`` the users who see one of the events otherwise than all others do.
    """

    first: int
    shown: Json
    timeline: list[orjson.Fragment]
    event_ids: frozenset[str]
    senders: frozenset[str]
    speakers: int
    apart: frozenset[str]


class PlainNewsMaker:
    """Makes plain news, and keeps them for a moment."""

    def __init__(self, cards: Cards, numbers: SentMembers) -> None:
        self._cards = cards
        self._numbers = numbers
        self._made: OrderedDict[tuple[str, int, int, int], PlainNews | None] = OrderedDict()

    def of(self, room: LiveRoom, after: int, until: int, limit: int) -> PlainNews | None:
        """The news with ``after < stream <= until``; ``None`` where there are more than ``limit`` or other events."""
        key = (room.room_id, after, until, limit)
        if key in self._made:
            return self._made[key]
        made = self._made[key] = self._make(room, after, until, limit)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    def _make(self, room: LiveRoom, after: int, until: int, limit: int) -> PlainNews | None:
        entries = room.entries_after(after, until)
        if not entries or len(entries) > limit:
            return None
        if any(entry.event.state_key is not None or entry.event.type == "m.room.redaction" for entry in entries):
            return None
        shown: Json = {"limited": False, "prev_batch": str(SyncToken(after)), "num_live": len(entries)}
        stamp = self._cards.bump_stamp(room)
        if stamp > after:
            shown["bump_stamp"] = stamp
        # Who knows the room already was in it all the time.
        timeline = [orjson.Fragment(with_membership(entry.sync_bytes(), b"join")) for entry in entries]
        senders = frozenset(entry.event.sender for entry in entries)
        return PlainNews(
            entries[0].stream, shown, timeline,
            frozenset(entry.event.event_id for entry in entries), senders, self._numbers.mask(room.room_id, senders),
            senders.union(*(entry.participants for entry in entries if entry.participants)),
        )
