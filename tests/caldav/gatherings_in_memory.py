"""The association's gatherings as a dictionary, for tests of the calendar only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.calendars.ports import Gathering, GatheringChange, GatheringDraft
from server.foundation.errors import NotFound, Refused

NOW_MS = 1_780_000_000_000


class GatheringsInMemory:
    """A ``GatheringPort``."""

    def __init__(self) -> None:
        self.changes: list[GatheringChange] = []
        self.verbs: list[tuple[str, str, str]] = []

    async def revision(self) -> int:
        return len(self.changes)

    async def changed_since(self, revision: int) -> Sequence[GatheringChange]:
        last = {change.name: change for change in self.changes if change.revision > revision}
        return sorted(last.values(), key=lambda change: change.revision)

    async def create(self, officer: str, name: str, draft: GatheringDraft) -> Gathering:
        return self.put("create", officer, name, draft)

    async def update(self, officer: str, name: str, draft: GatheringDraft, expected_revision: int) -> Gathering:
        self._require(name, expected_revision)
        return self.put("update", officer, name, draft)

    async def cancel(self, officer: str, name: str, expected_revision: int) -> None:
        self._require(name, expected_revision)
        self.verbs.append(("cancel", officer, name))
        self.changes.append(GatheringChange(name, len(self.changes) + 1, None))

    def put(self, verb: str, officer: str, name: str, draft: GatheringDraft) -> Gathering:
        """Also the way of a test that plays an officer in a room."""
        old = self.standing(name)
        gathering = Gathering(name, draft, len(self.changes) + 1, NOW_MS, NOW_MS + len(self.changes) * 1000)
        if old is not None:
            gathering = replace(gathering, sequence=old.sequence + 1)
        self.verbs.append((verb, officer, name))
        self.changes.append(GatheringChange(name, gathering.revision, gathering))
        return gathering

    def standing(self, name: str) -> Gathering | None:
        """The gathering of that name as it is now."""
        found = [change.gathering for change in self.changes if change.name == name]
        return found[-1] if found else None

    def _require(self, name: str, expected_revision: int) -> None:
        gathering = self.standing(name)
        if gathering is None:
            raise NotFound("no such gathering")
        if gathering.revision != expected_revision:
            raise Refused("it has moved on", status=412)
