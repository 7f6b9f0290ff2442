"""Which state events authorise an event (server-server API, "Auth events selection")."""

from __future__ import annotations

from typing import Any

from server.rooms.auth_rules.power_levels import CREATE, POWER_LEVELS
from server.rooms.event import StateKey
from server.rooms.room_versions import RoomVersion

JOIN_RULES: StateKey = ("m.room.join_rules", "")
_ENTERING = ("join", "invite", "knock")


def auth_types_for(
    kind: str, sender: str, state_key: str | None, content: dict[str, Any], version: RoomVersion
) -> list[StateKey]:
    """The ``(type, state_key)`` pairs that an event of type ``kind`` names in ``auth_events``, each once.

    A create event names none; since version 12 nothing names the create event. Content may be a stranger's.
    """
    if kind == "m.room.create":
        return []
    wanted: list[StateKey] = [POWER_LEVELS, ("m.room.member", sender)]
    if not version.room_id_is_create_hash:
        wanted.insert(0, CREATE)
    if kind == "m.room.member" and state_key is not None:
        _add_for_member(wanted, state_key, content, version)
    return wanted


def third_party_token(content: dict[str, Any]) -> str | None:
    """The token of a third party invite, where the content carries a well-formed one."""
    invite = content.get("third_party_invite")
    signed = invite.get("signed") if isinstance(invite, dict) else None
    token = signed.get("token") if isinstance(signed, dict) else None
    return token if isinstance(token, str) else None


def _add_for_member(wanted: list[StateKey], target: str, content: dict[str, Any], version: RoomVersion) -> None:
    membership = content.get("membership")
    member: StateKey = ("m.room.member", target)
    if member not in wanted:
        wanted.append(member)
    if membership in _ENTERING:
        wanted.append(JOIN_RULES)
    if membership == "invite" and (token := third_party_token(content)) is not None:
        wanted.append(("m.room.third_party_invite", token))
    if membership == "join" and version.restricted_join:
        authoriser = content.get("join_authorised_via_users_server")
        if isinstance(authoriser, str) and ("m.room.member", authoriser) not in wanted:
            wanted.append(("m.room.member", authoriser))
