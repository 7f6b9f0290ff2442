"""Names as people write them: tidied for keeping, folded for comparing."""

from __future__ import annotations

import unicodedata
from typing import Final

from server.foundation.errors import InvalidParam

MAX_NAME_CHARACTERS: Final = 60


def tidy(text: str) -> str:
    """``text`` without control characters, with single ordinary spaces. Letters stay as written: a name in an old
    form of a character (髙, 﨑) is another name."""
    shown = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_visible(char))
    return " ".join(shown.split())


def checked_name(text: str, what: str, field: str = "name") -> str:
    """A tidied name that may be kept; raises ``InvalidParam``. ``what`` is the word for it: 氏名, 班の名前 …"""
    name = tidy(text)
    if not name:
        raise InvalidParam(f"{what}が空です", field=field)
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidParam(f"{what}が長すぎます（{MAX_NAME_CHARACTERS}文字まで）", field=field)
    return name


def checked_text(text: str, what: str, field: str) -> str:
    """The same for what may be empty."""
    return checked_name(text, what, field) if tidy(text) else ""


def folded(text: str) -> str:
    """What two writings of one name have in common: width of letters and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
