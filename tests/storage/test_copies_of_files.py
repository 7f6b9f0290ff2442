"""Copies of other servers' files on each database."""

from __future__ import annotations

from server.media import remote_store
from server.media.model import MediaItem, Mxc
from server.storage.database import Database
from server.storage.schema_version import migrate


async def test_copies_are_found_used_and_forgotten_on_either_database(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    try:
        await migrate(database)
        places = [Mxc("ume.example", f"file{number}") for number in range(4)]
        for number, mxc in enumerate(places):
            item = MediaItem(f"copy{number}", mxc.server_name, "image/png", "写真.png", 10 * number, 1_000 + number)
            async with database.write() as tx:
                await remote_store.add(tx, mxc, item)
        found = await remote_store.find(database, places[1])
        assert found == (MediaItem("copy1", "ume.example", "image/png", "写真.png", 10, 1_001), 1_001)
        assert await remote_store.find(database, Mxc("momo.example", "file1")) is None
        async with database.write() as tx:
            await remote_store.use(tx, "copy0", 5_000)
            await remote_store.forget(tx, ["copy2"])
        assert await remote_store.least_used(database, 2) == [("copy1", 10, 1_001), ("copy3", 30, 1_003)]
        assert await remote_store.kept_bytes(database) == 40
        assert await remote_store.with_row(database, ["copy0", "copy2", "else"]) == {"copy0"}
        assert await remote_store.with_row(database, []) == set()
    finally:
        await database.close()
