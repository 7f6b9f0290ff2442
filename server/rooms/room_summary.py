"""What is told of a room to somebody who is not in it, and who may be told (spec: ``RoomSummary``, "Spaces")."""

from __future__ import annotations

from typing import Any, Final

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.rooms import Rooms
from server.rooms.timeline import text_of

Json = dict[str, Any]

_SHOWN: Final = (
    "m.room.create", "m.room.name", "m.room.avatar", "m.room.topic", "m.room.join_rules", "m.room.canonical_alias",
    "m.room.encryption",
)
# Of what other servers tell of a room: what is a text there.
_TEXTS: Final = (
    "name", "topic", "avatar_url", "canonical_alias", "encryption", "room_type", "room_version", "join_rule",
)
_PREVIEWED_RULES = ("public", "knock", "knock_restricted")


# Part of a summary, but not of the public list; matrix-nio can read no list with more than the specification names.
_UNPUBLISHED: Final = frozenset({"room_version", "encryption", "allowed_room_ids"})


def published(room: LiveRoom) -> Json:
    """A room as the public list shows it (spec: ``PublishedRoomsChunk``)."""
    return {name: value for name, value in summary_of(room).items() if name not in _UNPUBLISHED}


def summary_of(room: LiveRoom) -> Json:
    """A room as its summary and spaces show it. Texts that are no texts are left out."""
    told: Json = {
        "room_id": room.room_id,
        "num_joined_members": len(room.joined),
        "world_readable": room.history_visibility == "world_readable",
        "guest_can_join": room.content("m.room.guest_access").get("guest_access") == "can_join",
        "join_rule": room.join_rule,
        "room_version": room.version.name,
    }
    for name, kind, key in (
        ("name", "m.room.name", "name"), ("topic", "m.room.topic", "topic"), ("avatar_url", "m.room.avatar", "url"),
        ("canonical_alias", "m.room.canonical_alias", "alias"), ("encryption", "m.room.encryption", "algorithm"),
    ):
        text = text_of(room.content(kind), key)
        if text:
            told[name] = text
    if room.room_type is not None:
        told["room_type"] = room.room_type
    allowed = allowed_rooms(room)
    if allowed:
        told["allowed_room_ids"] = allowed
    return told


def told_by_others(told: Json, room_id: str) -> Json | None:
    """What another server says of a room, as far as it is a summary of it; else ``None``."""
    if told.get("room_id") != room_id or not isinstance(told.get("join_rule", "public"), str):
        return None
    members, allowed = told.get("num_joined_members"), told.get("allowed_room_ids")
    summary: Json = {
        "room_id": room_id, "num_joined_members": members if type(members) is int and members >= 0 else 0,
        "world_readable": told.get("world_readable") is True, "guest_can_join": told.get("guest_can_join") is True,
        **{name: told[name] for name in _TEXTS if isinstance(told.get(name), str)},
    }
    if isinstance(allowed, list):
        summary["allowed_room_ids"] = [room for room in allowed if isinstance(room, str)]
    return summary


def allowed_rooms(room: LiveRoom) -> list[str]:
    """The rooms whose members may join a restricted room."""
    rules = room.content("m.room.join_rules").get("allow")
    if room.join_rule not in ("restricted", "knock_restricted") or not isinstance(rules, list):
        return []
    ids = (rule.get("room_id") for rule in rules if isinstance(rule, dict) and rule.get("type") == "m.room_membership")
    return [room_id for room_id in ids if isinstance(room_id, str)]


async def may_look_at(rooms: Rooms, room: LiveRoom, user_id: str | None) -> bool:
    """Whether somebody may be told of a room: who is in, who may join or knock, and all where it is world readable."""
    if room.join_rule in _PREVIEWED_RULES or room.history_visibility == "world_readable":
        return user_id is None or room.membership(user_id) != "ban"
    if user_id is None:
        return False
    if room.membership(user_id) in ("join", "invite"):
        return True
    for room_id in allowed_rooms(room) if room.membership(user_id) != "ban" else ():
        other = await rooms.find(room_id)
        if other is not None and other.membership(user_id) == "join":
            return True
    return False


def shown_to_strangers(room: LiveRoom, inviter: str | None = None) -> list[Event]:
    """The events by which somebody who is invited, or knocks, recognises a room (spec: "Stripped state")."""
    keys = [*((kind, "") for kind in _SHOWN), *([("m.room.member", inviter)] if inviter is not None else [])]
    return [room.state[key] for key in keys if key in room.state]
