"""What passes: who types, who has read, who is there (spec, "Pushing ephemeral data")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.accounts.presence import Presences
from server.application_services.interest import NOW, Interest
from server.application_services.news_store import RoomReceipt
from server.application_services.service import Service
from server.rooms.receipts import READ_PRIVATE, receipt_content
from server.rooms.typing import Typing

Json = dict[str, Any]


class Ephemeral:
    """What one service has not heard of yet. Typing and presence are in memory only, as they are everywhere here."""

    def __init__(self, service: Service, interest: Interest, typing: Typing, presence: Presences) -> None:
        self._service = service
        self._interest = interest
        self._typing = typing
        self._presence = presence
        self._typed: set[str] = set()
        self._seen: set[str] = set()

    def typing_changed(self, room_id: str) -> None:
        """The typists of a room are others now."""
        self._typed.add(room_id)

    def presence_changed(self, user_id: str) -> None:
        """Somebody has come or gone."""
        self._seen.add(user_id)

    async def take(self, receipts: Sequence[RoomReceipt]) -> list[Json]:
        """Everything that is new, these receipts first. What is taken is not told again."""
        found = await self._receipts(receipts)
        typed, self._typed = self._typed, set()
        seen, self._seen = self._seen, set()
        for room_id in sorted(typed):
            if not await self._interest.wants_room(room_id, NOW):
                continue
            content = {"user_ids": self._typing.in_room(room_id)}
            found.append({"type": "m.typing", "room_id": room_id, "content": content})
        wanted = [user_id for user_id in sorted(seen) if await self._interest.wants_person(user_id)]
        return found + [shown for user_id in wanted if (shown := self._presence_of(user_id)) is not None]

    async def _receipts(self, receipts: Sequence[RoomReceipt]) -> list[Json]:
        by_room: dict[str, list[RoomReceipt]] = {}
        for item in receipts:
            if item.receipt.type != READ_PRIVATE or self._service.owns_user(item.receipt.user_id):
                by_room.setdefault(item.room_id, []).append(item)
        return [
            {"type": "m.receipt", "room_id": room_id, "content": receipt_content([item.receipt for item in items])}
            for room_id, items in by_room.items()
            if await self._interest.wants_room(room_id, items[0].stream)
        ]

    def _presence_of(self, user_id: str) -> Json | None:
        presence = self._presence.get(user_id)
        if presence is None:
            return None
        content: Json = {"presence": presence.state, "currently_active": presence.is_active}
        if presence.idle_ms is not None:
            content["last_active_ago"] = presence.idle_ms
        if presence.message is not None:
            content["status_msg"] = presence.message
        return {"type": "m.presence", "sender": user_id, "content": content}
