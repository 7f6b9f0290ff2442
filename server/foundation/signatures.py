"""ed25519 signatures of JSON objects (Matrix appendix "Signing JSON"), by libsodium."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from typing import Any, NamedTuple

from nacl.bindings.crypto_sign import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.bindings.sodium_core import sodium_init
from nacl.exceptions import BadSignatureError

from server.foundation.canonical_json import canonical_json

_SIGNATURE_BYTES = 64
_KEY_BYTES = 32

sodium_init()  # as the package itself does it, which a lean start leaves out; twice is no fault


def unpadded_base64(data: bytes) -> str:
    """Base64 without ``=`` (Matrix appendix "Unpadded Base64")."""
    return base64.b64encode(data).rstrip(b"=").decode()


def from_unpadded_base64(text: str) -> bytes:
    """Bytes of an unpadded or padded base64 text; raises ``ValueError`` where it is neither."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise ValueError("not base64") from fault


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ed25519 key of a server: ``key_id`` is ``ed25519:<version>``, ``seed`` its 32 secret bytes."""

    key_id: str
    seed: bytes
    public: bytes
    _secret: bytes

    @classmethod
    def from_seed(cls, version: str, seed: bytes) -> SigningKey:
        """The key that grows from a 32-byte seed; raises ``ValueError`` on another length."""
        if len(seed) != _KEY_BYTES:
            raise ValueError("a signing key has 32 bytes")
        public, secret = crypto_sign_seed_keypair(seed)
        return cls(f"ed25519:{version}", seed, public, secret)

    @classmethod
    def generate(cls) -> SigningKey:
        """A fresh key from the operating system's randomness, with a random version name."""
        return cls.from_seed("k" + os.urandom(3).hex(), os.urandom(_KEY_BYTES))

    @classmethod
    def read(cls, text: str) -> SigningKey:
        """Parse ``ed25519 <version> <seed in base64>``, the file format that homeservers share; see ``rotated``."""
        algorithm, version, seed = text.strip().partition("\n")[0].split()
        if algorithm != "ed25519":
            raise ValueError(f"unknown algorithm {algorithm}")
        return cls.from_seed(version, from_unpadded_base64(seed))

    def line(self) -> str:
        """The key as one line of a key file."""
        return f"ed25519 {self.key_id.partition(':')[2]} {unpadded_base64(self.seed)}\n"

    def sign(self, message: bytes) -> str:
        """Signature of ``message`` in unpadded base64."""
        return unpadded_base64(crypto_sign(message, self._secret)[:_SIGNATURE_BYTES])


class OldKey(NamedTuple):
    """A key with which a server signed until ``expired_ts`` (ms)."""

    key_id: str
    public: bytes
    expired_ts: int


def old_keys(text: str) -> tuple[OldKey, ...]:
    """The former keys in a key file: lines ``old <version> <public key in base64> <expired_ts>`` below the first."""
    found = []
    for line in text.strip().splitlines()[1:]:
        word, version, public, expired_ts = line.split()
        if word != "old":
            raise ValueError("a key file has one key, and old ones below it")
        found.append(OldKey(f"ed25519:{version}", from_unpadded_base64(public), int(expired_ts)))
    return tuple(found)


def rotated(text: str, now_ms: int) -> str:
    """A key file with a fresh key; the one before is an old one from now on, and its seed is gone."""
    last = SigningKey.read(text)
    retired = OldKey(last.key_id, last.public, now_ms)
    return SigningKey.generate().line() + "".join(
        f"old {key.key_id.partition(':')[2]} {unpadded_base64(key.public)} {key.expired_ts}\n"
        for key in (retired, *old_keys(text))
    )


def sign_json(value: dict[str, Any], server_name: str, key: SigningKey) -> dict[str, Any]:
    """``value`` with our signature added; ``signatures`` and ``unsigned`` are not covered by it."""
    covered = {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}
    signatures = {name: dict(keys) for name, keys in value.get("signatures", {}).items()}
    signatures.setdefault(server_name, {})[key.key_id] = key.sign(canonical_json(covered))
    return {**value, "signatures": signatures}


def signature_is_valid(value: dict[str, Any], server_name: str, key_id: str, public_key: bytes) -> bool:
    """Whether ``value`` carries a right signature of ``server_name`` made with ``key_id``; bad input is a no."""
    if len(public_key) != _KEY_BYTES:
        # libsodium reads 32 bytes wherever it is pointed to.
        return False
    try:
        signature = from_unpadded_base64(value["signatures"][server_name][key_id])
        covered = {name: item for name, item in value.items() if name not in ("signatures", "unsigned")}
        crypto_sign_open(signature + canonical_json(covered), public_key)
    except (KeyError, TypeError, ValueError, BadSignatureError):
        return False
    return len(signature) == _SIGNATURE_BYTES
