"""A database of every earlier release opens, with everything in it; one of a later release is refused."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest

from server.operation.snapshot_store import counts_of, faults_of, schema_of
from server.storage.database import Database
from server.storage.schema_version import SchemaError, migrate, migrations
from tests.builders import Person, RunningNode, settings_for
from tests.operation.release_fixture import FOLDER, KEY, TOKEN_FILE

RELEASES = sorted(file.name.removesuffix(".sql.gz") for file in FOLDER.glob("*.sql.gz"))


def left_behind(release: str, folder: Path) -> Path:
    """The data folder of a node that last ran with ``release``."""
    database = folder / "kairan.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(gzip.decompress((FOLDER / f"{release}.sql.gz").read_bytes()).decode())
    connection.close()
    (folder / "signing.key").write_text(KEY)
    return database


@pytest.mark.parametrize("release", RELEASES)
async def test_a_database_of_an_earlier_release_opens_with_everything(release: str, tmp_path: Path) -> None:
    database = left_behind(release, tmp_path)
    before = counts_of(database)
    token = (FOLDER / TOKEN_FILE.format(release)).read_text().strip()
    async with RunningNode(settings_for(tmp_path)) as node:
        hanako = Person(node, "@hanako:sakura.example", token, "")
        news = await hanako.syncs()
        [room] = news.rooms()
        assert news.texts(room) == ["おはよう", "おはようございます"]
        assert "広場" in str(news.room(room))
        assert "あとで" in str(news.body["account_data"])
        await hanako.says(room, "新しい版でも")
    assert schema_of(database) == migrations()[-1][0]
    assert faults_of(database) == []
    after = counts_of(database)
    assert {table: (count, after.get(table, 0)) for table, count in before.items() if after.get(table, 0) < count} == {}


@pytest.mark.parametrize("release", RELEASES)
async def test_an_upgrade_that_was_killed_goes_on(release: str, tmp_path: Path) -> None:
    """Each step is a transaction of its own: after any of them the process may have died."""
    before = schema_of(left_behind(release, tmp_path))
    steps = [number for number, _file in migrations()]
    for reached in [number for number in steps if number >= before]:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'kairan.db'}")
        await database.open()
        assert await migrate(database, until=reached) == reached
        await database.close()
    assert schema_of(tmp_path / "kairan.db") == steps[-1]
    assert faults_of(tmp_path / "kairan.db") == []


async def test_a_database_of_a_later_release_says_what_to_do(tmp_path: Path) -> None:
    database = left_behind(RELEASES[0], tmp_path)
    connection = sqlite3.connect(database)
    connection.execute("UPDATE schema_version SET version = 9999, oldest_compatible = 9000")
    connection.commit()
    connection.close()
    before = database.read_bytes()
    with pytest.raises(SchemaError, match="Install the newer version again, or restore a backup"):
        async with RunningNode(settings_for(tmp_path)):
            pass
    assert database.read_bytes() == before, "and it is not touched"
