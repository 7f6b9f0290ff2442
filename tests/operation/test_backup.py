"""A backup of a running node, and the node that comes back from it."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.assembly.running import prepare_database
from server.config import Settings, load_settings
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.operation.backup import make_backup
from server.operation.export import export
from server.operation.importing import take_in
from server.operation.restore import restore
from server.operation.sealing import new_pair, read_key
from server.operation.snapshot_store import Damaged
from tests.builders import Person, RunningNode, settings_for
from tests.fakes.clock import FakeClock
from tests.operation.houses import backed_up, house, put_back

RESTORATIONS = int(os.environ.get("KAIRAN_RESTORATIONS", "2"))


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with RunningNode(house(tmp_path / "node")) as running:
        yield running


async def test_what_was_said_and_uploaded_is_back(node: RunningNode, tmp_path: Path) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(name="広場")
    await hanako.says(room, "おはよう")
    uri = (await hanako.ask("POST", "/_matrix/media/v3/upload", b"a picture"))["content_uri"]

    made = await backed_up(node.settings, tmp_path / "disk")
    assert (made.files, made.missing_files) == (1, 0)
    assert made.path.stat().st_mode & 0o077 == 0, "a backup is about people"
    assert list(made.path.parent.iterdir()) == [made.path], "and no half things lie beside it"

    done = await put_back(made.path, tmp_path / "new")
    assert (done.server_name, done.files) == (node.settings.server_name, 1)
    settings = load_settings(tmp_path / "new/kairan.toml")
    assert settings.data_dir == tmp_path / "new"
    assert settings.signing_key_file.read_text() == node.settings.signing_key_file.read_text()
    async with RunningNode(settings) as again:
        same = Person(again, hanako.user_id, hanako.token, hanako.device_id)
        assert "おはよう" in (await same.syncs()).texts(room)
        path = "/_matrix/client/v1/media/download/" + uri.removeprefix("mxc://")
        async with again.client.get(path, headers={"Authorization": f"Bearer {hanako.token}"}) as file:
            assert await file.read() == b"a picture"
        assert await same.says(room, "もどりました")


async def test_a_backup_under_load_is_one_moment(node: RunningNode, tmp_path: Path) -> None:
    """20 writers each count up; of each, what comes back is all up to some number, and everything that was
    acknowledged before the backup began.
    """
    people = [await node.user(f"person{number}") for number in range(20)]
    rooms = [await person.creates_room() for person in people]
    acknowledged = [-1] * len(people)
    stop = asyncio.Event()

    async def write(number: int) -> None:
        while not stop.is_set():
            await people[number].says(rooms[number], str(acknowledged[number] + 1))
            acknowledged[number] += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(len(people)):
            tasks.create_task(write(number))
        for attempt in range(RESTORATIONS):
            await asyncio.sleep(0.3)
            before = list(acknowledged)
            made = await backed_up(node.settings, tmp_path / f"disk{attempt}")
            await put_back(made.path, tmp_path / f"new{attempt}")
            said = said_in(tmp_path / f"new{attempt}/kairan.db", rooms)
            for number, numbers in enumerate(said):
                assert numbers == list(range(len(numbers))), "a prefix, without a hole"
                assert len(numbers) > before[number], "with all that was acknowledged before"
        stop.set()


def said_in(database: Path, rooms: list[str]) -> list[list[int]]:
    """The numbers that were said in each room, in order."""
    connection = sqlite3.connect(database)
    rows = connection.execute(
        "SELECT rooms.room_id, events.json FROM events JOIN rooms ON rooms.nid = events.room"
        " WHERE events.type = 'm.room.message' ORDER BY events.stream"
    ).fetchall()
    connection.close()
    return [[int(json.loads(raw)["content"]["body"]) for room, raw in rows if room == wanted] for wanted in rooms]


async def test_a_sealed_backup_opens_with_its_secret_key_only(tmp_path: Path) -> None:
    public, secret = new_pair()
    async with RunningNode(house(tmp_path / "node", f'[backup]\npublic_key = "{public}"\n')) as node:
        hanako = await node.user("hanako")
        await hanako.says(await hanako.creates_room(), "ひみつの話")
        made = await backed_up(node.settings, tmp_path / "disk")
    content = made.path.read_bytes()
    assert made.path.name.endswith(".sealed")
    assert b"SQLite" not in content
    assert content[16:18] != b"\x1f\x8b"

    with pytest.raises(Refused, match="secret key"):
        await put_back(made.path, tmp_path / "new")
    with pytest.raises(Refused, match="does not open"):
        await put_back(made.path, tmp_path / "new", read_key("secret", new_pair()[1]))
    assert not (tmp_path / "new").exists(), "nothing is left of an attempt"
    await put_back(made.path, tmp_path / "new", read_key("secret", secret))
    assert load_settings(tmp_path / "new/kairan.toml").server_name == node.settings.server_name


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("damage", ["cut", "end cut", "flipped"])
async def test_a_damaged_backup_is_refused_and_leaves_nothing(damage: str, is_sealed: bool, tmp_path: Path) -> None:
    public, secret = new_pair()
    more = f'[backup]\npublic_key = "{public}"\n' if is_sealed else ""
    async with RunningNode(house(tmp_path / "node", more)) as node:
        await (await node.user("hanako")).creates_room()
        made = await backed_up(node.settings, tmp_path / "disk")
    content = bytearray(made.path.read_bytes())
    if damage == "flipped":
        # In what is packed and not sealed, a bit in the middle may say the same in other words; its sum may not.
        content[len(content) // 2 if is_sealed else -6] ^= 0x40
    else:
        del content[len(content) // 2 if damage == "cut" else -9:]
    made.path.write_bytes(content)
    with pytest.raises(Refused, match=r"damaged|too early|no whole backup"):
        await put_back(made.path, tmp_path / "new", read_key("secret", secret))
    assert not (tmp_path / "new").exists()


async def test_every_byte_that_is_flipped_in_a_sealed_backup_is_noticed(tmp_path: Path) -> None:
    public, secret = new_pair()
    async with RunningNode(house(tmp_path / "node", f'[backup]\npublic_key = "{public}"\n')) as node:
        made = await backed_up(node.settings, tmp_path / "disk")
    whole = made.path.read_bytes()
    for place in range(16, len(whole), len(whole) // 12):
        made.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        with pytest.raises(Refused):
            await put_back(made.path, tmp_path / "new", read_key("secret", secret))


def test_keys_are_read_as_they_are_written_on_paper() -> None:
    public, secret = new_pair()
    assert len(read_key("secret", secret.lower().replace("-", " "))) == 32
    with pytest.raises(Refused, match="typing error"):
        read_key("secret", ("A" if secret[0] != "A" else "B") + secret[1:])
    with pytest.raises(Refused, match="This is the secret key; the public one is needed"):
        read_key("public", secret)
    with pytest.raises(Refused, match="typing error"):
        read_key("public", "これはちがう")
    assert public != secret


async def test_old_backups_go_and_one_of_each_month_stays(node: RunningNode, tmp_path: Path) -> None:
    settings = load_settings_with(node.settings, "[backup]\nkeep = 2\nkeep_months = 1\n")
    clock = FakeClock(1_767_225_600_000)  # 2026-01-01 in Japan
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "photo.jpg").write_text("not ours")
    for _ in range(5):
        await asyncio.to_thread(make_backup, settings, settings.data_dir / "kairan.toml", folder, clock)
        await clock.advance(20 * 86_400)
    months = sorted(path.name.split("-")[2] for path in folder.glob("kairan-*"))
    assert months == ["20260210", "20260302", "20260322"], "two newest, and the last of the month before"
    assert (folder / "photo.jpg").exists()


def load_settings_with(settings: Settings, more: str) -> Settings:
    return settings_for(settings.data_dir, more=more)


async def test_a_disk_that_is_not_plugged_in_is_told(node: RunningNode, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="plugged in"):
        await asyncio.to_thread(
            make_backup, node.settings, node.settings.data_dir / "kairan.toml", tmp_path / "nowhere", FakeClock(0)
        )


async def test_a_damaged_database_is_never_backed_up_over_good_ones(tmp_path: Path) -> None:
    settings = house(tmp_path / "node")
    async with RunningNode(settings) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        for number in range(50):
            await hanako.says(room, f"{number}" * 200)
    database = settings.data_dir / "kairan.db"
    content = bytearray(database.read_bytes())
    for page in range(4096, len(content) - 4096, 4096):
        content[page:page + 64] = b"\xff" * 64
    database.write_bytes(content)
    with pytest.raises(Damaged, match="damaged"):
        await backed_up(settings, tmp_path / "disk")
    assert list((tmp_path / "disk").iterdir()) == []
    assert list(settings.data_dir.glob("*.snapshot*")) == []


async def test_nothing_is_restored_over_something(node: RunningNode, tmp_path: Path) -> None:
    made = await backed_up(node.settings, tmp_path / "disk")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").write_text("大事")
    with pytest.raises(Refused, match="is not empty; nothing was changed"):
        await put_back(made.path, tmp_path / "full")
    assert (tmp_path / "full/letter.txt").read_text() == "大事"


async def test_a_backup_of_tomorrow_tells_that_the_clock_is_wrong(node: RunningNode, tmp_path: Path) -> None:
    made = await backed_up(node.settings, tmp_path / "disk")
    with pytest.raises(Refused, match="set this machine's clock"):
        await asyncio.to_thread(restore, made.path, tmp_path / "new", None, FakeClock(0))


async def test_a_backup_of_a_newer_release_is_refused_in_plain_words(node: RunningNode, tmp_path: Path) -> None:
    database = node.settings.data_dir / "kairan.db"
    made = await backed_up(node.settings, tmp_path / "disk")
    with tarfile.open(made.path) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert database.exists()
    connection = sqlite3.connect(tmp_path / "out/kairan.db")
    connection.execute("UPDATE schema_version SET version = 9999, oldest_compatible = 9999")
    connection.commit()
    connection.close()
    with tarfile.open(tmp_path / "newer.tar.gz", "w:gz") as archive:
        for name in ("about.json", "kairan.toml", "signing.key", "kairan.db", "end.json"):
            archive.add(tmp_path / "out" / name, name)
    with pytest.raises(Refused, match="newer Kairan"):
        await put_back(tmp_path / "newer.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_paths_out_of_the_folder_are_refused(node: RunningNode, tmp_path: Path) -> None:
    made = await backed_up(node.settings, tmp_path / "disk")
    with tarfile.open(made.path) as archive:
        archive.extractall(tmp_path / "out", filter="data")
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "out/about.json", "about.json")
        archive.add(tmp_path / "out/kairan.toml", "../evil.toml")
    with pytest.raises(Refused, match="no whole backup"):
        await put_back(tmp_path / "evil.tar.gz", tmp_path / "new")
    assert not (tmp_path / "evil.toml").exists()


@pytest.mark.parametrize("way", ["backup", "export"])
def test_the_texts_that_people_agree_to_come_along_wherever_they_were(way: str, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "privacy.2026-04.ja.txt").write_text("個人情報\nだいじにします。")
    settings = house(tmp_path / "node", f'[consent]\n# where they are\nfolder = "{papers}"\n')
    prepare_database(settings)
    config, clock = settings.data_dir / "kairan.toml", SystemClock()
    if way == "backup":
        (tmp_path / "disk").mkdir()
        restore(make_backup(settings, config, tmp_path / "disk", clock).path, tmp_path / "new", None, clock)
    else:
        take_in(export(settings, config, tmp_path / "out", clock).folder, tmp_path / "new", clock)
    found = load_settings(tmp_path / "new/kairan.toml").consent.folder
    assert found == tmp_path / "new/texts"
    assert (found / "privacy.2026-04.ja.txt").read_text().startswith("個人情報")
