"""Reading a PDU from a stranger: checks 1 to 3 on receipt, without keys and without state.

Source: server-server API, "Checks performed on receipt of a PDU" and "Size limits"; "Event format" of each room
version. The limits are those that every deployed server keeps, so that nobody can split a room with an odd event.
"""

from __future__ import annotations

from typing import Any, Final

from server.foundation.canonical_json import MAX_INTEGER, canonical_json, require_canonical
from server.foundation.errors import BadRequest, TooLarge
from server.foundation.ids import MAX_ID_BYTES, server_name_of
from server.foundation.signatures import from_unpadded_base64
from server.rooms.event import (
    MAX_EVENT_BYTES,
    UNSIGNED_BYTES,
    Event,
    content_hash,
    event_id_from_hash,
    reference_hash,
    room_id_of,
)
from server.rooms.redaction import redact
from server.rooms.room_versions import RoomVersion

MAX_PREV_EVENTS: Final = 20
MAX_AUTH_EVENTS: Final = 10

_TEXTS: Final = ("type", "sender")
_OBJECTS: Final = ("content", "hashes", "signatures")
_LINKS: Final = (("prev_events", MAX_PREV_EVENTS), ("auth_events", MAX_AUTH_EVENTS))


def read_pdu(value: object, version: RoomVersion) -> Event:
    """The event that ``value`` is, named by its hash. Raises ``BadRequest`` or ``TooLarge``.

    ``unsigned`` is left behind: nobody has signed it. Signatures and content hash are not checked here.
    """
    if not isinstance(value, dict):
        raise BadRequest("An event is a JSON object")
    pdu: dict[str, Any] = {name: item for name, item in value.items() if name != "unsigned"}
    _require_fields(pdu, version)
    if version.strict_canonical_json:
        require_canonical(pdu)
    _require_sizes(pdu)
    event_id = event_id_from_hash(reference_hash(pdu, version), version)
    return Event(pdu, version, event_id, room_id_of(pdu, version, event_id))


def check_content_hash(event: Event) -> bool:
    """Whether the content is what the sender hashed. Raises ``BadRequest`` where there is no SHA-256 hash at all."""
    named = event.pdu["hashes"].get("sha256")
    if not isinstance(named, str):
        raise BadRequest("The event has no SHA-256 hash")
    found = content_hash(event.pdu)
    return named == found or _same_bytes(named, found)


def as_redacted(event: Event) -> Event:
    """The redacted form under the same id: what is kept of an event whose content hash is wrong."""
    return Event(redact(event.pdu, event.version), event.version, event.event_id, event.room_id)


def required_signers(event: Event) -> list[str]:
    """The servers whose signature an event needs ("Validating hashes and signatures on received events").

    The sender's, but for an invite that an identity server vouched for; and that of the member who let a restricted
    join in (version 8 and up).
    """
    content, signers = event.content, []
    membership = content.get("membership") if event.type == "m.room.member" else None
    if not (membership == "invite" and "third_party_invite" in content):
        signers.append(server_name_of(event.sender))
    authoriser = content.get("join_authorised_via_users_server")
    if membership == "join" and event.version.restricted_join and isinstance(authoriser, str):
        signers.append(server_name_of(authoriser))
    return list(dict.fromkeys(signers))


def _require_fields(pdu: dict[str, Any], version: RoomVersion) -> None:
    for name in _TEXTS:
        if not isinstance(pdu.get(name), str):
            raise BadRequest(f"The event has no {name}")
    for name in _OBJECTS:
        if not isinstance(pdu.get(name), dict):
            raise BadRequest(f"The event has no {name}")
    if "state_key" in pdu and not isinstance(pdu["state_key"], str):
        raise BadRequest("The state key is not a text")
    if "event_id" in pdu:
        raise BadRequest("An event is named by its hash and carries no id")
    _require_texts_in(pdu["hashes"], "hashes")
    for server, signatures in pdu["signatures"].items():
        _require_texts_in(signatures, server)
    _require_integers(pdu)
    _require_sender(pdu["sender"])
    for name, limit in _LINKS:
        _require_links(pdu.get(name), name, limit)
    _require_room(pdu, version)


def _require_texts_in(value: object, what: str) -> None:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise BadRequest("Hashes or signatures are malformed", detail=what)


def _require_integers(pdu: dict[str, Any]) -> None:
    depth, sent_at = pdu.get("depth"), pdu.get("origin_server_ts")
    if type(depth) is not int or not 0 <= depth <= MAX_INTEGER:
        raise BadRequest("The depth is not an integer in range")
    if type(sent_at) is not int:
        raise BadRequest("The time of the event is not an integer")


def _require_sender(sender: str) -> None:
    if not sender.startswith("@") or not server_name_of(sender):
        raise BadRequest("The sender is not a user id")


def _require_links(links: object, name: str, limit: int) -> None:
    if not isinstance(links, list) or not all(isinstance(link, str) for link in links):
        raise BadRequest(f"{name} is not a list of event ids")
    if len(links) > limit:
        raise BadRequest(f"{name} names more than {limit} events")


def _require_room(pdu: dict[str, Any], version: RoomVersion) -> None:
    room_id = pdu.get("room_id")
    if version.room_id_is_create_hash and pdu["type"] == "m.room.create":
        if "room_id" in pdu or pdu.get("state_key") != "":
            raise BadRequest("The create event of this room version has an empty state key and no room id")
        return
    if not isinstance(room_id, str) or not room_id.startswith("!"):
        raise BadRequest("The event has no room id")
    if version.room_id_is_create_hash and f"${room_id[1:]}" in pdu["auth_events"]:
        raise BadRequest("Events of this room version do not name the create event")


def _require_sizes(pdu: dict[str, Any]) -> None:
    for name in ("type", "sender", "room_id", "state_key"):
        text = pdu.get(name)
        if text is not None and len(text) * 4 > MAX_ID_BYTES and len(text.encode(errors="replace")) > MAX_ID_BYTES:
            raise TooLarge(f"The {name} is longer than {MAX_ID_BYTES} bytes")
    try:
        size = len(canonical_json(pdu)) + UNSIGNED_BYTES
    except TypeError as fault:
        raise BadRequest("The event is not canonical JSON", detail=str(fault)) from None
    if size > MAX_EVENT_BYTES:
        raise TooLarge(f"The event is larger than {MAX_EVENT_BYTES} bytes")


def _same_bytes(named: str, found: str) -> bool:
    """Two spellings of one hash: padding and stray low bits are forgiven."""
    try:
        return from_unpadded_base64(named) == from_unpadded_base64(found)
    except ValueError:
        return False
