"""Invitation codes: ``kairan-link:https://city.example.jp/link#matrix.city.example.jp/…``, short enough for a QR.

What stands behind ``#`` never reaches a server by itself, so the secret is in nobody's log. A camera that knows
nothing of Kairan opens the address and finds an explanation.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from server.foundation.errors import InvalidParam
from server.foundation.ids import is_server_name, random_letters

PREFIX: Final = "kairan-link:"
_LETTERS: Final = 24
_SECRET: Final = re.compile(r"[A-Za-z]{24}\Z")


class Code(NamedTuple):
    """Whom to ask, and the secret to say."""

    server: str
    secret: str


def new_secret() -> str:
    """Nobody guesses it."""
    return random_letters(_LETTERS)


def hash_of(secret: str) -> str:
    """What the table keeps of a secret."""
    return hashlib.sha256(b"kairan link " + secret.encode()).hexdigest()


def state_of(used_by: str, withdrawn_ts: int | None, expires_ts: int, now_ms: int) -> str:
    """What has become of a code: ``open``, ``used``, ``withdrawn`` or ``expired``."""
    if used_by:
        return "used"
    if withdrawn_ts is not None:
        return "withdrawn"
    return "expired" if now_ms >= expires_ts else "open"


def as_text(public_url: str, server: str, secret: str) -> str:
    """The code as it is printed."""
    return f"{PREFIX}{public_url.rstrip('/')}/link#{server}/{secret}"


def read_code(text: str) -> Code:
    """Read a code, with or without what stands before ``#``; raises ``InvalidParam``."""
    plain = "".join(text.split()).removeprefix(PREFIX)
    named = urlsplit(plain).fragment if "#" in plain else plain
    server, _, secret = named.rpartition("/")
    if not is_server_name(server) or not _SECRET.match(secret):
        raise InvalidParam("招待コードを、kairan-link: から終わりまで、もう一度入れてください")
    return Code(server, secret)
