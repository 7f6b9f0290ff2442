"""Reading the lists of 5374.jp, in which many cities publish their garbage days: files are read as they are found.

A column is known by its heading; what a cell says that nobody understands is told and left out, never the whole line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from server.association.garbage.model import MAX_KIND, Area, Break, read_rule
from server.foundation.errors import InvalidParam

MAX_BYTES: Final = 1024 * 1024
_MAX_ROWS: Final = 20_000
_MAX_KINDS: Final = 30
_NAMES: Final = ("地名", "地区", "地域", "町名")


@dataclass(frozen=True, slots=True)
class AreaList:
    """The areas of a city, the breaks of its centers by name, and what could not be read."""

    areas: tuple[Area, ...]
    breaks: dict[str, tuple[Break, ...]]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something and the kind that it belongs to."""

    name: str
    kind: str
    notice: str = ""
    kana: str = ""


def read_areas(areas: bytes, centers: bytes = b"", remarks: bytes = b"") -> AreaList:
    """``area_days.csv`` with ``center.csv`` and ``remarks.csv``; raises ``InvalidParam``."""
    rows = _rows(areas)
    if len(rows) < 2:
        raise InvalidParam("area_days.csv に、地区がありません")
    name_at, center_at, kinds = _columns(rows[0])
    words = {row[0].strip(): row[1].strip() for row in _rows(remarks)[1:] if len(row) > 1}
    breaks, warnings = _breaks(_rows(centers))
    found: dict[str, Area] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = [(kind, row[at].strip()) for at, kind in kinds if at < len(row) and row[at].strip()]
        name = row[name_at].strip() if name_at < len(row) else ""
        if not name or not cells:
            continue
        numbers: dict[int, None] = {}
        for kind, cell in cells:
            rule, unread = read_rule(cell)
            numbers.update(dict.fromkeys(rule.remarks))
            warnings += [f"{number}行目 {name} {kind}：「{token}」が読めません" for token in unread]
        center = row[center_at].strip() if center_at is not None and center_at < len(row) else ""
        told = tuple(words[str(item)] for item in numbers if str(item) in words)
        _add(found, Area(name, tuple(cells), center, told))
    if not found:
        raise InvalidParam("area_days.csv に、地区がありません")
    return AreaList(tuple(found.values()), breaks, tuple(warnings))


def _add(found: dict[str, Area], area: Area) -> None:
    """Some lists name two parts of a town alike: they are told apart by a number."""
    name, number = area.name, 1
    while name in found and found[name] != replace(area, name=name):
        number += 1
        name = f"{area.name}（{number}）"
    found[name] = replace(area, name=name)


def read_things(targets: bytes) -> list[Thing]:
    """``target.csv``: what belongs to which kind; raises ``InvalidParam``."""
    rows = _rows(targets)
    things = [
        Thing(row[1].strip(), row[0].strip(), *(cell.strip() for cell in row[2:4])) for row in rows[1:]
        if len(row) > 1 and row[0].strip() and row[1].strip()
    ]
    if not things:
        raise InvalidParam("target.csv に、品目がありません")
    return things


def _columns(heading: Sequence[str]) -> tuple[int, int | None, list[tuple[int, str]]]:
    titles = [title.strip() for title in heading]
    name_at = next((at for at, title in enumerate(titles) if title in _NAMES), None)
    if name_at is None:
        raise InvalidParam("area_days.csv の1行目に「地名」の列がありません")
    center_at = next((at for at, title in enumerate(titles) if title.startswith("センター")), None)
    first = (name_at if center_at is None else center_at) + 1
    kinds = [(at, title[:MAX_KIND]) for at, title in enumerate(titles) if at >= first and title]
    if not kinds or len(kinds) > _MAX_KINDS:
        raise InvalidParam("area_days.csv の1行目に、ごみの種類がありません")
    return name_at, center_at, kinds


def _breaks(rows: Sequence[Sequence[str]]) -> tuple[dict[str, tuple[Break, ...]], list[str]]:
    found: dict[str, tuple[Break, ...]] = {}
    warnings = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) < 3 or not row[0].strip():
            continue
        first, last = _day(row[1]), _day(row[2])
        if first is None or last is None or last < first or (last - first).days > 60:
            warnings.append(f"center.csv の{number}行目の日付が読めません")
            continue
        found[row[0].strip()] = (*found.get(row[0].strip(), ()), Break(first, last))
    return found, warnings


def _day(text: str) -> date | None:
    try:
        year, month, day = (int(part) for part in text.strip().replace("-", "/").split("/"))
        return date(year, month, day)
    except ValueError:
        return None


def _rows(data: bytes) -> list[list[str]]:
    if len(data) > MAX_BYTES:
        raise InvalidParam("ファイルが大きすぎます")
    try:
        rows = list(_limited(csv.reader(io.StringIO(_text(data), newline=""))))
    except csv.Error:
        raise InvalidParam("CSVとして読めませんでした") from None
    return [row for row in rows if any(cell.strip() for cell in row)]


def _limited(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    for number, row in enumerate(rows):
        if number >= _MAX_ROWS:
            raise InvalidParam("行が多すぎます")
        yield row


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidParam("文字が読めませんでした（UTF-8か Shift_JIS にしてください）")
