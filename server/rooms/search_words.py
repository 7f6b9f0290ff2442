"""What a message says, in a form that can be searched: normal letters, pieces of words, and a filter over them. Pure.

Japanese is written without spaces, so words are looked for as parts of texts: a text of many messages is kept as a
Bloom filter over its letters and pairs of letters. The filter says for certain which words are not there, also for
words of one or two letters, in about ten bits a piece; what it lets through is read and compared.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

# Bits for each piece; two of them are set.
_BITS_A_PIECE: Final = 12
_LEAST_BYTES: Final = 64
_MOST_BYTES: Final = 32_768
MOST_WORDS: Final = 20
MAX_TEXT: Final = 20_000
KEYS: Final = ("content.body", "content.name", "content.topic")


def normal(text: str) -> str:
    """Capital and small, wide and narrow letters made one; spaces made single."""
    return " ".join(unicodedata.normalize("NFKC", text[:MAX_TEXT]).casefold().split())


def words_of(term: str) -> list[str]:
    """The words that a text must have, in normal letters."""
    return list(dict.fromkeys(normal(term).split(" ")))[:MOST_WORDS] if term.strip() else []


def text_in(content: Mapping[str, Any], keys: Sequence[str] = KEYS) -> str:
    """What an event's content says under ``keys``, in normal letters."""
    texts = (content.get(key.removeprefix("content.")) for key in keys)
    return normal("\n".join(text for text in texts if isinstance(text, str)))


def pieces_of(text: str) -> set[str]:
    """Letters and pairs of letters, none with a space in it."""
    pairs = {text[place:place + 2] for place in range(len(text) - 1)}
    return {piece for piece in pairs | set(text) if " " not in piece}


def filter_of(pieces: Iterable[str]) -> bytes:
    """A Bloom filter; empty only where there is no piece at all, which is told from "unknown" by one byte."""
    found = set(pieces)
    if not found:
        return b"\0"
    size = _LEAST_BYTES
    while size * 8 < len(found) * _BITS_A_PIECE and size < _MOST_BYTES:
        size *= 2
    bits = bytearray(size)
    for piece in found:
        for place in _places(piece, size * 8):
            bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def may_have(bits: bytes, pieces: Iterable[str]) -> bool:
    """Whether all ``pieces`` may be there; always, where nothing is known."""
    size = len(bits) * 8
    return not bits or all(
        bits[place >> 3] >> (place & 7) & 1 for piece in pieces for place in _places(piece, size)
    )


def _places(piece: str, size: int) -> tuple[int, int]:
    mark = zlib.crc32(piece.encode("utf-8", "surrogatepass"))
    return mark % size, (mark * 0x9E3779B1 >> 13) % size
