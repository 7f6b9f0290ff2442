"""How a connection to the database is set up, by its URL."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, create_engine, event

# How long to wait for a lock; and a machine that has vanished is given up after ten seconds.
POSTGRESQL: Final = {
    "lock_timeout": "3000", "tcp_keepalives_idle": "4", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3",
}
BUSY_MS: Final = 10_000
_WRITING: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # What was erased must be nowhere on the disk. FAST would leave it in whole pages that are free now.
    "PRAGMA secure_delete=ON",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA cache_size=-4000",
)
_READING: Final = ("PRAGMA query_only=ON", f"PRAGMA busy_timeout={BUSY_MS}", "PRAGMA cache_size=-2000")


def writing_engine(url: str, readers: int) -> Engine:
    """For the writer, and on PostgreSQL for ``readers`` who read beside it, too."""
    pool = {"pool_size": readers + 1, "max_overflow": readers}
    if not url.startswith("sqlite"):
        return create_engine(url, hide_parameters=True, connect_args={"server_settings": POSTGRESQL}, **pool)
    return _sqlite_engine(url, _WRITING, **pool)


def reading_engine(url: str, readers: int) -> Engine:
    """For ``readers`` who read from SQLite, each on a thread of its own."""
    return _sqlite_engine(url.replace("+aiosqlite", "", 1), _READING, pool_size=readers)


def _sqlite_engine(url: str, pragmas: tuple[str, ...], **pool: int) -> Engine:
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, hide_parameters=True, **pool
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return engine
