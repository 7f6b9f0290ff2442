"""Codes by which a neighbour is asked to share: ``kairan-share:https://sakura.example.jp/link#matrix.…/…``.

They look like the codes of links, and are none: who takes one for the other is told so.
"""

from __future__ import annotations

import hashlib
from typing import Final

from federation.links import codes as link_codes
from server.foundation.errors import InvalidParam

PREFIX: Final = "kairan-share:"


def hash_of(secret: str) -> str:
    """What the table keeps of a secret."""
    return hashlib.sha256(b"kairan share " + secret.encode()).hexdigest()


def as_text(public_url: str, server: str, secret: str) -> str:
    """The code as it is printed."""
    return PREFIX + link_codes.as_text(public_url, server, secret).removeprefix(link_codes.PREFIX)


def read_code(text: str) -> link_codes.Code:
    """Read a code; raises ``InvalidParam``."""
    plain = "".join(text.split())
    if plain.startswith(link_codes.PREFIX):
        raise InvalidParam("これは 市や連合会との つながりの コードです。「市・連合会との つながり」で 入れてください")
    try:
        return link_codes.read_code(plain.removeprefix(PREFIX))
    except InvalidParam:
        raise InvalidParam("コードを、kairan-share: から終わりまで、もう一度入れてください") from None
