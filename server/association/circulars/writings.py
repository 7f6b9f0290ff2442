"""One word as people write it: ゴミ is ごみ, 11月 is １１月."""

from __future__ import annotations

import unicodedata
from typing import Final

# Hiragana and katakana stand in the same order in Unicode, 96 places apart.
_HIRAGANA: Final = range(0x3041, 0x3097)
_TO_KATAKANA: Final = {code: code + 0x60 for code in _HIRAGANA}
_TO_HIRAGANA: Final = {code + 0x60: code for code in _HIRAGANA}
_TO_WIDE: Final = {code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}


def writings_of(word: str) -> tuple[str, ...]:
    """The ways in which a word may be written, in small letters; the word itself first."""
    usual = unicodedata.normalize("NFKC", word).lower()
    kana = (usual, usual.translate(_TO_KATAKANA), usual.translate(_TO_HIRAGANA))
    return tuple(dict.fromkeys([word.lower(), *kana, *(one.translate(_TO_WIDE) for one in kana)]))
