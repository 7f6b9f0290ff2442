"""Sealed files: whoever has the public key can write one, only the secret key opens it (libsodium, by PyNaCl).

A fresh key for each file is sealed to the public key (X25519, XSalsa20-Poly1305: ``crypto_box_seal``); the content
follows in pieces of ``crypto_secretstream_xchacha20poly1305``, whose last one is marked, so that nothing can be
changed, left out or cut off unnoticed.

The node keeps the public key only. The secret one is letters on paper, in the association's safe.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import struct
from typing import BinaryIO, Final

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.utils import random

from server.foundation.errors import Refused

MAGIC: Final = b"KAIRAN-SEALED-1\n"
_PIECE: Final = 65_536
_LENGTH: Final = struct.Struct(">I")
_KEY_BYTES: Final = bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES
_BOX_BYTES: Final = _KEY_BYTES + bindings.crypto_box_SEALBYTES
_HEADER_BYTES: Final = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_EXTRA: Final = bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_FINAL: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class Unreadable(Refused):
    """A sealed file that this key does not open, or that is damaged."""


def new_pair() -> tuple[str, str]:
    """``(public, secret)``, as they are written on paper."""
    secret = PrivateKey.generate()
    return written_key("public", bytes(secret.public_key)), written_key("secret", bytes(secret))


def written_key(kind: str, key: bytes) -> str:
    """A key in groups of four letters and digits, with a check of four bytes at its end."""
    letters = base64.b32encode(key + _check(kind, key)).decode().rstrip("=")
    return "-".join(letters[start:start + 4] for start in range(0, len(letters), 4))


def read_key(kind: str, text: str) -> bytes:
    """The key that somebody typed; refuses typing errors, and a key of the other kind."""
    letters = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except binascii.Error:
        raw = b""
    key, check = raw[:32], raw[32:]
    if len(key) == 32 and check == _check(kind, key):
        return key
    other = "secret" if kind == "public" else "public"
    if len(key) == 32 and check == _check(other, key):
        raise Refused(f"This is the {other} key; the {kind} one is needed here.")
    raise Refused(f"This is no {kind} key of a backup; look for a typing error.")


def _check(kind: str, key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=4, person=b"backup " + kind.encode()).digest()


class SealedWriter(io.RawIOBase):
    """Writes into ``file`` what only the owner of the secret key can read. ``close`` writes the end, and leaves
    ``file`` open.
    """

    def __init__(self, file: BinaryIO, public_key: bytes) -> None:
        super().__init__()
        self._file = file
        self._buffer = bytearray()
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        key = random(_KEY_BYTES)
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        file.write(MAGIC + SealedBox(PublicKey(public_key)).encrypt(key) + header)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        given = memoryview(data).cast("B")  # type: ignore[arg-type]
        self._buffer += given
        whole = len(self._buffer) - len(self._buffer) % _PIECE
        for start in range(0, whole, _PIECE):
            self._push(bytes(self._buffer[start:start + _PIECE]), _MESSAGE)
        del self._buffer[:whole]
        return len(given)

    def close(self) -> None:
        if not self.closed:
            self._push(bytes(self._buffer), _FINAL)
        super().close()

    def _push(self, piece: bytes, tag: int) -> None:
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(self._state, piece, None, tag)
        self._file.write(_LENGTH.pack(len(sealed)) + sealed)


class SealedReader(io.RawIOBase):
    """Reads a sealed file from behind its ``MAGIC``; raises ``Unreadable``."""

    def __init__(self, file: BinaryIO, secret_key: bytes) -> None:
        super().__init__()
        self._file = file
        self._left = memoryview(b"")
        self._ended = False
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        try:
            key = SealedBox(PrivateKey(secret_key)).decrypt(_exactly(file, _BOX_BYTES))
        except CryptoError:
            raise Unreadable("This key does not open this backup.") from None
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(self._state, _exactly(file, _HEADER_BYTES), key)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        wanted = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._left and not self._ended:
            self._left = memoryview(self._next())
        count = min(len(wanted), len(self._left))
        wanted[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def _next(self) -> bytes:
        (length,) = _LENGTH.unpack(_exactly(self._file, _LENGTH.size))
        if not _EXTRA <= length <= _PIECE + _EXTRA:
            raise Unreadable("This backup is damaged.")
        try:
            piece, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(self._state, _exactly(self._file, length))
        except (CryptoError, RuntimeError):
            raise Unreadable("This backup is damaged.") from None
        self._ended = tag == _FINAL
        return bytes(piece)


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise Unreadable("This backup ends too early; it was not written or copied whole.")
    return data
