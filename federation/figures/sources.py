"""Where figures come from: the association's own read models, asked in the name of the node's account."""

from __future__ import annotations

from server.association.circulars.model import Progress
from server.association.circulars.reader import CircularReader
from server.association.members.members import Members
from server.association.polls.results import PollResults
from server.association.safety_checks.desk import SafetyDesk
from server.association.safety_checks.model import Figures


class AssociationSources:
    """Implements ``Sources``. Names are read here only to be counted."""

    def __init__(
        self, members: Members, circulars: CircularReader, polls: PollResults, safety: SafetyDesk
    ) -> None:
        self._members = members
        self._me = members.node_user_id
        self._circulars = circulars
        self._polls = polls
        self._safety = safety

    async def reach(self, circular_id: str) -> dict[str, int]:
        """Persons by how far a circular has come with them; ``delivered``: it stands in their app or on their paper."""
        if not self._members.blocks():
            return {"total": 0, "delivered": 0, **{progress.value: 0 for progress in Progress}}
        found = await self._circulars.reach(self._me, circular_id)
        people = [line for row in found.rows for line in row.persons]
        delivered = sum(
            1 for person, progress in people if person.user_id is not None or progress is not Progress.NOT_YET)
        columns = {progress.value: found.persons.of(progress) for progress in Progress}
        return {"total": found.persons.total, "delivered": delivered, **columns}

    async def answers(self, poll_id: str) -> dict[str, int]:
        """Votes by choice; who has answered and who has not."""
        tally = (await self._polls.count(await self._polls.poll(poll_id))).persons
        return {"total": tally.total, "answered": tally.answered, "unanswered": tally.unanswered, **tally.votes}

    async def safety(self, check_id: str) -> dict[str, int]:
        """Persons by where they stand."""
        if not self._members.blocks():
            return Figures().as_content()
        return (await self._safety.table(self._me, check_id)).persons.as_content()
