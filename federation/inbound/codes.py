"""What a node says that brings a code of ours: the code itself, who it is, and to what it agrees (docs/protocol.md).

The code is in the body, never in the address, so that it stands in nobody's log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from federation.links.model import Party
from server.foundation.errors import BadRequest, Refused

T = TypeVar("T")
_LONGEST: Final = 100
_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)


def code_in(body: dict[str, Any]) -> str:
    """The code. Raises ``BadRequest``."""
    code = body.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= _LONGEST:
        raise BadRequest("A code is needed")
    return code


def agreed_in(body: dict[str, Any], read_terms: Callable[[Any], T]) -> tuple[Party, T]:
    """Who agrees, and to what, as ``read_terms`` reads it. Raises ``BadRequest``."""
    try:
        return Party.from_json(body["party"]), read_terms(body["terms"])
    except (Refused, *_UNREADABLE):
        raise BadRequest("party and terms are needed, as docs/protocol.md has them") from None
