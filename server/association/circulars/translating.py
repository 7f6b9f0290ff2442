"""Circulars in other languages, by a translation service. Only circulars go there: never what people write to each
other, never what is for officers only.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from server.association.circulars.model import Circular, State
from server.association.circulars.translations_store import find_translation, put_translation
from server.association.members.model import AudienceKind
from server.foundation.clock import Clock, tokyo_time
from server.foundation.errors import Refused
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Database, Writes

# After a failure the service is left in peace for a while, so that readers need not wait for it again and again.
_PEACE_MS: Final = 60_000
_NOT_NOW: Final = "いまは 翻訳できません。あとで もう一度 ためしてください。"


class Unavailable(Exception):
    """The service gave no answer that can be used."""


class Translator(Protocol):
    """A translation service."""

    async def translate(self, lines: Sequence[str], language: str) -> list[str]:
        """Japanese lines in another language, as many as were given; raises ``Unavailable``."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A circular in another language, as a machine has put it."""

    title: str
    text: str


class CircularTranslations:
    """What was translated once is kept as long as the circular says the same."""

    def __init__(self, database: Database, clock: Clock, translator: Translator, letters_a_day: int) -> None:
        self._database = database
        self._clock = clock
        self._translator = translator
        self._letters_a_day = letters_a_day
        self._turns = KeyedLocks()
        self._failed_ms = -_PEACE_MS
        self._day = ""
        self._sent = 0

    def may_be_sent(self, circular: Circular) -> bool:
        """Whether its text may leave the node: what is for officers only, or was withdrawn, may not."""
        return circular.state is not State.WITHDRAWN and circular.audience.kind is not AudienceKind.OFFICERS

    async def of(self, circular: Circular, language: str) -> Translated:
        """A circular in a language; raises ``Refused`` (503) where that cannot be had now."""
        if not self.may_be_sent(circular):
            raise Refused("この回覧は、翻訳できません。", status=403)
        lines = [circular.title, *circular.text.split("\n")]
        source = hashlib.blake2b("\n".join(lines).encode(), digest_size=20).hexdigest()
        async with self._turns.hold((source, language)):
            known = await find_translation(self._database, source, language)
            if known is None or len(known) != len(lines):
                known = await self._translated(lines, language)
                writes = Writes()
                put_translation(writes, source, language, known, self._clock.now_ms())
                await asyncio.shield(self._database.submit(writes))
        return Translated(known[0], "\n".join(known[1:]))

    async def _translated(self, lines: list[str], language: str) -> list[str]:
        """Empty lines stay where they are."""
        said = [line for line in lines if line.strip()]
        self._require_allowed(sum(map(len, said)))
        try:
            answers = iter(await self._translator.translate(said, language))
        except Unavailable:
            self._failed_ms = self._clock.now_ms()
            raise Refused(_NOT_NOW, status=503) from None
        return [next(answers) if line.strip() else "" for line in lines]

    def _require_allowed(self, letters: int) -> None:
        now = self._clock.now_ms()
        day = tokyo_time(now).date().isoformat()
        if day != self._day:
            self._day, self._sent = day, 0
        if now - self._failed_ms < _PEACE_MS:
            raise Refused(_NOT_NOW, status=503)
        if self._sent + letters > self._letters_a_day:
            raise Refused("きょうの 翻訳は、もう いっぱいです。あした もう一度 ためしてください。", status=503)
        self._sent += letters
