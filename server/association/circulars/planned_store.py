"""Table ``planned_circulars``: what waits for its time."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.association.circulars.model import Attachment, Category, Letter
from server.association.circulars.planned import Planned
from server.association.members.model import Audience
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

planned_circulars: Final = Table(
    "planned_circulars", metadata,
    Column("id", Text, primary_key=True),
    Column("officer", Text, nullable=False),
    Column("letter", Text, nullable=False),
    Column("publish_ts", BigInteger, nullable=False),
    Column("fault", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
_PUT: Final = upsert(planned_circulars)
_DROP: Final = delete(planned_circulars).where(planned_circulars.c.id == bindparam("which"))


def put_planned(writes: Writes, planned: Planned) -> None:
    """Store what is planned."""
    letter = planned.letter
    content = {
        "title": letter.title, "text": letter.text, "audience": str(letter.audience), "category": letter.category.value,
        "deadline": letter.deadline, "attachments": [item.as_json() for item in letter.attachments],
        "important": letter.is_important,
    }
    writes.add(_PUT, {
        "id": planned.id, "officer": planned.officer, "letter": orjson.dumps(content).decode(),
        "publish_ts": planned.publish_ts, "fault": planned.fault, "revision": planned.revision,
    })


def drop_planned(writes: Writes, planned_id: str) -> None:
    """It was sent round, or is not wanted any more."""
    writes.add(_DROP, {"which": planned_id})


async def load_planned(database: Database) -> list[Planned]:
    """Everything, the soonest first."""
    p = planned_circulars.c
    rows = await database.fetch_all(select(planned_circulars).order_by(p.publish_ts, p.id))
    return [_as_planned(row) for row in rows]


def _as_planned(row: Any) -> Planned:
    told = orjson.loads(row.letter)
    letter = Letter(
        title=told["title"], text=told["text"], audience=Audience.parse(told["audience"]),
        category=Category(told["category"]), deadline=told["deadline"],
        attachments=tuple(Attachment.from_json(item) for item in told["attachments"]),
        is_important=told.get("important") is True,
    )
    return Planned(row.id, row.officer, letter, row.publish_ts, row.fault, row.revision)
