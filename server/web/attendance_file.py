"""Who comes to a gathering, as a file for a spreadsheet: a line for each household's sheet and for each person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from server.association.gatherings.answers import Answer, Said
from server.association.gatherings.ledger import HomeRow, View
from server.association.polls.export import csv_file
from server.foundation.clock import tokyo_time

_HEAD = ("班", "世帯", "世帯番号", "名前", "こたえ", "来る人数", "時刻", "方法", "書いた人")


def attendance_csv(view: View, name_of: Callable[[str], str]) -> bytes:
    """Households in walking order; the first line of each says how many of it come. Who has said nothing stands there
    with nothing behind their name."""
    return csv_file(_HEAD, (line for row in view.rows for line in _lines(row, name_of)))


def _lines(row: HomeRow, name_of: Callable[[str], str]) -> Iterator[list[str]]:
    place = [row.block.name, row.household.name, row.household.number]
    people = str(row.home.coming) if row.home.answer is Answer.ACCEPTED else ""
    if row.home.sheet is not None:
        yield [*place, "（世帯）", *_said(row.home.sheet, people, name_of)]
        people = ""
    for person, said in row.persons:
        if said is None or not said.household_id:
            yield [*place, person.name, *_said(said, people, name_of)]
            people = ""


def _said(said: Said | None, people: str, name_of: Callable[[str], str]) -> list[str]:
    if said is None:
        return ["", people, "", "", ""]
    officer = name_of(said.entered_by) if said.entered_by else ""
    return [said.answer.label, people, f"{tokyo_time(said.said_ms):%Y-%m-%d %H:%M}", said.came_by.label, officer]
