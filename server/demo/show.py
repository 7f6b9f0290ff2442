"""What the demo says on the terminal: progress on standard error, results on standard output."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_BAR: Final = 30


def say(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class ProgressBar:
    """One line that fills up; where nobody watches, one line at its end."""

    def __init__(self, what: str, whole: int) -> None:
        self._what = what
        self._whole = whole
        self._shown = -1
        self._is_watched = sys.stderr.isatty()

    def reach(self, done: int) -> None:
        """``done`` of the whole are done."""
        filled = _BAR * done // self._whole if self._whole else _BAR
        is_over = done >= self._whole
        if filled == self._shown and not is_over:
            return
        self._shown = filled
        line = f"{padded(self._what, 26)} [{'#' * filled}{'.' * (_BAR - filled)}] {done} / {self._whole}"
        if self._is_watched:
            sys.stderr.write(f"\r{line}{chr(10) if is_over else ''}")
        elif is_over:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def table_lines(rows: Sequence[tuple[str, int]]) -> Iterable[str]:
    """Headings and numbers in two columns."""
    width = max(display_width(heading) for heading, _ in rows)
    for heading, number in rows:
        yield f"  {padded(heading, width)}  {number:>6,}"


def padded(text: str, width: int) -> str:
    """``text`` with spaces up to ``width`` columns of a terminal."""
    return text + " " * max(0, width - display_width(text))


def display_width(text: str) -> int:
    """Columns of a terminal: a Japanese letter takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
