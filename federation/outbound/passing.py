"""What is worth telling only now (typing, receipts, presence): in memory, small, and gone with whoever is away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final

Json = dict[str, Any]

# For one destination; the oldest make way.
MOST_WAITING: Final = 1_000
# People in one m.presence.
_MOST_PEOPLE: Final = 100


class Passing:
    """What waits for one destination: of each thing only the latest."""

    def __init__(self) -> None:
        self._typing: OrderedDict[tuple[str, str], Json] = OrderedDict()
        self._receipts: OrderedDict[tuple[str, str, str], Json] = OrderedDict()
        self._presence: OrderedDict[str, Json] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._typing or self._receipts or self._presence)

    def add_typing(self, room_id: str, user_id: str, *, is_typing: bool) -> None:
        """Somebody begins or stops to type."""
        content = {"room_id": room_id, "user_id": user_id, "typing": is_typing}
        _put(self._typing, (room_id, user_id), {"edu_type": "m.typing", "content": content})

    def add_receipt(self, room_id: str, user_id: str, thread_id: str, told: Json) -> None:
        """Somebody has read; ``told`` is ``{"event_ids": [...], "data": {...}}``."""
        _put(self._receipts, (room_id, user_id, thread_id), told)

    def add_presence(self, user_id: str, told: Json) -> None:
        """Somebody is there, or is not."""
        _put(self._presence, user_id, told)

    def take(self, most: int) -> list[Json]:
        """Up to ``most`` messages for one transaction; they are taken out."""
        found: list[Json] = []
        while self._typing and len(found) < most:
            found.append(self._typing.popitem(last=False)[1])
        while self._receipts and len(found) < most:
            found.append(self._take_receipts())
        while self._presence and len(found) < most:
            people = [self._presence.popitem(last=False)[1] for _ in range(min(_MOST_PEOPLE, len(self._presence)))]
            found.append({"edu_type": "m.presence", "content": {"push": people}})
        return found

    def _take_receipts(self) -> Json:
        """One ``m.receipt``: it has place for one receipt of each user in a room."""
        content: dict[str, Json] = {}
        for key in list(self._receipts):
            room_id, user_id, _ = key
            readers = content.setdefault(room_id, {"m.read": {}})["m.read"]
            if user_id not in readers:
                readers[user_id] = self._receipts.pop(key)
        return {"edu_type": "m.receipt", "content": content}


def _put(waiting: OrderedDict[Any, Json], key: Hashable, told: Json) -> None:
    waiting.pop(key, None)
    waiting[key] = told
    if len(waiting) > MOST_WAITING:
        waiting.popitem(last=False)
