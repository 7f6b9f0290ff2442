"""Table ``looks``: how people want to see the pages and to be told of news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Integer, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

looks: Final = Table(
    "looks", metadata,
    Column("user_id", Text, primary_key=True),
    Column("language", Text, nullable=False),
    Column("letters", Integer, nullable=False),
    Column("quiet_from", Integer, nullable=False),
    Column("quiet_to", Integer, nullable=False),
    Column("muted", Text, nullable=False),
)
_SET: Final = upsert(looks)
_DROP: Final = delete(looks).where(looks.c.user_id == bindparam("who"))


@dataclass(frozen=True, slots=True)
class Look:
    """``language`` is a code or empty for the browser's, ``letters`` 1 (20 px) to 3 (30 px).

    Quiet hours go from ``quiet_from`` to ``quiet_to`` (minutes since midnight in Japan); equal ones: there are none.
    ``muted`` are the kinds of news that do not ring.
    """

    language: str = ""
    letters: int = 1
    quiet_from: int = 21 * 60
    quiet_to: int = 7 * 60
    muted: frozenset[str] = frozenset()

    def is_quiet_at(self, minute: int) -> bool:
        """Whether a minute of the day lies in the quiet hours."""
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= minute < self.quiet_to
        return minute >= self.quiet_from or minute < self.quiet_to


def set_look(writes: Writes, user_id: str, look: Look) -> None:
    """Store what somebody wants."""
    writes.add(_SET, {
        "user_id": user_id, "language": look.language, "letters": look.letters, "quiet_from": look.quiet_from,
        "quiet_to": look.quiet_to, "muted": " ".join(sorted(look.muted)),
    })


def drop_look(writes: Writes, user_id: str) -> None:
    """Forget it."""
    writes.add(_DROP, {"who": user_id})


async def find_look(database: Database, user_id: str) -> Look | None:
    """What somebody wants, if they have ever said so."""
    row = await database.fetch_one(select(looks).where(looks.c.user_id == user_id))
    if row is None:
        return None
    return Look(row.language, row.letters, row.quiet_from, row.quiet_to, frozenset(row.muted.split()))
