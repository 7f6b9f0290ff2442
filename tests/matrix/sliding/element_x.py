"""A device that asks as Element X does."""

from __future__ import annotations

from typing import Any

from tests.builders import Answer, Person

Json = dict[str, Any]

PATH = "unstable/org.matrix.simplified_msc3575/sync"

REQUIRED = [
    ["m.room.name", ""], ["m.room.encryption", ""], ["m.room.member", "$LAZY"], ["m.room.member", "$ME"],
    ["m.room.topic", ""], ["m.room.avatar", ""], ["m.room.canonical_alias", ""], ["m.room.power_levels", ""],
    ["m.room.create", ""], ["m.room.join_rules", ""], ["m.room.history_visibility", ""], ["m.space.child", "*"],
    ["org.matrix.msc3401.call.member", "*"], ["m.room.tombstone", ""], ["m.space.parent", "*"],
    ["org.matrix.msc3672.beacon_info", "*"], ["m.fully_read", ""],
]
ROOM_LIST_EXTENSIONS: Json = {
    "account_data": {"enabled": True}, "receipts": {"enabled": True, "rooms": ["*"]}, "typing": {"enabled": True},
}


def all_rooms(last: int = 19, *, limit: int = 1, state: list[list[str]] = REQUIRED, **filters: Any) -> Json:
    wish: Json = {"ranges": [[0, last]], "timeline_limit": limit, "required_state": state}
    return {"all_rooms": {**wish, "filters": filters} if filters else wish}


def opened(*rooms: str, limit: int = 20, state: list[list[str]] | None = None) -> Json:
    wish = {"timeline_limit": limit, "required_state": [*REQUIRED, ["m.room.pinned_events", ""]]}
    if state is not None:
        wish["required_state"] = state
    return dict.fromkeys(rooms, wish)


class Device:
    """A loop of requests on one connection."""

    def __init__(self, person: Person, conn_id: str = "room-list", **body: Any) -> None:
        self.person = person
        self.pos: str | None = None
        self.body: Json = {"conn_id": conn_id, "lists": all_rooms(), **body}

    async def asks(self, pos: str | None = None, *, timeout: int = 0, **changes: Any) -> Answer:
        """One request, which does not move the position on."""
        self.body |= changes
        query = {"timeout": str(timeout)} | ({"pos": pos} if pos else {})
        return await self.person.post(PATH, self.body, **query)

    async def syncs(self, *, timeout: int = 0, **changes: Any) -> Json:
        """One request, and its answer taken as read."""
        answer = await self.asks(self.pos, timeout=timeout, **changes)
        assert answer.status == 200, answer
        self.pos = answer["pos"]
        body: Json = answer.body
        return body


def texts(room: Json) -> list[str]:
    return [event["content"].get("body", event["type"]) for event in room.get("timeline", [])]


def state_of(room: Json) -> dict[tuple[str, str], Json]:
    return {(event["type"], event["state_key"]): event for event in room["required_state"]}
