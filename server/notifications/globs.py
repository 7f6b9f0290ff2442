"""Matching texts with patterns (spec, appendices: "Glob-style matching"; push rules: word boundaries).

Patterns and texts are compared in lower case. No pattern can make a match slow: a pattern is cut at its stars, and
the pieces between them, each of a fixed length, are sought one after the other from left to right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

Matcher = Callable[[str], bool]

# Spec: a word boundary is an end of the text, or any character other than these (which are lowered here).
_STARTS: Final = r"(?:(?<![a-z0-9_])|(?![a-z0-9_]))"
_ENDS: Final = r"(?:(?![a-z0-9_])|(?<![a-z0-9_]))"


@lru_cache(maxsize=4_000)
def whole(pattern: str) -> Matcher:
    """Whether a text, in lower case, is what ``pattern`` describes, from its first to its last character."""
    lowered = pattern.lower()
    if "*" not in lowered and "?" not in lowered:
        return lowered.__eq__
    first, *rest = lowered.split("*")
    if not rest:
        return lambda text: len(text) == len(first) and _piece(first).match(text) is not None
    return _spanning(_longest(lowered), _piece(first).match, rest[:-1], _piece(rest[-1], after=r"\Z").search)


@lru_cache(maxsize=4_000)
def words(pattern: str) -> Matcher:
    """Whether a text, in lower case, has a part that ``pattern`` describes between two word boundaries."""
    lowered = pattern.lower()
    first, *rest = lowered.split("*")
    if rest:
        end = _piece(rest[-1], after=_ENDS).search
        return _spanning(_longest(lowered), _piece(first, before=_STARTS).search, rest[:-1], end)
    search, needed = _piece(first, before=_STARTS, after=_ENDS).search, _longest(lowered)
    return lambda text: needed in text and search(text) is not None


@lru_cache(maxsize=4_000)
def word(literal: str) -> Matcher:
    """Whether a text, in lower case, has ``literal``, in lower case too, between two word boundaries."""
    search = re.compile(_STARTS + re.escape(literal) + _ENDS).search
    return lambda text: literal in text and search(text) is not None


def _longest(lowered: str) -> str:
    """The longest part without wildcards: whatever does not have it does not match, which is soon seen."""
    return max(re.split(r"[*?]", lowered), key=len)


def _piece(piece: str, *, before: str = "", after: str = "") -> re.Pattern[str]:
    """A part of a pattern without stars; always as long as what it matches."""
    middle = ".".join(re.escape(literal) for literal in piece.split("?"))
    return re.compile(before + middle + after, re.DOTALL)


_Search = Callable[..., re.Match[str] | None]


def _spanning(needed: str, first: _Search, middle: list[str], last: _Search) -> Matcher:
    """Each piece as far left as possible after the one before: so the next ones have the most room."""
    between = [_piece(piece).search for piece in middle if piece]

    def matches(text: str) -> bool:
        if needed not in text:
            return False
        found = first(text)
        for search in between:
            if found is None:
                return False
            found = search(text, found.end())
        return found is not None and last(text, found.end()) is not None

    return matches
