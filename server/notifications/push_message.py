"""What a push gateway is told (spec: Push Gateway API, "Homeserver behaviour")."""

from __future__ import annotations

from typing import Any, Final

from server.notifications.notified_store import Told
from server.notifications.push_bell import PushParts
from server.notifications.pusher_store import Pusher
from server.notifications.unread import thread_of
from server.rooms.event_store import entry_of
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

Json = dict[str, Any]

EVENT_ID_ONLY: Final = "event_id_only"
# What is older is no news any more.
_STALE_MS: Final = 86_400_000
_URGENT: Final = ("m.room.encrypted", "m.call.invite")


class Messages:
    """Finds what there is to say of an event."""

    def __init__(self, parts: PushParts) -> None:
        self._parts = parts

    async def find(self, pusher: Pusher, told: Told) -> tuple[LiveRoom, Entry] | None:
        """The event, unless there is no sense any more in telling it: read, redacted, or of yesterday."""
        room = await self._parts.rooms.find(told.room_id)
        if room is None:
            return None
        entry = room.find(told.event_id) or await entry_of(self._parts.database, room, told.event_id)
        if entry is None or entry.redacted_because is not None:
            return None
        if self._parts.clock.now_ms() - entry.event.origin_server_ts > _STALE_MS:
            return None
        return None if await self._is_read(pusher.key.user_id, entry, told) else (room, entry)

    async def _is_read(self, user_id: str, entry: Entry, told: Told) -> bool:
        read = (await self._parts.receipts.book(told.room_id)).positions_of(user_id)
        return told.stream <= max(read.get("", 0), read.get(thread_of(entry.event), 0))


def about(pusher: Pusher, told: Told, room: LiveRoom, entry: Entry, badge: int) -> Json:
    """The notification of an event."""
    event, tweaks = entry.event, told.outcome.tweaks()
    urgent = event.type in _URGENT or bool(tweaks.get("highlight") or tweaks.get("sound"))
    said: Json = {
        "event_id": event.event_id, "room_id": event.room_id, "prio": "high" if urgent else "low",
        "counts": _counts(badge), "devices": [_device(pusher, tweaks)],
    }
    if pusher.data.get("format") != EVENT_ID_ONLY:
        said |= _in_full(pusher, room, entry)
    return {"notification": said}


def number_only(pusher: Pusher, badge: int) -> Json:
    """The notification that the number of unread messages has changed."""
    return {"notification": {"counts": _counts(badge), "prio": "low", "devices": [_device(pusher, {})]}}


def _counts(badge: int) -> Json:
    return {"unread": badge} if badge else {}


def _device(pusher: Pusher, tweaks: Json) -> Json:
    return {
        "app_id": pusher.key.app_id, "pushkey": pusher.key.pushkey, "pushkey_ts": pusher.set_ts // 1000,
        "data": {name: value for name, value in pusher.data.items() if name != "url"}, "tweaks": tweaks,
    }


def _in_full(pusher: Pusher, room: LiveRoom, entry: Entry) -> Json:
    event = entry.event
    alias = _text(room, "m.room.canonical_alias", "alias")
    said: Json = {
        # How the first clients knew event_id; suites look for it still.
        "id": event.event_id, "type": event.type, "sender": event.sender, "content": event.content,
        "room_name": _text(room, "m.room.name", "name") or alias, "room_alias": alias,
        "sender_display_name": _display_name(room, event.sender),
    }
    if event.type == "m.room.member":
        said["user_is_target"] = event.state_key == pusher.key.user_id
    return {name: value for name, value in said.items() if value is not None}


def _display_name(room: LiveRoom, user_id: str) -> str | None:
    member = room.member(user_id)
    name = member.content.get("displayname") if member is not None else None
    return name if isinstance(name, str) and name else None


def _text(room: LiveRoom, kind: str, name: str) -> str | None:
    value = room.content(kind).get(name)
    return value if isinstance(value, str) and value else None
