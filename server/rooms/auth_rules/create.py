"""Authorization rule 1: ``m.room.create``, and who counts as creator of a room."""

from __future__ import annotations

from typing import Any

from server.foundation.errors import Forbidden
from server.foundation.ids import MAX_ID_BYTES, is_server_name, server_name_of
from server.rooms.event import Event
from server.rooms.room_versions import ROOM_VERSIONS

# Named by the specification, not taken part in here; a create event that names one of them is no forgery.
_KNOWN_VERSIONS = frozenset(ROOM_VERSIONS) | {"1", "2"}


def check_create(event: Event) -> None:
    """Rule 1 of the event's room version; it needs no state. Raises ``Forbidden``."""
    version, content = event.version, event.content
    if event.prev_events:  # 1.1
        raise Forbidden("A create event has no earlier events")
    if version.room_id_is_create_hash:  # 1.2
        if "room_id" in event.pdu:
            raise Forbidden("The create event of this room version carries no room id")
    elif server_name_of(event.room_id) != server_name_of(event.sender):
        raise Forbidden("The room id belongs to another server than the creator")
    named = content.get("room_version", "1")  # 1.3
    if not isinstance(named, str) or named not in _KNOWN_VERSIONS:
        raise Forbidden("The create event names an unknown room version")
    if not version.implicit_room_creator and "creator" not in content:  # 1.4 up to version 10
        raise Forbidden("The create event names no creator")
    if version.creators_have_infinite_power and "additional_creators" in content:  # 1.4 since version 12
        _require_user_ids(content["additional_creators"])


def creators_of(create: Event) -> frozenset[str]:
    """User ids of the creators: the sender (``content.creator`` up to version 10), and since 12 the additional ones."""
    if not create.version.implicit_room_creator:
        creator = create.content.get("creator")
        return frozenset((creator,)) if isinstance(creator, str) else frozenset()
    if not create.version.creators_have_infinite_power:
        return frozenset((create.sender,))
    more = create.content.get("additional_creators")
    named = [user_id for user_id in more if isinstance(user_id, str)] if isinstance(more, list) else []
    return frozenset((create.sender, *named))


def looks_like_user_id(value: object) -> bool:
    """``@…:…``. The rules ask no more, because user ids of the first years keep to no grammar."""
    return isinstance(value, str) and value.startswith("@") and ":" in value


def _require_user_ids(value: Any) -> None:
    if not isinstance(value, list) or not all(_is_strict_user_id(item) for item in value):
        raise Forbidden("additional_creators is not a list of user ids")


def _is_strict_user_id(value: object) -> bool:
    return (
        isinstance(value, str)
        and looks_like_user_id(value)
        and is_server_name(server_name_of(value))
        and len(value.encode()) <= MAX_ID_BYTES
    )
