"""Reading what a server (or a notary for it) publishes of its keys (spec: "Publishing Keys")."""

from __future__ import annotations

from typing import Any, Final

from federation.identity.key_store import ServerKey
from server.foundation.errors import BadRequest
from server.foundation.signatures import from_unpadded_base64, signature_is_valid

Json = dict[str, Any]

# "valid_until_ts … MUST use the lesser of this field and 7 days into the future".
_MOST_MS: Final = 7 * 24 * 3_600_000
_MOST_KEYS: Final = 100


def read_published(value: object, server: str, now_ms: int) -> list[ServerKey]:
    """The keys in one signed key object of ``server``. Raises ``BadRequest`` unless it is signed by them all."""
    if not isinstance(value, dict) or value.get("server_name") != server:
        raise BadRequest("These are not the keys of that server")
    valid_until = value.get("valid_until_ts")
    if type(valid_until) is not int:
        raise BadRequest("The keys do not say how long they hold")
    until = min(valid_until, now_ms + _MOST_MS)
    current = [ServerKey(server, key_id, public, until, None) for key_id, public in _publics(value, "verify_keys")]
    if not current or not all(signature_is_valid(value, server, key.key_id, key.public) for key in current):
        raise BadRequest("The keys are not signed by themselves")
    return current + _old_keys(value, server)


def _old_keys(value: Json, server: str) -> list[ServerKey]:
    found = []
    for key_id, public in _publics(value, "old_verify_keys"):
        expired = value["old_verify_keys"][key_id].get("expired_ts")
        if type(expired) is int:
            found.append(ServerKey(server, key_id, public, 0, expired))
    return found


def _publics(value: Json, name: str) -> list[tuple[str, bytes]]:
    published = value.get(name) or {}
    if not isinstance(published, dict) or len(published) > _MOST_KEYS:
        raise BadRequest("The keys cannot be read")
    found = []
    for key_id, item in published.items():
        text = item.get("key") if isinstance(item, dict) else None
        if key_id.startswith("ed25519:") and isinstance(text, str):
            try:
                found.append((key_id, from_unpadded_base64(text)))
            except ValueError:
                raise BadRequest("The keys cannot be read") from None
    return found
