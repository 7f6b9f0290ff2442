"""The redaction algorithm of room versions 3 to 12 (spec: "Redactions" of each room version).

Every event id is the hash of a redacted event, so this stands on the path of each event: the lists that depend on
the room version are made once, and a message costs one filtered copy of its dozen keys.
"""

from __future__ import annotations

from typing import Any, Final

from server.rooms.room_versions import ROOM_VERSIONS, RoomVersion

_KEPT_SINCE_V11: Final = frozenset(
    {
        "event_id", "type", "room_id", "sender", "state_key", "content", "hashes", "signatures", "depth",
        "prev_events", "auth_events", "origin_server_ts",
    }
)
_KEPT_BEFORE_V11: Final = _KEPT_SINCE_V11 | {"prev_state", "origin", "membership"}
_POWER_LEVELS: Final = (
    "ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default",
)

_ContentKeys = dict[str, tuple[str, ...]]


def redact(pdu: dict[str, Any], version: RoomVersion) -> dict[str, Any]:
    """A new dict with what redaction leaves of ``pdu``; values are shared, ``hashes`` and ``signatures`` stay.

    ``unsigned`` goes entirely. Fields that are absent stay absent; ``content`` must be an object.
    """
    kept, content_keys = _RULES.get(version.name) or _rules_of(version)
    redacted = {name: value for name, value in pdu.items() if name in kept}
    kind = pdu["type"]
    content = pdu["content"]
    keys = content_keys.get(kind) if kind.__class__ is str else None
    if keys is None:
        redacted["content"] = {}
    elif kind == "m.room.create" and version.redaction_v11:
        redacted["content"] = dict(content)
    else:
        redacted["content"] = {name: content[name] for name in keys if name in content}
        if kind == "m.room.member" and version.redaction_v11:
            _keep_signed_invite(redacted["content"], content)
    return redacted


def _keep_signed_invite(kept: dict[str, Any], content: dict[str, Any]) -> None:
    """Version 11 keeps ``signed`` of a third party invite (MSC3821) and nothing beside it."""
    invite = content.get("third_party_invite")
    if isinstance(invite, dict):
        kept["third_party_invite"] = {"signed": invite["signed"]} if "signed" in invite else {}


def _rules_of(version: RoomVersion) -> tuple[frozenset[str], _ContentKeys]:
    """Kept top-level keys, and kept keys of ``content`` by event type."""
    v11 = version.redaction_v11
    keys: _ContentKeys = {
        "m.room.member": ("membership",),
        "m.room.create": () if v11 else ("creator",),
        "m.room.join_rules": ("join_rule", "allow") if version.restricted_join else ("join_rule",),
        "m.room.power_levels": (*_POWER_LEVELS, "invite") if v11 else _POWER_LEVELS,
        "m.room.history_visibility": ("history_visibility",),
    }
    if version.redaction_keeps_authorised_via:
        keys["m.room.member"] = ("membership", "join_authorised_via_users_server")
    if version.aliases_auth_rule:
        keys["m.room.aliases"] = ("aliases",)
    if v11:
        keys["m.room.redaction"] = ("redacts",)
    return (_KEPT_SINCE_V11 if v11 else _KEPT_BEFORE_V11), keys


_RULES: Final = {version.name: _rules_of(version) for version in ROOM_VERSIONS.values()}
