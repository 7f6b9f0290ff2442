"""SQLite's log is emptied when nobody reads from it, and nobody loses anything by that."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import text

from server.storage.database import Database


async def test_the_log_is_emptied_unless_somebody_reads(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    await database.open()
    async with database.write() as tx:
        await tx.run_sql("CREATE TABLE notes (words TEXT)")
        await tx.run_sql("INSERT INTO notes VALUES ('himitsu')")
    log = tmp_path / "a.db-wal"
    assert log.stat().st_size > 0
    reader = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT words FROM notes").fetchall() == [("himitsu",)]
    async with database.write() as tx:
        await tx.run_sql("DELETE FROM notes")
    assert not await database.empty_log()
    assert reader.execute("SELECT words FROM notes").fetchall() == [("himitsu",)]
    async with database.write() as tx:
        await tx.run_sql("INSERT INTO notes VALUES ('mada')")
    reader.close()
    assert await database.empty_log()
    assert log.stat().st_size == 0
    assert b"himitsu" not in (tmp_path / "a.db").read_bytes()
    assert [row[0] for row in await database.fetch_all(text("SELECT words FROM notes"))] == ["mada"]
    await database.close()
