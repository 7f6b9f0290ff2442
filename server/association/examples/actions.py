"""The verbs of good examples: recommend, take back, look."""

from __future__ import annotations

import asyncio
from typing import Final

from server.association.examples.examples_store import drop_example, find_example, load_examples, put_example
from server.association.examples.model import MAX_NOTE, Example, Kind
from server.association.members.members import Members
from server.association.members.model import Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam
from server.storage.database import Database, Writes

_RIGHTS: Final = {Kind.CIRCULAR: Right.POST_CIRCULARS, Kind.GATHERING: Right.ARRANGE_GATHERINGS}


class Examples:
    """Good examples. Whether a thing is there is for the door to know: it has just shown it."""

    def __init__(self, database: Database, clock: Clock, members: Members) -> None:
        self._database = database
        self._clock = clock
        self._members = members

    async def all(self, officer: str) -> list[Example]:
        """All of them, the newest first; for officers, also those of a block."""
        if not any(self._members.blocks_with(officer, right) for right in _RIGHTS.values()):
            raise Forbidden("このページは、役員だけが 使えます。")
        return await load_examples(self._database)

    async def find(self, kind: Kind, thing_id: str) -> Example | None:
        """Whether something is a good example."""
        return await find_example(self._database, kind, thing_id)

    async def recommend(self, officer: str, kind: Kind, thing_id: str, note: str = "") -> None:
        """Mark something as a good example, with a word to the next officers. Twice is once, with the newer word."""
        self._require(officer, kind)
        note = note.strip()
        if len(note) > MAX_NOTE:
            raise InvalidParam(f"ひとことは{MAX_NOTE}字までです")
        writes = Writes()
        put_example(writes, Example(kind, thing_id, note, officer, self._clock.now_ms()))
        await asyncio.shield(self._database.submit(writes))

    async def take_back(self, officer: str, kind: Kind, thing_id: str) -> None:
        """It is none any more."""
        self._require(officer, kind)
        writes = Writes()
        drop_example(writes, kind, thing_id)
        await asyncio.shield(self._database.submit(writes))

    def _require(self, officer: str, kind: Kind) -> None:
        if not self._members.blocks_with(officer, _RIGHTS[kind]):
            self._members.require(officer, _RIGHTS[kind])
