"""Counts of members, and heroes: whom to name a room after that has no name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from server.rooms.event import Event, StateKey
from server.rooms.timeline import text_of

Json = dict[str, Any]

_HEROES: Final = 5


def counts_and_heroes(state: Mapping[StateKey, Event], user_id: str, *, named: bool) -> Json:
    """``joined_count`` and ``invited_count``, and ``heroes`` unless the room is named (spec: "RoomSummary")."""
    joined: list[str] = []
    invited: list[str] = []
    gone: list[str] = []
    for (kind, member), event in state.items():
        if kind == "m.room.member":
            membership = event.content.get("membership")
            (joined if membership == "join" else invited if membership == "invite" else gone).append(member)
    told: Json = {"joined_count": len(joined), "invited_count": len(invited)}
    if not named:
        others = [member for member in (*joined, *invited) if member != user_id]
        heroes = others or [member for member in gone if member != user_id]
        told["heroes"] = [_hero(state["m.room.member", member]) for member in sorted(heroes)[:_HEROES]]
    return told


def _hero(event: Event) -> Json:
    hero: Json = {"user_id": event.state_key}
    for name, key in (("displayname", "displayname"), ("avatar_url", "avatar_url")):
        text = text_of(event.content, key)
        if text:
            hero[name] = text
    return hero
