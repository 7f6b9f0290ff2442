"""A translation service that speaks like LibreTranslate (https://docs.libretranslate.com): ``POST /translate``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import orjson

from server.association.circulars.translating import Unavailable
from server.foundation.outgoing import Outgoing, Unreachable

logger = logging.getLogger(__name__)

_SOURCE: Final = "ja"
_LIMIT: Final = 512 * 1024
_TIMEOUT_S: Final = 20.0
_MOST_LETTERS: Final = 20_000


class LibreTranslate:
    """A ``Translator``. ``url`` is that of the service, ``key`` empty where it wants none."""

    def __init__(self, outgoing: Outgoing, url: str, key: str) -> None:
        self._outgoing = outgoing
        self._url = f"{url.rstrip('/')}/translate"
        self._key = key

    async def translate(self, lines: Sequence[str], language: str) -> list[str]:
        """Japanese lines in another language; raises ``Unavailable``."""
        asked = {"q": list(lines), "source": _SOURCE, "target": language, "format": "text"}
        body = orjson.dumps({**asked, **({"api_key": self._key} if self._key else {})})
        try:
            answer = await self._outgoing.fetch(
                "POST", self._url, body=body, headers={"Content-Type": "application/json"}, limit=_LIMIT,
                timeout_s=_TIMEOUT_S)
        except Unreachable as fault:
            logger.warning("the translation service gave no answer: %s", fault)
            raise Unavailable from None
        if answer.status != 200:
            logger.warning("the translation service refused: status=%s", answer.status)
            raise Unavailable
        return _lines_of(answer.body, len(lines))

    async def close(self) -> None:
        """Close the connections."""
        await self._outgoing.close()


def _lines_of(body: bytes, count: int) -> list[str]:
    try:
        told: Any = orjson.loads(body)
        found = told["translatedText"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Unavailable from None
    if not isinstance(found, list) or len(found) != count or not all(isinstance(line, str) for line in found):
        raise Unavailable
    return [" ".join(line.replace("\0", "").split())[:_MOST_LETTERS] for line in found]
