"""A disk without room: nothing half written, plain words, and everything goes on when there is room again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from server.storage.database import Database, Writes
from server.storage.faults import StorageFull
from tests.builders import RunningNode, settings_for

_INSERT = text("INSERT INTO things VALUES (:name)")


async def _fill(database: Database, pages: int) -> None:
    """Let the database grow to so many pages and no further."""
    async with database.write() as tx:
        await tx.run_sql(f"PRAGMA max_page_count = {pages}")


async def test_rows_that_find_no_room_are_refused_in_plain_words(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/things.db")
    await database.open()
    try:
        async with database.write() as tx:
            await tx.run_sql("CREATE TABLE things (name TEXT)")
        await _fill(database, 3)
        writes = Writes()
        writes.add(_INSERT, {"name": "x" * 100_000})
        with pytest.raises(StorageFull) as refusal:
            await database.submit(writes)
        assert refusal.value.status == 507
        with pytest.raises(StorageFull):
            async with database.write() as tx:
                await tx.execute(_INSERT, {"name": "x" * 100_000})
        assert await database.fetch_all(text("SELECT name FROM things")) == []
    finally:
        await database.close()


async def test_a_node_whose_disk_is_full_reads_on_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        await hanako.says(room, "まえ")
        database = node.inside.core.database
        await _fill(database, 1)  # not a page more than there are

        refused = await hanako.sends(room, "m.room.message", {"msgtype": "m.text", "body": "x" * 40_000}, txn="t")

        assert refused.refusal == (507, "M_RESOURCE_LIMIT_EXCEEDED")
        assert (await hanako.syncs()).texts(room) == ["まえ"]
        await _fill(database, 2**30)
        again = await hanako.sends(room, "m.room.message", {"msgtype": "m.text", "body": "あと"}, txn="t")
        assert again.status == 200
        assert (await hanako.syncs()).texts(room) == ["まえ", "あと"]
