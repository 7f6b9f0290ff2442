"""What public keys must look like (spec, "Key management API" and "Cross-signing"). Pure."""

from __future__ import annotations

from typing import Any, Final

from server.accounts.device_keys_store import PublicKey
from server.foundation.canonical_json import require_canonical
from server.foundation.errors import BadRequest, InvalidParam
from server.foundation.signatures import from_unpadded_base64, signature_is_valid

Json = dict[str, Any]

_KEY_BYTES: Final = 32
_MAX_KEY_ID_BYTES: Final = 255


def require_device_keys(keys: Json, user_id: str, device_id: str) -> None:
    """Raise ``BadRequest`` unless ``keys`` can be the identity keys of this device."""
    require_canonical(keys)
    if keys.get("user_id") != user_id or keys.get("device_id") != device_id:
        raise BadRequest("device_keys belong to another user or device")
    algorithms = keys.get("algorithms")
    if not isinstance(algorithms, list) or not all(isinstance(item, str) for item in algorithms):
        raise BadRequest("device_keys.algorithms is a list of texts")
    if not _is_text_map(keys.get("keys")):
        raise BadRequest("device_keys.keys is an object of texts")
    require_signatures(keys, "device_keys")


def require_signatures(value: Json, name: str) -> None:
    """Raise ``BadRequest`` unless ``value.signatures`` has the right shape."""
    signatures = value.get("signatures", {})
    if not isinstance(signatures, dict) or not all(_is_text_map(item) for item in signatures.values()):
        raise BadRequest(f"{name}.signatures is an object of objects of texts")


def parse_public_keys(value: Json, name: str) -> list[PublicKey]:
    """One-time or fallback keys by ``algorithm:id``, in the order of the upload; raises ``BadRequest``."""
    require_canonical(value)
    keys = []
    for full_id, key in value.items():
        algorithm, colon, key_id = full_id.partition(":")
        if not colon or not algorithm or not key_id or len(full_id.encode()) > _MAX_KEY_ID_BYTES:
            raise BadRequest(f"{name} has a key without algorithm and id")
        if isinstance(key, dict):
            if not isinstance(key.get("key"), str):
                raise BadRequest(f"{name} has a key without a key")
            require_signatures(key, name)
        elif not isinstance(key, str):
            raise BadRequest(f"{name} has a key that is neither text nor object")
        keys.append(PublicKey(algorithm, key_id, key))
    return keys


def require_cross_signing_key(key: Json, user_id: str, usage: str) -> None:
    """Raise ``Refused`` unless ``key`` can be the ``usage`` key (master, self_signing …) of this user."""
    require_canonical(key)
    usages = key.get("usage")
    if key.get("user_id") != user_id:
        raise InvalidParam(f"The {usage} key belongs to another user")
    if not isinstance(usages, list) or usage not in usages:
        raise InvalidParam(f"The {usage} key has another usage")
    require_signatures(key, usage)
    key_id, public = public_part(key, usage)
    if key_id != f"ed25519:{public}" or _bytes_of(public) is None:
        raise InvalidParam(f"The {usage} key is not an ed25519 key under its own name")


def public_part(key: Json, name: str) -> tuple[str, str]:
    """``(key id, public key)`` of a cross-signing key; raises ``InvalidParam`` unless it has exactly one."""
    keys = key.get("keys")
    if not isinstance(keys, dict) or not _is_text_map(keys) or len(keys) != 1:
        raise InvalidParam(f"The {name} key must hold exactly one public key")
    key_id, public = next(iter(keys.items()))
    return key_id, public


def is_signed_by(value: Json, user_id: str, key_id: str, public: str) -> bool:
    """Whether ``value`` carries a right signature of ``user_id`` by an ed25519 key."""
    raw = _bytes_of(public)
    return raw is not None and signature_is_valid(value, user_id, key_id, raw)


def without_signatures(value: Any) -> Any:
    """What signatures are made over."""
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}


def _bytes_of(public: str) -> bytes | None:
    try:
        raw = from_unpadded_base64(public)
    except ValueError:
        return None
    return raw if len(raw) == _KEY_BYTES else None


def _is_text_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
