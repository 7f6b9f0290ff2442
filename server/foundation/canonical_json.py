"""Canonical JSON (Matrix appendix "Canonical JSON") on orjson, and strict reading of JSON from strangers.

Keys sorted by code point, no spaces, UTF-8, integers of at most 53 bits, no fractions. orjson sorts keys by their
UTF-8 bytes, which is the order of code points. Proved equal to ``canonicaljson`` in tests.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from server.foundation.errors import BadRequest

MAX_INTEGER: Final = 2**53 - 1
# As deep as the most widely deployed homeserver reads; a lower limit would refuse events that others keep.
MAX_NESTING: Final = 127

_SORTED = orjson.OPT_SORT_KEYS


def canonical_json(value: Any) -> bytes:
    """The one byte form of ``value`` that is hashed and signed. ``value`` must have passed ``require_canonical``."""
    return orjson.dumps(value, option=_SORTED)


def json_to_keep(value: Any) -> bytes:
    """JSON bytes that stay in memory."""
    return to_keep(orjson.dumps(value))


def to_keep(data: bytes) -> bytes:
    """A copy for bytes that stay in memory: orjson leaves what it has made in a block of four kilobytes."""
    return bytes(memoryview(data))


def parse_json(data: bytes | str) -> Any:
    """Read JSON; raises ``BadRequest`` (``M_NOT_JSON``) on anything that is none (NaN, bad UTF-8, too deep …)."""
    try:
        return orjson.loads(data)
    except (orjson.JSONDecodeError, RecursionError) as fault:
        raise BadRequest("The request is not valid JSON", code="M_NOT_JSON", detail=str(fault)) from None


def require_canonical(value: Any, depth: int = 0) -> None:
    """Raise ``BadRequest`` unless ``value`` can be canonical JSON: no floats, integers within ±(2^53-1), Unicode."""
    kind = type(value)
    if kind is str:
        if not value.isascii():
            _require_encodable(value)
    elif kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise BadRequest("An integer is out of the range of canonical JSON")
    elif kind is dict:
        if depth >= MAX_NESTING:
            raise BadRequest("The JSON is nested too deeply")
        for key, item in value.items():
            require_canonical(key, depth)
            require_canonical(item, depth + 1)
    elif kind is list:
        if depth >= MAX_NESTING:
            raise BadRequest("The JSON is nested too deeply")
        for item in value:
            require_canonical(item, depth + 1)
    elif kind is float:
        raise BadRequest("Fractions are not allowed in events")
    elif value is not None and kind is not bool:
        raise BadRequest("Not a JSON value")


def _require_encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("The text is not valid Unicode") from None
