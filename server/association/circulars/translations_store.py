"""Table ``translations``: circulars in other languages, so that nothing is sent to a service twice."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

translations: Final = Table(
    "translations", metadata,
    Column("source", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_PUT: Final = upsert(translations)


def put_translation(writes: Writes, source: str, language: str, lines: list[str], ts: int) -> None:
    """Keep the lines of a text in another language; ``source`` is a digest of the text."""
    writes.add(_PUT, {"source": source, "language": language, "text": orjson.dumps(lines).decode(), "ts": ts})


async def find_translation(database: Database, source: str, language: str) -> list[str] | None:
    """What is kept."""
    t = translations.c
    row = await database.fetch_one(select(t.text).where(t.source == source, t.language == language))
    return None if row is None else [str(line) for line in orjson.loads(row.text)]
