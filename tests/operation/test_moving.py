"""A node moves from SQLite to PostgreSQL with everything; a node on PostgreSQL is backed up like any other."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import pytest

from server import commands
from server.assembly.running import prepare_database
from server.foundation.errors import Refused
from server.foundation.folder_lock import FolderInUse
from server.operation.checking import check_data
from server.operation.moving import move_database, snapshot_postgresql
from server.operation.snapshot_store import counts_of, differences
from tests.builders import Person, RunningNode, settings_for
from tests.operation.a_row_of_everything import all_rows, fill_what_is_empty
from tests.operation.houses import backed_up, house, put_back
from tests.operation.test_export import full_of_life
from tests.storage.conftest import Cluster


async def test_everything_moves_and_the_node_goes_on_there(cluster: Cluster, tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    async with RunningNode(settings) as node:
        hanako, room, uri = await full_of_life(node)
    url = await cluster.new_database()
    counts = await asyncio.to_thread(move_database, settings, url)
    assert differences(counts_of(tmp_path / "node/kairan.db"), counts) == []
    async with RunningNode(settings_for(tmp_path / "node", database=url)) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        assert "写真" in (await same.syncs()).texts(room)
        await same.says(room, "引っこしました")
        path = "/_matrix/client/v1/media/download/" + uri.removeprefix("mxc://")
        async with again.client.get(path, headers={"Authorization": f"Bearer {hanako.token}"}) as file:
            assert await file.read() == b"a picture"
    with pytest.raises(Refused, match="not empty"):
        await asyncio.to_thread(move_database, settings, url)


async def test_every_table_moves_row_by_row_and_back(cluster: Cluster, tmp_path: Path) -> None:
    settings, url = house(tmp_path / "node"), await cluster.new_database()
    await asyncio.to_thread(prepare_database, settings)
    database = tmp_path / "node/kairan.db"
    fill_what_is_empty(database)
    await asyncio.to_thread(move_database, settings, url)
    await asyncio.to_thread(snapshot_postgresql, url, tmp_path / "back.db")
    assert all_rows(tmp_path / "back.db") == all_rows(database)
    assert min(map(len, all_rows(database).values())) > 0


async def test_a_node_on_postgresql_is_backed_up_and_comes_back_as_a_file(cluster: Cluster, tmp_path: Path) -> None:
    url = await cluster.new_database()
    house(tmp_path / "node", f'[database]\nurl = "{url}"\n')
    async with RunningNode(settings_for(tmp_path / "node", database=url)) as node:
        hanako, room, _uri = await full_of_life(node)
        made = await backed_up(node.settings, tmp_path / "disk")
        checked = await asyncio.to_thread(check_data, node.settings)
        assert (checked.files, checked.faults, checked.rows > 100) == (1, (), True)
        [content] = (node.settings.media_dir / "content").glob("*/*")
        content.unlink()
        [fault] = (await asyncio.to_thread(check_data, node.settings)).faults
        assert fault == "1 of 1 uploaded files are not on the disk"
        await hanako.says(room, "あとの ひとこと")
    assert [path.name for path in (tmp_path / "node").glob("*.snapshot*")] == []
    await put_back(made.path, tmp_path / "new")
    async with RunningNode(settings_for(tmp_path / "new")) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        texts = (await same.syncs()).texts(room)
        assert "写真" in texts
        assert "あとの ひとこと" not in texts


async def test_a_running_node_is_not_moved(cluster: Cluster, tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    url = await cluster.new_database()
    async with RunningNode(settings):
        with pytest.raises(FolderInUse):
            await asyncio.to_thread(move_database, settings, url)


async def test_the_address_is_asked_for_and_never_an_argument(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = house(tmp_path / "node")
    async with RunningNode(settings) as node:
        await node.user("hanako")
    monkeypatch.setattr(sys, "stdin", io.StringIO(await cluster.new_database() + "\n"))
    config = ["--config", str(tmp_path / "node/kairan.toml")]
    assert await asyncio.to_thread(commands.main, ["database", "move", *config]) == 0
    assert "as many as before" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO("mysql://x\n"))
    assert await asyncio.to_thread(commands.main, ["database", "move", *config]) == 1


async def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    async with RunningNode(settings):
        pass
    with pytest.raises(Refused, match="cannot be reached") as told:
        await asyncio.to_thread(move_database, settings, "postgresql+asyncpg://kairan:geheim@127.0.0.1:1/x")
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("words", [("user", "list"), ("check",), ("backup", "--folder", "{0}"), ("export", "{0}/out")])
async def test_a_database_that_is_not_there_is_told_by_every_command(
    words: tuple[str, ...], cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = (await cluster.new_database()).replace("/test_", "/nothing_")
    house(tmp_path / "node", f'[database]\nurl = "{elsewhere}"\n')
    command = [*(word.format(tmp_path) for word in words), "--config", str(tmp_path / "node/kairan.toml")]
    assert await asyncio.to_thread(commands.main, command) == 1
    said = capsys.readouterr().err
    assert "PostgreSQL" in said or "cannot be reached" in said
    assert not (tmp_path / "out").exists()
