"""Tables ``board_authors``, ``board_waiting`` and ``board_decisions``: what is in no room."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, func, select, update

from server.association.board.contents import post_content, read_post
from server.association.board.model import Decision, Standing, Waiting
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

authors: Final = Table(
    "board_authors", metadata,
    Column("post_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
waiting: Final = Table(
    "board_waiting", metadata,
    Column("id", Text, primary_key=True),
    Column("author", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("anonymous", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
decisions: Final = Table(
    "board_decisions", metadata,
    Column("id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ts", BigInteger, nullable=False),
)
_ADD_AUTHOR: Final = upsert(authors, replace=())
_DROP_AUTHOR: Final = delete(authors).where(authors.c.post_id == bindparam("post"))
_DROP_AUTHORS_OF: Final = delete(authors).where(authors.c.user_id == bindparam("who"))
_ADD_WAITING: Final = upsert(waiting, replace=())
_DECIDE: Final = (
    update(waiting).where(waiting.c.id == bindparam("which"), waiting.c.state == "waiting")
    .values(state=bindparam("new"), decided_by=bindparam("officer"), reason=bindparam("why"))
)
_DROP_WAITING_OF: Final = delete(waiting).where(waiting.c.author == bindparam("who"))
_ADD_DECISION: Final = upsert(decisions, replace=())


def add_author(writes: Writes, post_id: str, user_id: str, ts: int) -> None:
    """Store who has asked without a name."""
    writes.add(_ADD_AUTHOR, {"post_id": post_id, "user_id": user_id, "ts": ts})


def drop_author(writes: Writes, post_id: str) -> None:
    """Nothing was said after all."""
    writes.add(_DROP_AUTHOR, {"post": post_id})


def add_waiting(writes: Writes, item: Waiting) -> None:
    """Store what waits for an officer's yes."""
    content = post_content(item.id, item.writing)["jp.kairan.board.post"]
    writes.add(_ADD_WAITING, {
        "id": item.id, "author": item.author, "content": orjson.dumps(content).decode(),
        "anonymous": int(item.is_anonymous), "state": item.standing.value, "decided_by": "", "reason": "",
        "ts": item.ts,
    })


def decide_waiting(writes: Writes, item_id: str, standing: Standing, officer: str, reason: str) -> None:
    """Store what an officer has said."""
    writes.add(_DECIDE, {"which": item_id, "new": standing.value, "officer": officer, "why": reason})


def add_decision(writes: Writes, decision: Decision) -> None:
    """Store what was decided about something that was reported."""
    writes.add(_ADD_DECISION, {
        "id": decision.id, "event_id": decision.event_id, "post_id": decision.post_id, "officer": decision.officer,
        "action": decision.action, "reason": decision.reason, "ts": decision.ts,
    })


def forget_author(writes: Writes, user_id: str) -> None:
    """Somebody leaves the association."""
    writes.add(_DROP_AUTHORS_OF, {"who": user_id})
    writes.add(_DROP_WAITING_OF, {"who": user_id})


async def author_of(database: Database, post_id: str) -> str | None:
    """Who has asked without a name."""
    row = await database.fetch_one(select(authors.c.user_id).where(authors.c.post_id == post_id))
    return None if row is None else str(row[0])


async def anonymous_posts_of(database: Database, user_id: str) -> list[str]:
    """What somebody has asked without a name."""
    rows = await database.fetch_all(select(authors.c.post_id).where(authors.c.user_id == user_id))
    return [str(row[0]) for row in rows]


async def find_waiting(database: Database, item_id: str) -> Waiting | None:
    """One post that waits, or has waited."""
    row = await database.fetch_one(select(waiting).where(waiting.c.id == item_id))
    return None if row is None else _as_waiting(row)


async def waiting_posts(database: Database, author: str | None = None) -> list[Waiting]:
    """What waits, the oldest first: all of it, or what one account has written."""
    asked = select(waiting).where(waiting.c.state == "waiting").order_by(waiting.c.ts, waiting.c.id)
    if author is not None:
        asked = asked.where(waiting.c.author == author)
    return [_as_waiting(row) for row in await database.fetch_all(asked)]


async def last_decisions(database: Database) -> dict[str, int]:
    """When something was last decided about, by its message."""
    asked = select(decisions.c.event_id, func.max(decisions.c.ts)).group_by(decisions.c.event_id)
    return {row[0]: int(row[1]) for row in await database.fetch_all(asked)}


async def newest_decisions(database: Database, limit: int, *, beside_the_board: bool = False) -> list[Decision]:
    """What was decided about the board, or about what is in no post, the last first."""
    is_wanted = decisions.c.post_id == "" if beside_the_board else decisions.c.post_id != ""
    asked = select(decisions).where(is_wanted).order_by(decisions.c.ts.desc(), decisions.c.id).limit(limit)
    return [Decision(**row._mapping) for row in await database.fetch_all(asked)]


def _as_waiting(row: Any) -> Waiting:
    _, writing, _, _ = read_post(orjson.loads(row.content))
    return Waiting(
        row.id, row.author, writing, bool(row.anonymous), row.ts, Standing(row.state), row.decided_by, row.reason
    )
