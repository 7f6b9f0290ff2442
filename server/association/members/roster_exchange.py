"""Taking a roster file in, and giving one out. Every look at the whole roster is logged (R117)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.association.members.edit import Edit
from server.association.members.editor import MemberEditor
from server.association.members.members import Members
from server.association.members.model import Person, Right
from server.association.members.roster import FORMULA_SIGNS, BadLine, Roster, parse_roster
from server.association.members.roster_plan import RosterPlan
from server.foundation.clock import Clock

HEADINGS: Final = (
    "ID", "班", "世帯番号", "世帯", "氏名", "ふりがな", "電話", "連絡方法", "紙希望", "役職", "グループ", "登録",
)
_LOOKS_LIKE_A_FORMULA: Final = (*FORMULA_SIGNS, "\t", "\r")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do (``is_trial``). Counts are persons; ``bad`` are the lines that were left out."""

    is_trial: bool
    encoding: str
    added: int
    changed: int
    unchanged: int
    bad: Sequence[BadLine]
    new_blocks: Sequence[str]
    new_groups: Sequence[str]
    ignored_columns: Sequence[str]


class RosterExchange:
    """Import and export of the roster."""

    def __init__(self, clock: Clock, members: Members, editor: MemberEditor) -> None:
        self._clock = clock
        self._members = members
        self._editor = editor

    async def take_in(self, officer: str, data: bytes, *, trial: bool = False) -> ImportReport:
        """Take the good lines of a file into the roster, all in one transaction; the bad ones are in the report.

        A person who is there already is updated, never doubled, and nobody is removed. With ``trial`` nothing is
        written. Raises ``Forbidden``, ``TooLarge``, and ``BadRequest`` where the file is no roster.
        """
        self._members.require(officer, Right.EDIT_ROSTER)
        roster = parse_roster(data)
        if trial:
            return self._report(roster, self._planned(officer, roster, Edit(self._members.register)), is_trial=True)
        async with self._editor.editing() as edit:
            plan = self._planned(officer, roster, edit)
        return self._report(roster, plan, is_trial=False)

    async def give_out(self, officer: str) -> bytes:
        """The whole roster as CSV (UTF-8 with a mark that Excel understands, CRLF); ``take_in`` reads it again.

        No cell can be taken for a formula (an apostrophe stands before it, which ``take_in`` removes).
        """
        self._members.require(officer, Right.SEE_ROSTER)
        await self._members.log_look(officer, "名簿のファイル")
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(HEADINGS)
        writer.writerows([_safe(cell) for cell in row] for row in self._rows())
        return b"\xef\xbb\xbf" + out.getvalue().encode()

    def _planned(self, officer: str, roster: Roster, edit: Edit) -> RosterPlan:
        may_give_roles = self._members.may(officer, Right.GIVE_ROLES)
        plan = RosterPlan(self._members.register, edit, self._clock.now_ms(), may_give_roles=may_give_roles)
        plan.take(roster.lines)
        return plan

    def _report(self, roster: Roster, plan: RosterPlan, *, is_trial: bool) -> ImportReport:
        tally = plan.tally
        bad = sorted([*roster.bad, *plan.bad], key=lambda line: line.number)
        return ImportReport(
            is_trial, roster.encoding, tally.added, tally.changed, tally.unchanged, bad, tally.new_blocks,
            tally.new_groups, roster.ignored_columns,
        )

    def _rows(self) -> Iterator[list[str]]:
        for person in self._members.persons():
            yield self._row(person)

    def _row(self, person: Person) -> list[str]:
        home = self._members.household(person.household_id)
        roles = self._members.roles_of(person.id)
        return [
            person.id, self._members.block(home.block_id).name, home.number, home.name, person.name, person.kana,
            person.phone, home.channel.label, "○" if person.wants_paper else "",
            "、".join(sorted(role.label for role in roles)),
            "、".join(group.name for group in self._members.groups_of(person.id)),
            "済" if person.user_id is not None else "",
        ]


def _safe(cell: str) -> str:
    """OWASP "CSV Injection": a cell that begins like a formula is shown as text."""
    return "'" + cell if cell.startswith(_LOOKS_LIKE_A_FORMULA) else cell
