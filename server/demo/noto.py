"""The safety check of 1 January 2024 in figures: who answered what, among six associations in Ishikawa.

Source: 「自治会等における地域活動のデジタル化実証事業・活用ハンドブック」 of the Ministry of Internal Affairs and
Communications, example (A) Kanazawa (4): 1,536 people with the app, 910 answers, 79 read, 547 unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

Key = TypeVar("Key")

PEOPLE: Final = 1536
MOST_PEOPLE: Final = 10_000
# What the associations are called in the replay; the handbook does not name them.
CITY: Final = "金沢市"
FEDERATION: Final = "六町会連合会"
ASSOCIATIONS: Final = ("第一町会", "第二町会", "第三町会", "第四町会", "第五町会", "第六町会")
TITLE: Final = "令和6年1月1日 16時10分 能登半島地震"


class Part(StrEnum):
    """What a person does in the replay; the value is the column of the node's table."""

    SAFE = "safe"
    CONTACT = "contact"
    HELP = "help"
    READ = "read"
    UNREAD = "unread"


_ANSWERS: Final = {Part.SAFE: 909, Part.CONTACT: 1, Part.HELP: 0}
_STANDINGS: Final = {"answered": 910, "read": 79, "unread": 547}


@dataclass(frozen=True, slots=True)
class Table:
    """The table of the handbook, in persons."""

    safe: int
    contact: int
    help: int
    read: int
    unread: int

    @property
    def answered(self) -> int:
        """All who have answered, whatever they said."""
        return self.safe + self.contact + self.help

    @property
    def total(self) -> int:
        """All who were asked."""
        return self.answered + self.read + self.unread

    def __add__(self, other: Table) -> Table:
        """Both together."""
        return Table(self.safe + other.safe, self.contact + other.contact, self.help + other.help,
                     self.read + other.read, self.unread + other.unread)

    def as_json(self) -> dict[str, int]:
        """As ``--json`` prints it."""
        return {
            "users": self.total, "answered": self.answered, "safe": self.safe, "contact": self.contact,
            "help": self.help, "read_unanswered": self.read, "unread": self.unread,
        }

    def parts(self) -> list[Part]:
        """A part for everybody, in the order of the table."""
        counts = [self.safe, self.contact, self.help, self.read, self.unread]
        return [part for part, count in zip(Part, counts, strict=True) for _ in range(count)]

    def lines(self) -> list[tuple[str, int]]:
        """Heading and number of each line as the handbook prints them; what belongs to the answers is indented."""
        return [
            ("応答", self.answered), ("　無事", self.safe), ("　連絡希望", self.contact), ("　支援希望", self.help),
            ("既読（未回答）", self.read), ("未読", self.unread), ("合計", self.total),
        ]


def played(people: int = PEOPLE) -> Table:
    """The table for ``people`` persons in the same proportions; exactly the handbook's for 1,536."""
    standings = apportioned(people, _STANDINGS)
    answers = apportioned(standings["answered"], _ANSWERS)
    return Table(
        answers[Part.SAFE], answers[Part.CONTACT], answers[Part.HELP], standings["read"], standings["unread"]
    )


def apportioned(whole: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """``whole`` divided in proportion to ``weights``, so that the parts add up to it (largest remainder)."""
    total = sum(weights.values())
    parts = {key: whole * weight // total for key, weight in weights.items()}
    by_remainder: Sequence[Key] = sorted(weights, key=lambda key: -(whole * weights[key] % total))
    for key in by_remainder[: whole - sum(parts.values())]:
        parts[key] += 1
    return parts
