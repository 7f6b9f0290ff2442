"""Gatherings as things to be reminded of: who comes, whom it is for, when it is. Plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, State
from server.association.gatherings.occurrences import Occurrence, occurrences_after
from server.association.members.members import Members
from server.foundation.errors import NotFound

_MOST: Final = 40
# How far a look ahead reaches that is kept for the next rounds.
_KEPT_MS: Final = 3 * 86_400_000


@dataclass(frozen=True, slots=True)
class Coming:
    """One time that a gathering takes place. ``attending`` are accounts with the time of their answer."""

    occurrence: Occurrence
    attending: dict[str, int]
    others: frozenset[str]


class ComingGatherings:
    """What begins soon; loaded recurrence rules and SQL only where something does."""

    def __init__(self, gatherings: Gatherings, attendance: Attendance, members: Members) -> None:
        self._gatherings = gatherings
        self._attendance = attendance
        self._members = members
        self._kept: dict[str, tuple[int, int, list[Occurrence]]] = {}

    async def between(self, first_ms: int, last_ms: int) -> list[Coming]:
        """Planned gatherings that begin after ``first_ms`` and not after ``last_ms``."""
        found = list(self._occurrences(first_ms, last_ms))
        said = await self._attendance.to(occurrence.gathering for occurrence in found)
        coming: dict[str, dict[str, int]] = {}
        declined: dict[str, set[str]] = {}
        for item in said:
            if item.answer is Answer.ACCEPTED:
                coming.setdefault(item.gathering_id, {})[item.user_id] = item.said_ms
            elif item.answer is Answer.DECLINED:
                declined.setdefault(item.gathering_id, set()).add(item.user_id)
        return [
            Coming(occurrence, coming.get(occurrence.gathering.id, {}),
                   self._audience(occurrence.gathering) - declined.get(occurrence.gathering.id, set()))
            for occurrence in found
        ]

    def _occurrences(self, first_ms: int, last_ms: int) -> Iterator[Occurrence]:
        for gathering in self._gatherings.changed_since(0):
            if gathering.state is State.PLANNED:
                for occurrence in self._soon(gathering, first_ms, last_ms):
                    if first_ms < occurrence.start_ms <= last_ms:
                        yield occurrence

    def _soon(self, gathering: Gathering, first_ms: int, last_ms: int) -> list[Occurrence]:
        """At least what begins in that time; a long series is not walked again and again."""
        revision, until_ms, found = self._kept.get(gathering.id, (-1, 0, []))
        if revision != gathering.revision or last_ms > until_ms:
            found = occurrences_after(gathering, first_ms, _MOST)
            self._kept[gathering.id] = (gathering.revision, first_ms + _KEPT_MS, found)
        return found

    def _audience(self, gathering: Gathering) -> frozenset[str]:
        try:
            persons = self._members.audience(gathering.audience)
        except NotFound:
            return frozenset()  # its block or group is gone
        return frozenset(person.user_id for person in persons if person.user_id is not None)
