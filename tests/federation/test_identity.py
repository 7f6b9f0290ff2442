"""What other servers see of a node that does not federate yet."""

from __future__ import annotations

from federation.identity.own_keys import VALID_MS, published_keys
from server.foundation.signatures import SigningKey, from_unpadded_base64, signature_is_valid

KEY = SigningKey.from_seed("1", bytes(range(32)))


def test_our_keys_are_signed_by_themselves() -> None:
    told = published_keys("sakura.example.jp", KEY, 1_000)

    public = from_unpadded_base64(told["verify_keys"]["ed25519:1"]["key"])
    assert signature_is_valid(told, "sakura.example.jp", "ed25519:1", public)


def test_our_keys_are_believed_for_a_day() -> None:
    assert published_keys("sakura.example.jp", KEY, 1_000)["valid_until_ts"] == 1_000 + VALID_MS


def test_altered_keys_are_not_believed() -> None:
    told = published_keys("sakura.example.jp", KEY, 1_000)

    assert not signature_is_valid({**told, "server_name": "evil.example"}, "sakura.example.jp", "ed25519:1", KEY.public)
