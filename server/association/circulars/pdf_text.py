"""Runs in the worker process only: the words that a PDF carries, as flowing text."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from server.foundation.errors import InvalidParam

_MOST_PAGES: Final = 20
_MOST_LETTERS: Final = 20_000
_FULL_LINE: Final = 0.8  # of the longest: what is so long goes on in the next line
_SPACES: Final = re.compile(r"[ \t\u3000]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_END_OF_SENTENCE: Final = ("。", "．", "！", "？", "」", "）", ")", ":", "：")
_BEGINS_ANEW: Final = re.compile(r"[・●○◎■□◆◇★☆※①-⑳１-９(（1-9]")
_UNREADABLE: Final = "このPDFは 読めません。"


def text_in(_values: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """``text``: what ``data`` says, empty where it is a picture only. Raises ``InvalidParam``."""
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidParam("このPDFには 鍵が かかっています。")
        pages = [page.extract_text() for page in reader.pages[:_MOST_PAGES]]
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OSError):
        raise InvalidParam(_UNREADABLE) from None
    return {"text": "\n\n".join(filter(None, map(flowing, pages)))[:_MOST_LETTERS]}, b""


def flowing(page: str) -> str:
    """The lines of a page as paragraphs: a full line goes on in the next one, until a sentence ends."""
    lines = [_tidied(line) for line in unicodedata.normalize("NFC", page).splitlines()]
    longest = max(map(_width, lines), default=0)
    found: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on and line and not _BEGINS_ANEW.match(line):
            found[-1] += line if _width(line[0]) > 1 or _width(found[-1][-1]) > 1 else f" {line}"
        else:
            found.append(line)
        goes_on = _width(line) >= longest * _FULL_LINE and not line.endswith(_END_OF_SENTENCE)
    return _EMPTY_LINES.sub("\n\n", "\n".join(found)).strip()


def _tidied(line: str) -> str:
    clean = "".join(letter for letter in line if letter == "\t" or unicodedata.category(letter)[0] != "C")
    words = _SPACES.sub(" ", clean).split()
    # Headings are often set with a space after each letter.
    is_spaced_out = len(words) > 2 and sum(len(word) == 1 for word in words) > len(words) * 0.8
    return ("" if is_spaced_out else " ").join(words)


def _width(text: str) -> int:
    """In half letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)
