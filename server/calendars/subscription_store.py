"""Table ``calendar_subscriptions``: where a calendar that somebody else publishes is fetched from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, delete, select

from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

# The key of the city's calendar.
PUBLIC: Final = "public"
# How often it is asked for.
EVERY_MS: Final = 6 * 3_600_000

subscriptions: Final = Table(
    "calendar_subscriptions", metadata,
    Column("calendar", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("good_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False),
)
_SET: Final = upsert(subscriptions)
_DROP: Final = delete(subscriptions).where(subscriptions.c.calendar == bindparam("dropped"))


@dataclass(frozen=True, slots=True)
class Subscription:
    """``etag`` and ``modified`` are headers of the last good answer, as they came; ``good_ms`` is when that was,
    ``next_ms`` when it is asked for again; ``trouble`` what went wrong since, in words for officers."""

    url: str
    etag: str = ""
    modified: str = ""
    good_ms: int = 0
    next_ms: int = 0
    trouble: str = ""

    def is_due(self, now_ms: int) -> bool:
        """Whether to ask for it now; also where that is further away than it ever was: the clock was set back."""
        return not 0 < self.next_ms - now_ms <= EVERY_MS


async def subscription_of(database: Database, calendar: str) -> Subscription | None:
    """Where ``calendar`` comes from, if it is subscribed to."""
    row = await database.fetch_one(select(subscriptions).where(subscriptions.c.calendar == calendar))
    return None if row is None else Subscription(
        row.url, row.etag, row.modified, row.good_ms, row.next_ms, row.trouble)


def set_subscription(writes: Writes, calendar: str, found: Subscription) -> None:
    """Store it over the one before."""
    writes.add(_SET, {
        "calendar": calendar, "url": found.url, "etag": found.etag, "modified": found.modified,
        "good_ms": found.good_ms, "next_ms": found.next_ms, "trouble": found.trouble,
    })


def drop_subscription(writes: Writes, calendar: str) -> None:
    """It comes from nowhere any more."""
    writes.add(_DROP, {"dropped": calendar})
