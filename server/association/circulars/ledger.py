"""The ledger of a year's circulars: how many households each has reached, how soon, and by which way. Reading only.

Seen in the app, opened, acknowledged, handed over on paper and told by telephone are counted alike, once a household.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.association.circulars import circulars_store as store
from server.association.circulars.circulars_store import Mark
from server.association.circulars.model import Circular, State
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.errors import NotFound
from server.storage.database import Database

_HOUR_MS = 3_600_000
IN_THE_APP = (store.KIND_SEEN, store.KIND_OPENED, store.KIND_ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class CircularFigures:
    """One circular. ``hours_to_half`` and ``hours_to_most`` (80 %) are ``None`` where it never came so far."""

    circular: Circular
    households: int
    reached: int
    paper: int
    phone: int
    persons: int
    seen: int
    acknowledged: int
    hours_to_half: float | None
    hours_to_most: float | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A year: its circulars, and who did anything with any of them in the app (ids of persons)."""

    figures: Sequence[CircularFigures]
    active: frozenset[str]


class CircularLedger:
    """Counts with the roster of today: who has left counts no more, who came later counts as not reached."""

    def __init__(self, database: Database, members: Members) -> None:
        self._database = database
        self._members = members

    async def between(self, officer: str, first_ms: int, last_ms: int) -> Ledger:
        """The circulars posted in a time, withdrawn ones left out. Raises ``Forbidden``."""
        self._members.require(officer, Right.POST_CIRCULARS)
        circulars = await store.circulars_between(self._database, first_ms, last_ms)
        marks = await store.marks_of_circulars(self._database, first_ms, last_ms)
        stays = [item for item in circulars if item.state is not State.WITHDRAWN]
        figures = [self._figures(item, marks.get(item.id, ())) for item in stays]
        active = {mark.person_id for found in marks.values() for mark in found if mark.kind in IN_THE_APP}
        return Ledger(figures, frozenset(active))

    def _figures(self, circular: Circular, marks: Sequence[Mark]) -> CircularFigures:
        home_of = self._homes(circular)
        homes = set(home_of.values())
        first = _first_times(marks, home_of, homes)
        after = sorted(max(0, ts - circular.created_ts) for ts in first.values())
        return CircularFigures(
            circular, len(homes), len(first), _homes_by(marks, store.KIND_PAPER, homes),
            _homes_by(marks, store.KIND_PHONE, homes), len(home_of), _persons_by(marks, IN_THE_APP, home_of),
            _persons_by(marks, (store.KIND_ACKNOWLEDGED,), home_of),
            hours_to(50, after, len(homes)), hours_to(80, after, len(homes)),
        )

    def _homes(self, circular: Circular) -> dict[str, str]:
        """The household of each person whom it is for."""
        try:
            return {person.id: person.household_id for person in self._members.audience(circular.audience)}
        except NotFound:
            return {}  # its block or group is gone


def hours_to(percent: int, after_ms: Sequence[int], total: int) -> float | None:
    """After how many hours so many of ``total`` were reached; ``after_ms`` are their times in order."""
    wanted = -(-total * percent // 100)
    return round(after_ms[wanted - 1] / _HOUR_MS, 1) if 0 < wanted <= len(after_ms) else None


def _first_times(marks: Iterable[Mark], home_of: Mapping[str, str], homes: set[str]) -> dict[str, int]:
    """When each household was reached first."""
    first: dict[str, int] = {}
    for mark in marks:
        home = mark.household_id or home_of.get(mark.person_id, "")
        if home in homes:
            first[home] = min(mark.ts, first.get(home, mark.ts))
    return first


def _homes_by(marks: Iterable[Mark], kind: str, homes: set[str]) -> int:
    return len({mark.household_id for mark in marks if mark.kind == kind and mark.household_id in homes})


def _persons_by(marks: Iterable[Mark], kinds: Sequence[str], home_of: Mapping[str, str]) -> int:
    return len({mark.person_id for mark in marks if mark.kind in kinds and mark.person_id in home_of})
