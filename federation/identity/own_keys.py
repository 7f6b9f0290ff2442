"""What we publish of our signing key (spec: "Publishing Keys")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from server.foundation.signatures import OldKey, SigningKey, sign_json, unpadded_base64

# Others ask again at the latest after this time; the specification believes nobody for more than seven days.
VALID_MS: Final = 24 * 3_600_000


def published_keys(
    server_name: str, key: SigningKey, now_ms: int, old_keys: Sequence[OldKey] = ()
) -> dict[str, Any]:
    """The answer to ``GET /_matrix/key/v2/server``, signed with the key that it publishes."""
    return sign_json({
        "old_verify_keys": {
            old.key_id: {"key": unpadded_base64(old.public), "expired_ts": old.expired_ts} for old in old_keys
        },
        "server_name": server_name,
        "valid_until_ts": now_ms + VALID_MS,
        "verify_keys": {key.key_id: {"key": unpadded_base64(key.public)}},
    }, server_name, key)
