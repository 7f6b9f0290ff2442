"""What an invitation is known by: a token in a QR link, and a short code that can be read out and typed.

The token has 192 random bits. The code has eight signs that nobody mistakes for others (36 bits), so it is only good
together with a limit on wrong tries, and is kept as a keyed hash: whoever steals the database cannot try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

from server.foundation.ids import random_token

# Without 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
_SIGNS: Final = "ACDEFGHJKMNPQRTWXY34679"
_CODE_LENGTH: Final = 8
_SYLLABLES: Final = [consonant + vowel for consonant in "kstnhmr" for vowel in "aiueo"]


def new_token() -> str:
    """The secret of a link."""
    return random_token()


def new_code() -> str:
    """The secret that is typed, as it is printed: ``ACDE-FGHJ``."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_CODE_LENGTH))
    return f"{signs[:4]}-{signs[4:]}"


def read_code(text: str) -> str | None:
    """A code as somebody typed it (small letters, full width, with or without the dash); ``None`` if it is none."""
    signs = "".join(char for char in unicodedata.normalize("NFKC", text).upper() if char.isalnum())
    return signs if len(signs) == _CODE_LENGTH and set(signs) <= set(_SIGNS) else None


def hash_token(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def hash_code(code: str, pepper: bytes) -> bytes:
    """What is kept of a code; ``pepper`` is a secret of the node that is not in the database."""
    return hmac.new(pepper, (read_code(code) or "").encode(), hashlib.sha256).digest()


def new_localpart() -> str:
    """A user name that is easily read out and says nothing about anybody: ``kasumori47``."""
    syllables = "".join(secrets.choice(_SYLLABLES) for _ in range(4))
    return f"{syllables}{secrets.randbelow(90) + 10}"
