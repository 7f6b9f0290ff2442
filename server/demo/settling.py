"""Setting up people before the node runs: the roster from a CSV file, accounts, everybody's 窓口 and rooms."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from server.assembly import Node
from server.association.members.model import Person
from server.association.members.roster_exchange import ImportReport, RosterExchange

Row = Mapping[str, str]
Progress = Callable[[int], object]

_AT_ONCE: Final = 48
_NO_NAME: Final[tuple[str | None, str | None]] = (None, None)


def roster_file(rows: Sequence[Row]) -> bytes:
    """A roster as an officer has it: one line a person, headings from the first row."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


async def take_in_roster(node: Node, rows: Sequence[Row]) -> ImportReport:
    """Import a roster; raises ``ValueError`` where a line is refused, which would be a mistake in here."""
    association = node.association
    exchange = RosterExchange(node.core.clock, association.members, association.editor)
    report = await exchange.take_in(association.members.node_user_id, roster_file(rows))
    if report.bad:
        raise ValueError(f"line {report.bad[0].number} of the roster: {report.bad[0].reason}")
    return report


async def give_accounts(
    node: Node, persons: Sequence[Person], progress: Progress, names: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Give every person an account, and with it their 窓口 and rooms. ``names`` are ``(localpart, password)`` by
    person id; others get a name of random letters and no password. ``progress`` hears how many are done.
    """
    known = names or {}
    for done, batch in _batches(persons):
        user_ids = await asyncio.gather(*(
            node.accounts.create_user(*known.get(person.id, _NO_NAME), displayname=person.name) for person in batch
        ))
        async with node.association.editor.editing() as edit:
            for person, user_id in zip(batch, user_ids, strict=True):
                edit.account(person.id, user_id)
        progress(done)


def _batches(persons: Sequence[Person]) -> Iterator[tuple[int, Sequence[Person]]]:
    for start in range(0, len(persons), _AT_ONCE):
        batch = persons[start:start + _AT_ONCE]
        yield start + len(batch), batch
