"""Reading a roster file (名簿): CSV as officers have it, in UTF-8 or Shift_JIS, with whatever headings they chose.

Pure: bytes go in, lines and complaints come out. A bad line never takes a good one with it. What a line leaves
empty it says nothing about.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.association.members.model import Channel, Role
from server.association.members.names import MAX_NAME_CHARACTERS, folded, tidy
from server.association.members.roster_words import COLUMNS, read_channel, read_flag, read_roles, split_list
from server.foundation.errors import BadRequest, Refused, TooLarge

MAX_BYTES: Final = 5 * 2**20
MAX_LINES: Final = 20_000
# What a spreadsheet takes for the beginning of a formula (Japanese ones also in full width), and our mark before it.
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'")
_HEADER_WITHIN: Final = 10
_MOST_LINES_OF_A_CELL: Final = 20
# What decoders leave of bytes that are no letters; Python's cp932 turns four of them into private letters.
_BROKEN: Final = re.compile("[\ufffd\uf8f0-\uf8f3]")
_NOT_CSV: Final = {
    b"PK\x03\x04": "Excelのファイルのようです。Excelで「CSV」として保存してから、もう一度えらんでください",
    b"\xd0\xcf\x11\xe0": "Excelのファイルのようです。Excelで「CSV」として保存してから、もう一度えらんでください",
    b"%PDF": "PDFは読めません。CSVのファイルをえらんでください",
}


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One good line. ``None`` and empty values say nothing. ``number`` counts the lines of the file from 1."""

    number: int
    block: str
    name: str
    id: str = ""
    household: str = ""
    household_number: str = ""
    kana: str = ""
    phone: str = ""
    channel: Channel | None = None
    wants_paper: bool | None = None
    roles: tuple[Role, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not taken, and why, in words for the officer."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Roster:
    """A file that was read. ``encoding`` is the word that officers know: UTF-8, Shift_JIS …"""

    lines: Sequence[RosterLine]
    bad: Sequence[BadLine]
    encoding: str
    ignored_columns: Sequence[str] = field(default=())


def parse_roster(data: bytes) -> Roster:
    """Read a file. Raises ``TooLarge`` and ``BadRequest`` where it is no roster at all."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"ファイルが大きすぎます（{MAX_BYTES // 2**20} MBまで）")
    for magic, reason in _NOT_CSV.items():
        if data.startswith(magic):
            raise BadRequest(reason)
    text, encoding = decode(data)
    rows = list(_rows(text))
    if len(rows) > MAX_LINES:
        raise TooLarge(f"行が多すぎます（{MAX_LINES}行まで）")
    start, columns, ignored = _find_header(rows)
    lines: list[RosterLine] = []
    bad: list[BadLine] = []
    for number, cells in rows[start + 1:]:
        try:
            if isinstance(cells, str):
                raise BadRequest(cells)
            if any(tidy(cell) for cell in cells):
                lines.append(_read_line(number, _by_column(columns, cells)))
        except Refused as refusal:
            bad.append(BadLine(number, refusal.reason))
    return Roster(lines, bad, encoding, ignored)


def decode(data: bytes) -> tuple[str, str]:
    """The text, with U+FFFD for what cannot be read, and the name of its encoding."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace"), "UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return max(
            [(data.decode("cp932", "replace"), "Shift_JIS"), (data.decode("utf-8", "replace"), "UTF-8")],
            key=lambda found: (_has_headings(found[0]), -len(_BROKEN.findall(found[0]))),
        )


def _has_headings(text: str) -> bool:
    """Nearly any bytes can be read as Shift_JIS; the headings tell whether they should be."""
    return any(_is_header(line) for line in text.splitlines()[:_HEADER_WITHIN])


def _is_header(line: str) -> bool:
    return "名" in line and any(word in line for word in ("班", "組", "ブロック", "地区"))


def _rows(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """``(number, cells)``, or ``(number, what is wrong)``. A quote that is never closed spoils only its own line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separator = _separator(lines)
    at = 0
    while at < len(lines):
        cells, used = _cells(lines, at, separator)
        yield at + 1, cells
        at += used


def _separator(lines: Sequence[str]) -> str:
    for line in lines[:_HEADER_WITHIN]:
        if _is_header(line):
            return max(",\t;", key=line.count)
    return ","


def _cells(lines: Sequence[str], at: int, separator: str) -> tuple[list[str] | str, int]:
    if _BROKEN.search(lines[at]):
        return "文字がこわれていて読めません", 1
    joined = lines[at]
    for used in range(1, _MOST_LINES_OF_A_CELL + 1):
        if joined.count('"') % 2 == 0:
            try:
                return next(csv.reader([joined], delimiter=separator), []), used
            except csv.Error:
                return 'カンマや引用符（"）の使い方が正しくありません', 1
        if at + used >= len(lines):
            break
        joined += " " + lines[at + used]
    return '引用符（"）が閉じていません', 1


def _find_header(rows: Sequence[tuple[int, list[str] | str]]) -> tuple[int, dict[str, int], list[str]]:
    for index, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        if isinstance(cells, str):
            continue
        columns, ignored = _columns(cells)
        if "block" in columns and ("name" in columns or {"family_name", "given_name"} <= columns.keys()):
            return index, columns, ignored
    raise BadRequest("見出しの行が見つかりません。1行目に「班」と「氏名」を書いてください")


def _columns(cells: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    columns: dict[str, int] = {}
    ignored = []
    for place, cell in enumerate(cells):
        column = COLUMNS.get(folded(cell))
        if column is not None and column not in columns:
            columns[column] = place
        elif tidy(cell):
            ignored.append(tidy(cell))
    return columns, ignored


def _by_column(columns: dict[str, int], cells: Sequence[str]) -> dict[str, str]:
    return {name: _plain(cells[place]) if place < len(cells) else "" for name, place in columns.items()}


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from taking it for a formula."""
    text = tidy(cell)
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_SIGNS else text


def _read_line(number: int, cells: dict[str, str]) -> RosterLine:
    name = cells.get("name") or tidy(f"{cells.get('family_name', '')} {cells.get('given_name', '')}")
    line = RosterLine(
        number,
        _required(cells.get("block", ""), "班"),
        _required(name, "氏名"),
        id=cells.get("id", ""),
        household=_short(cells.get("household", ""), "世帯"),
        household_number=_short(cells.get("household_number", ""), "世帯番号"),
        kana=_short(cells.get("kana", ""), "ふりがな"),
        phone=_short(cells.get("phone", ""), "電話"),
        channel=read_channel(cells.get("channel", "")),
        wants_paper=read_flag(cells.get("wants_paper", "")),
        roles=read_roles(cells.get("roles", "")),
        groups=split_list(cells.get("groups", "")),
    )
    for group in line.groups:
        _short(group, "グループ")
    return line


def _required(text: str, what: str) -> str:
    if not text:
        raise BadRequest(f"{what}が空です")
    return _short(text, what)


def _short(text: str, what: str) -> str:
    if len(text) > MAX_NAME_CHARACTERS:
        raise BadRequest(f"{what}が長すぎます（{MAX_NAME_CHARACTERS}文字まで）")
    return text
