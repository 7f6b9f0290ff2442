"""Stamps on circulars: a small word to whoever wrote it, for everybody to see how many have said so. No answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.association.circulars import stamps_store as store
from server.association.circulars.circulars_store import rooms_of
from server.association.circulars.model import State
from server.association.circulars.reader import CircularReader
from server.foundation.errors import Forbidden, InvalidParam, Refused
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database

# What the pages offer; other clients may choose what they like.
STAMPS: Final[Mapping[str, str]] = {"🙏": "ありがとう", "😊": "うれしい", "🎉": "たのしみ", "💪": "てつだいます"}
_MOST_KINDS: Final = 8


@dataclass(frozen=True, slots=True)
class Stamp:
    """One kind of stamp on a circular: how many have put it, and whether the reader is one of them."""

    sign: str
    word: str
    count: int
    is_mine: bool


class Stamps:
    """The verbs of stamps."""

    def __init__(self, database: Database, reader: CircularReader, sender: EventSender) -> None:
        self._database = database
        self._reader = reader
        self._sender = sender

    async def on(self, user_id: str, circular_id: str) -> list[Stamp]:
        """Those that the pages offer, and what others have put, the most frequent first."""
        stamped = await store.stamps_of(self._database, circular_id)
        counts = Counter(sign for sign, _ in {(one.stamp, one.user_id) for one in stamped})
        mine = {one.stamp for one in stamped if one.user_id == user_id}
        others = [sign for sign, _ in counts.most_common() if sign not in STAMPS]
        return [
            Stamp(sign, STAMPS.get(sign, ""), counts[sign], sign in mine)
            for sign in [*STAMPS, *others[: _MOST_KINDS - len(STAMPS)]]
        ]

    async def turn(self, user_id: str, circular_id: str, sign: str, *, is_on: bool) -> None:
        """Put a stamp on a circular, or take one's own back; saying so twice changes nothing.

        Raises ``InvalidParam``, ``NotFound``, ``Refused``.
        """
        if sign not in STAMPS:
            raise InvalidParam("スタンプを ひとつ えらんでください。")
        circular = (await self._reader.one(user_id, circular_id)).circular
        if circular.state is State.WITHDRAWN:
            raise Refused("この回覧は とりさげました。", code="M_BAD_STATE", status=409)
        places = {place.room_id: place for place in await rooms_of(self._database, [circular_id])}
        mine = [one for one in await store.stamps_of(self._database, circular_id)
                if (one.user_id, one.stamp) == (user_id, sign)]
        for room_id, place in places.items():
            room = await self._sender.rooms.get(room_id)
            if room.membership(user_id) != "join":
                continue
            if not is_on:
                await self._take_back(user_id, room_id, mine)
            elif not mine:
                relates = {"rel_type": "m.annotation", "event_id": place.event_id, "key": sign}
                await self._sender.send(Draft(room_id, user_id, "m.reaction", {"m.relates_to": relates}))
            return
        raise Forbidden("この回覧の部屋に入っていません")

    async def _take_back(self, user_id: str, room_id: str, mine: list[store.Stamped]) -> None:
        for one in mine:
            await self._sender.send(Draft(room_id, user_id, "m.room.redaction", {}, redacts=one.event_id))
