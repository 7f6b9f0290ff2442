"""Table ``web_sessions``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, delete, insert, select, update

from server.storage.database import Database, Writes, metadata

web_sessions: Final = Table(
    "web_sessions", metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("password_mark", LargeBinary, nullable=False),
    Column("created_ts", BigInteger, nullable=False),
    Column("seen_ts", BigInteger, nullable=False),
)
_ADD: Final = insert(web_sessions)
_SEEN: Final = update(web_sessions).where(web_sessions.c.hash == bindparam("which")).values(seen_ts=bindparam("now"))
_DROP: Final = delete(web_sessions).where(web_sessions.c.hash == bindparam("which"))
_DROP_ALL: Final = delete(web_sessions).where(web_sessions.c.user_id == bindparam("who"))
_DROP_OLD: Final = delete(web_sessions).where(web_sessions.c.seen_ts < bindparam("before"))


@dataclass(frozen=True, slots=True)
class WebSession:
    """A browser in which ``user_id`` is logged in; ``seen_ts`` (ms) is right to the day."""

    hash: bytes
    user_id: str
    password_mark: bytes
    created_ts: int
    seen_ts: int


def add_web_session(writes: Writes, session: WebSession) -> None:
    """Store a new one."""
    writes.add(_ADD, {
        "hash": session.hash, "user_id": session.user_id, "password_mark": session.password_mark,
        "created_ts": session.created_ts, "seen_ts": session.seen_ts,
    })


def note_web_session_seen(writes: Writes, token_hash: bytes, now_ms: int) -> None:
    """Store that it is in use."""
    writes.add(_SEEN, {"which": token_hash, "now": now_ms})


def drop_web_session(writes: Writes, token_hash: bytes) -> None:
    """Forget one."""
    writes.add(_DROP, {"which": token_hash})


def drop_web_sessions_of(writes: Writes, user_id: str) -> None:
    """Forget all of a user."""
    writes.add(_DROP_ALL, {"who": user_id})


def drop_web_sessions_before(writes: Writes, ts: int) -> None:
    """Forget those that nobody has used since ``ts``."""
    writes.add(_DROP_OLD, {"before": ts})


async def web_users_seen_since(database: Database, ts: int) -> set[str]:
    """Who was here with a browser since ``ts`` (ms); right to a day."""
    rows = await database.fetch_all(
        select(web_sessions.c.user_id).where(web_sessions.c.seen_ts >= ts).distinct())
    return {str(row[0]) for row in rows}


async def web_sessions_of(database: Database, user_id: str) -> list[WebSession]:
    """All browsers of a user, used last first."""
    w = web_sessions.c
    rows = await database.fetch_all(
        select(web_sessions).where(w.user_id == user_id).order_by(w.seen_ts.desc(), w.created_ts.desc(), w.hash))
    return [WebSession(bytes(row.hash), row.user_id, bytes(row.password_mark), row.created_ts, row.seen_ts)
            for row in rows]


async def find_web_session(database: Database, token_hash: bytes) -> WebSession | None:
    """The session of a cookie."""
    row = await database.fetch_one(select(web_sessions).where(web_sessions.c.hash == token_hash))
    if row is None:
        return None
    return WebSession(bytes(row.hash), row.user_id, bytes(row.password_mark), row.created_ts, row.seen_ts)
