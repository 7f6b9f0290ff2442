"""Runs in the worker process only: the Japanese typeface of papers.

A TrueType font that is installed is embedded, so that the paper looks the same on every screen and printer. Where there
is none (``apt install fonts-ipaexfont`` brings one), the standard CID font ``HeiseiKakuGo-W5`` is named in the PDF and
the viewer supplies the letters: every PDF viewer on a Japanese computer can. Noto CJK has PostScript outlines, which
the PDF library cannot embed, so it is not looked for.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

# In the order of preference. BIZ UD is drawn for old eyes; IPAex is what Debian and Fedora have everywhere.
_FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
_FILES: Final = (
    "**/BIZUDGothic-Regular.ttf", "**/BIZUDPGothic-Regular.ttf", "**/ipaexg.ttf", "**/ipag.ttf",
    "**/TakaoGothic.ttf", "**/VL-Gothic-Regular.ttf", "**/MPLUS1p-Regular.ttf", "**/mplus-1p-regular.ttf",
    "**/fonts-japanese-gothic.ttf",
)
_STANDARD: Final = "HeiseiKakuGo-W5"
_EMBEDDED: Final = "Kairan"
MISSING: Final = "〓"  # what Japanese printers have always set for a letter that they do not have
# Spellings of names that fonts often lack, and how people write them then.
_OTHER_SPELLING: Final = {"𠮷": "吉", "髙": "高", "﨑": "崎", "栁": "柳", "桒": "桑", "德": "徳", "濵": "浜"}


@dataclass(frozen=True)
class Typeface:
    """A font that is registered with the PDF library; ``known`` holds its letters, ``None`` for the standard one."""

    name: str
    embedded: bool
    known: Any

    def has(self, char: str) -> bool:
        """Whether the font can draw ``char``."""
        return ord(char) in self.known if self.known is not None else _is_standard(char)

    def drawable(self, text: str) -> str:
        """``text`` in letters that the font has; line breaks stay, other control characters go."""
        return "".join(self._drawable(char) for char in unicodedata.normalize("NFC", text.replace("\r\n", "\n")))

    def width(self, text: str, size: float) -> float:
        """Width in points."""
        return float(pdfmetrics.stringWidth(text, self.name, size))

    def _drawable(self, char: str) -> str:
        if char == "\n" or self.has(char):
            return char
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Mn", "Me"):
            return ""  # also the marks that choose a shape of the letter before
        for plain in _plainer(char):
            if all(self.has(item) for item in plain):
                return plain
        return MISSING


def _plainer(char: str) -> list[str]:
    """Other ways to write ``char``, best first: a usual spelling, a compatible letter, fewer accents; no picture."""
    letters = unicodedata.normalize("NFD", char)
    fewer_accents = [unicodedata.normalize("NFC", letters[:count]) for count in range(len(letters) - 1, 0, -1)]
    no_picture = [""] if unicodedata.category(char) in ("So", "Sk") else []
    return [_OTHER_SPELLING.get(char, char), unicodedata.normalize("NFKC", char), *fewer_accents, *no_picture]


def _is_standard(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return char.isprintable()


@cache
def typeface() -> Typeface:
    """The typeface of this machine, registered once."""
    for path in _installed():
        try:
            font = TTFont(_EMBEDDED, str(path))
        except (TTFError, OSError):
            continue
        pdfmetrics.registerFont(font)
        return Typeface(_EMBEDDED, embedded=True, known=font.face.charToGlyph)
    pdfmetrics.registerFont(UnicodeCIDFont(_STANDARD))
    return Typeface(_STANDARD, embedded=False, known=None)


def _installed() -> list[Path]:
    return [path for pattern in _FILES for folder in _FOLDERS if folder.is_dir() for path in folder.glob(pattern)]
