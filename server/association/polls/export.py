"""The result of a poll as a file for a spreadsheet: UTF-8 with a byte order mark, lines as in RFC 4180."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from server.association.polls.counting import Answer
from server.association.polls.model import Poll
from server.foundation.clock import tokyo_time

_ANSWER: Final = ("回答", "時刻", "方法")
# What a spreadsheet takes for a formula at the beginning of a cell (OWASP, "CSV Injection"), in both widths.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class PersonLine(NamedTuple):
    """One person in the file."""

    block: str
    household: str
    name: str
    answer: Answer | None


class HouseholdLine(NamedTuple):
    """One household in the file."""

    block: str
    household: str
    answer: Answer | None


def persons_csv(poll: Poll, lines: Iterable[PersonLine]) -> bytes:
    """A line a person."""
    return csv_file(("班", "世帯", "名前", *_ANSWER), ([*line[:3], *_cells(poll, line.answer)] for line in lines))


def households_csv(poll: Poll, lines: Iterable[HouseholdLine]) -> bytes:
    """A line a household."""
    return csv_file(("班", "世帯", *_ANSWER), ([*line[:2], *_cells(poll, line.answer)] for line in lines))


def as_plain_cell(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula: an apostrophe before it."""
    bare = text.lstrip(" 　\u00a0\ufeff\u200b")
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) or bare.startswith(_FORMULA_SIGNS) else text


def csv_file(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A file for a spreadsheet; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([as_plain_cell(cell) for cell in head])
    for row in rows:
        writer.writerow([as_plain_cell(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _cells(poll: Poll, answer: Answer | None) -> list[str]:
    if answer is None:
        return ["", "", ""]
    return [poll.texts_of(answer.chosen), f"{tokyo_time(answer.ts):%Y-%m-%d %H:%M}", answer.channel.label]
