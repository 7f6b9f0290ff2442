"""What differs between room versions (spec: "Room Versions"), as data.

Each flag is named after the rule that it switches, so that the rules read without version numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.foundation.errors import Refused


@dataclass(frozen=True, slots=True)
class RoomVersion:
    """The traits of one room version."""

    name: str
    # Event ids are "$" + reference hash; URL-safe base64 since version 4 (version 3: standard base64).
    url_safe_event_ids: bool = True
    # Integers of power levels may not be strings, and events must be canonical JSON (v6 / v10).
    strict_canonical_json: bool = True
    integer_power_levels: bool = False
    # m.room.aliases has an auth rule of its own (up to v5) and keeps "aliases" in redaction.
    aliases_auth_rule: bool = False
    # "notifications" in power levels is guarded by the auth rules (v6).
    notifications_guarded: bool = True
    knock: bool = False
    restricted_join: bool = False
    # The redaction keeps "join_authorised_via_users_server" of a member event (v9).
    redaction_keeps_authorised_via: bool = False
    knock_restricted_join: bool = False
    # MSC2174/2176/3820/3989/3821 (v11): redacts in content, new redaction list, no creator in create.
    redaction_v11: bool = False
    implicit_room_creator: bool = False
    # Signing key validity is enforced (v5).
    key_validity_enforced: bool = True
    # v12: room id is the hash of the create event, creators stand above all levels, resolution 2.1.
    room_id_is_create_hash: bool = False
    creators_have_infinite_power: bool = False
    state_resolution_2_1: bool = False
    # Ids may have 255 bytes (v11, and v12); before it 255 code points were let through.
    creatable: bool = False
    stable: bool = True


_V3 = RoomVersion(
    "3", url_safe_event_ids=False, strict_canonical_json=False, aliases_auth_rule=True,
    notifications_guarded=False, key_validity_enforced=False,
)
_V4 = RoomVersion(
    "4", strict_canonical_json=False, aliases_auth_rule=True, notifications_guarded=False,
    key_validity_enforced=False,
)
_V5 = RoomVersion("5", strict_canonical_json=False, aliases_auth_rule=True, notifications_guarded=False)
_V6 = RoomVersion("6")
_V7 = RoomVersion("7", knock=True)
_V8 = RoomVersion("8", knock=True, restricted_join=True)
_V9 = RoomVersion("9", knock=True, restricted_join=True, redaction_keeps_authorised_via=True)
_V10 = RoomVersion(
    "10", knock=True, restricted_join=True, redaction_keeps_authorised_via=True, knock_restricted_join=True,
    integer_power_levels=True, creatable=True,
)
_V11 = RoomVersion(
    "11", knock=True, restricted_join=True, redaction_keeps_authorised_via=True, knock_restricted_join=True,
    integer_power_levels=True, redaction_v11=True, implicit_room_creator=True, creatable=True,
)
_V12 = RoomVersion(
    "12", knock=True, restricted_join=True, redaction_keeps_authorised_via=True, knock_restricted_join=True,
    integer_power_levels=True, redaction_v11=True, implicit_room_creator=True, room_id_is_create_hash=True,
    creators_have_infinite_power=True, state_resolution_2_1=True, creatable=True,
)

ROOM_VERSIONS: Final[dict[str, RoomVersion]] = {
    version.name: version for version in (_V3, _V4, _V5, _V6, _V7, _V8, _V9, _V10, _V11, _V12)
}
CREATABLE: Final = tuple(version.name for version in ROOM_VERSIONS.values() if version.creatable)


def room_version(name: object) -> RoomVersion:
    """The version called ``name``; raises ``M_UNSUPPORTED_ROOM_VERSION``."""
    version = ROOM_VERSIONS.get(name) if isinstance(name, str) else None
    if version is None:
        raise Refused("This room version is not supported here", code="M_UNSUPPORTED_ROOM_VERSION")
    return version
