"""Matrix identifiers (appendix "Common Identifier Format") and random names."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from server.foundation.errors import InvalidParam

MAX_ID_BYTES: Final = 255
_LOCALPART_NEW = re.compile(r"[a-z0-9._=/+-]+\Z")
_LOCALPART_HISTORICAL = re.compile(r"[\x21-\x39\x3b-\x7e]*\Z")
_SERVER_NAME = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,230})(:[0-9]{1,5})?\Z")
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class UserId:
    """``@localpart:server_name``."""

    localpart: str
    server_name: str

    @classmethod
    def parse(cls, text: object) -> UserId:
        """Read a user id, historical ones too; raises ``InvalidParam``."""
        if not isinstance(text, str) or not text.startswith("@") or len(text.encode()) > MAX_ID_BYTES:
            raise InvalidParam("Not a user id")
        localpart, colon, server_name = text[1:].partition(":")
        if not colon or not is_server_name(server_name) or not _LOCALPART_HISTORICAL.match(localpart):
            raise InvalidParam("Not a user id")
        return cls(localpart, server_name)

    def __str__(self) -> str:
        return f"@{self.localpart}:{self.server_name}"


def is_server_name(text: str) -> bool:
    """Whether ``text`` is a host name, an IPv4 address or a bracketed IPv6 address, with or without a port."""
    return _SERVER_NAME.match(text) is not None and (text[0] != "[" or _is_ipv6(text[1 : text.index("]")]))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def is_new_localpart(text: str) -> bool:
    """Whether a new user may be called so (grammar of user ids since v1.0)."""
    return _LOCALPART_NEW.match(text) is not None


def server_name_of(identifier: str) -> str:
    """What stands after the first colon of a user id, alias or old room id; empty for a room id of version 12."""
    return identifier.partition(":")[2]


def random_letters(count: int) -> str:
    """A name that nobody can guess: ``count`` random letters."""
    # One look at the system's randomness for all of them; 128 bits more than needed leave no letter more likely.
    rest, letters = secrets.randbits(6 * count + 128), []
    for _ in range(count):
        rest, place = divmod(rest, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def random_token() -> str:
    """A secret of 192 random bits in URL-safe text."""
    return secrets.token_urlsafe(24)
