"""What people are invited to as a dictionary, for tests of the calendar only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.calendars.ports import Gathering, GatheringDraft, Invitation
from tests.caldav.gatherings_in_memory import NOW_MS


class InvitationsInMemory:
    """An ``InvitationPort``: everybody but ``strangers`` is invited to everything."""

    def __init__(self) -> None:
        self.last = 0
        self.gatherings: dict[str, Gathering] = {}
        self.answers: dict[tuple[str, str], tuple[str, int]] = {}
        self.strangers: set[str] = set()
        self.gone: set[str] = set()

    def invite(self, name: str, draft: GatheringDraft, *, sequence: int = 0) -> None:
        self.last += 1
        self.gatherings[name] = Gathering(name, draft, self.last, NOW_MS, NOW_MS + self.last, sequence)

    def withdraw(self, name: str) -> None:
        self.last += 1
        self.gatherings[name] = replace(self.gatherings[name], revision=self.last)
        self.gone.add(name)

    async def position(self, user_id: str) -> int:
        return self.last

    async def place(self, user_id: str) -> str | None:
        return None if user_id in self.strangers else "somewhere"

    async def invitations(self, user_id: str) -> Sequence[Invitation]:
        found = []
        for name, gathering in self.gatherings.items():
            partstat, at = self.answers.get((user_id, name), ("NEEDS-ACTION", 0))
            found.append(Invitation(gathering, partstat, max(gathering.revision, at), name not in self.gone))
        return found

    async def answer(self, user_id: str, name: str, partstat: str) -> None:
        self.last += 1
        self.answers[user_id, name] = (partstat, self.last)

    def name_of(self, user_id: str) -> str:
        return "佐藤 花子"
