"""The verbs of standing papers: read them all, write one."""

from __future__ import annotations

import asyncio

from server.association.members.members import Members
from server.association.members.model import Right
from server.association.standing_papers import papers_store as store
from server.association.standing_papers.model import MAX_TEXT, Kind, StandingPaper
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, Refused
from server.storage.database import Database, Writes


class StandingPapers:
    """The association's standing papers; a handful, kept in memory once they were asked for."""

    def __init__(self, database: Database, clock: Clock, members: Members) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._known: dict[Kind, StandingPaper] | None = None
        self._turn = asyncio.Lock()

    async def all(self) -> dict[Kind, StandingPaper]:
        """A paper for each kind, also where nobody has written one yet."""
        if self._known is None:
            found = {paper.kind: paper for paper in await store.all_papers(self._database)}
            self._known = {kind: found.get(kind, StandingPaper(kind)) for kind in Kind}
        return self._known

    async def write(self, officer: str, kind: Kind, text: str, expected_revision: int) -> StandingPaper:
        """Write one anew. Raises ``Forbidden``, ``InvalidParam``, ``Refused`` (412): another officer was faster."""
        self._members.require(officer, Right.POST_CIRCULARS)
        if len(text) > MAX_TEXT:
            raise InvalidParam(f"本文は{MAX_TEXT}字までです。長いものは 回覧で おくってください。", field="text")
        async with self._turn:
            known = await self.all()
            if known[kind].revision != expected_revision:
                raise Refused("ほかの人が 先に 変えました。もう一度 ひらいて、くらべてください。", status=412)
            paper = StandingPaper(kind, text, expected_revision + 1, officer, self._clock.now_ms())
            writes = Writes()
            store.set_paper(writes, paper)
            writes.after_commit.append(lambda: known.update({kind: paper}))
            await asyncio.shield(self._database.submit(writes))
        return paper
