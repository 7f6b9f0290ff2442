"""What another server says of its users' devices and keys, read with care: what is odd is left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from server.accounts.cross_signing import MASTER, SELF_SIGNING
from server.accounts.key_formats import (
    is_signed_by,
    parse_public_keys,
    public_part,
    require_cross_signing_key,
    require_device_keys,
)
from server.foundation.canonical_json import MAX_INTEGER, canonical_json
from server.foundation.errors import Refused
from server.rooms.ports import PeerFailed

Json = dict[str, Any]

# Devices of one person, and bytes of the keys of one device; both far beyond what anybody has.
MOST_DEVICES: Final = 1_000
_MOST_KEY_BYTES: Final = 50_000
_MOST_ID_BYTES: Final = 255
_MOST_NAME_CHARACTERS: Final = 100


class FarUser(NamedTuple):
    """All devices of somebody, and their cross-signing keys by usage."""

    stream_id: int
    devices: dict[str, Json]
    cross_signing: dict[str, Json]


def read_devices(answer: object, user_id: str) -> FarUser:
    """The answer of ``GET user/devices``; raises ``PeerFailed``."""
    if not isinstance(answer, dict) or answer.get("user_id") != user_id or not isinstance(answer.get("devices"), list):
        raise PeerFailed("The other server did not answer as it should")
    number = stream_id_of(answer.get("stream_id"))
    if number is None or len(answer["devices"]) > MOST_DEVICES:
        raise PeerFailed("The other server did not answer as it should")
    devices: dict[str, Json] = {}
    for item in answer["devices"]:
        if isinstance(item, dict):
            keys = device_keys_in(item.get("keys"), user_id, item.get("device_id"), item.get("device_display_name"))
            if keys is not None:
                devices[item["device_id"]] = keys
    keys_of_user = cross_signing_in(user_id, answer.get("master_key"), answer.get("self_signing_key"))
    return FarUser(number, devices, keys_of_user)


def read_query(answer: object, user_ids: Mapping[str, object]) -> dict[str, FarUser]:
    """The answer of ``POST user/keys/query``, for those who were asked for; raises ``PeerFailed``."""
    if not isinstance(answer, dict) or not isinstance(answer.get("device_keys"), dict):
        raise PeerFailed("The other server did not answer as it should")
    found = {}
    for user_id in user_ids:
        devices: dict[str, Json] = {}
        for device_id, keys in _items(answer["device_keys"].get(user_id)):
            name = keys["unsigned"].get("device_display_name") if isinstance(keys, dict) and isinstance(
                keys.get("unsigned"), dict) else None
            good = device_keys_in(keys, user_id, device_id, name)
            if good is not None:
                devices[device_id] = good
        master, self_signing = (_of_user(answer.get(name), user_id) for name in ("master_keys", "self_signing_keys"))
        found[user_id] = FarUser(0, devices, cross_signing_in(user_id, master, self_signing))
    return found


def read_claim(answer: object, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Json]]:
    """The answer of ``POST user/keys/claim``: one key of each device that was asked for; raises ``PeerFailed``."""
    if not isinstance(answer, dict) or not isinstance(answer.get("one_time_keys"), dict):
        raise PeerFailed("The other server did not answer as it should")
    found: dict[str, dict[str, Json]] = {}
    for user_id, devices in wanted.items():
        given = dict(_items(answer["one_time_keys"].get(user_id)))
        for device_id, algorithm in devices.items():
            keys = _one_time_keys(given.get(device_id), algorithm)
            if keys is not None:
                found.setdefault(user_id, {})[device_id] = keys
    return found


def device_keys_in(keys: object, user_id: str, device_id: object, name: object) -> Json | None:
    """The identity keys of a device as they are kept here, with its name; ``None`` where they are no such thing."""
    if not isinstance(keys, dict) or not isinstance(device_id, str) or len(device_id.encode()) > _MOST_ID_BYTES:
        return None
    signed = {field: value for field, value in keys.items() if field != "unsigned"}
    try:
        require_device_keys(signed, user_id, device_id)
        if len(canonical_json(signed)) > _MOST_KEY_BYTES:
            return None
    except Refused:
        return None
    unsigned = {"device_display_name": name[:_MOST_NAME_CHARACTERS]} if isinstance(name, str) and name else {}
    return {**signed, "unsigned": unsigned}


def cross_signing_in(user_id: str, master: object, self_signing: object) -> dict[str, Json]:
    """The good ones of these two keys by usage; a self-signing key only with the signature of the master key."""
    found: dict[str, Json] = {}
    for usage, key in ((MASTER, master), (SELF_SIGNING, self_signing)):
        if not isinstance(key, dict):
            continue
        try:
            require_cross_signing_key(key, user_id, usage)
            if len(canonical_json(key)) > _MOST_KEY_BYTES:
                continue
        except Refused:
            continue
        found[usage] = key
    if SELF_SIGNING in found and not _is_signed_by_master(user_id, found):
        del found[SELF_SIGNING]
    return found


def stream_id_of(value: object) -> int | None:
    """A number that a server gives its lists."""
    return value if type(value) is int and 0 <= value <= MAX_INTEGER else None


def _is_signed_by_master(user_id: str, keys: Mapping[str, Json]) -> bool:
    return MASTER in keys and is_signed_by(keys[SELF_SIGNING], user_id, *public_part(keys[MASTER], MASTER))


def _one_time_keys(keys: object, algorithm: str) -> Json | None:
    if not isinstance(keys, dict) or len(keys) != 1:
        return None
    try:
        key = parse_public_keys(keys, "one_time_keys")[0]
    except Refused:
        return None
    return keys if key.algorithm == algorithm else None


def _items(by_name: object) -> list[tuple[str, Any]]:
    return list(by_name.items())[:MOST_DEVICES] if isinstance(by_name, dict) else []


def _of_user(by_user: object, user_id: str) -> object:
    return by_user.get(user_id) if isinstance(by_user, dict) else None
