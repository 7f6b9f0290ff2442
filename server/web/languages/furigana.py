"""Readings above kanji in やさしい日本語.

Written ``回覧《かいらん》``; words of ``readings.txt`` get theirs by themselves.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

_MARKED: Final = re.compile(r"([\u4e00-\u9fff々〆ヶ]+)《([\u3040-\u309fー]+)》")
_KANJI: Final = re.compile(r"[\u4e00-\u9fff々]")
_FILE: Final = Path(__file__).parent / "readings.txt"


@lru_cache(maxsize=1)
def _words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Longest words first, so that 回覧板 is not read as 回覧 and 板."""
    lines = [line.split() for line in _FILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    readings = {line[0]: line[1] for line in lines}
    for word in [word for word in readings if word.startswith("}")]:
        # What is said after a value is said after a number, too.
        counted = {digit + word[1:]: digit + readings[word][1:] for digit in "0123456789"}
        readings = counted | readings
    ordered = sorted(readings, key=len, reverse=True)
    return re.compile("|".join([_MARKED.pattern, *map(re.escape, ordered)])), readings


def easy(text: str) -> str:
    """``text`` with a reading after every word that we know; readings that are there already stay."""
    pattern, readings = _words()
    return pattern.sub(lambda found: _with_reading(found.group(), readings), text)


def _with_reading(word: str, readings: dict[str, str]) -> str:
    if "《" in word:
        return word
    if "《" in readings[word]:
        return readings[word]
    reading, head, tail = readings[word], "", ""
    # What both have is not repeated above: 使《つか》う, 3人《にん》.
    while not _KANJI.match(word[-1]) and word[-1] == reading[-1]:
        word, reading, tail = word[:-1], reading[:-1], word[-1] + tail
    while not _KANJI.match(word[0]) and word[0] == reading[0]:
        word, reading, head = word[1:], reading[1:], head + word[0]
    return f"{head}{word}《{reading}》{tail}"


def without_readings(text: str) -> str:
    """The words alone."""
    return _MARKED.sub(r"\1", text)


def ruby(text: str) -> Markup:
    """The words with readings as HTML; all else is escaped."""
    return Markup(ruby_in_html(str(escape(text))))  # noqa: S704 - what is not ours is escaped


def ruby_in_html(html: str) -> str:
    """The same for what is HTML already."""
    return _MARKED.sub(r"<ruby>\1<rt>\2</rt></ruby>", html)
