"""Power may fail between any two steps: afterwards a file is either there, whole and known, or gone."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.foundation.clock import SystemClock
from server.foundation.errors import NotFound, Refused
from server.media import media_store
from server.media.files import MediaFiles
from server.media.media import Media
from server.media.model import MediaItem, MediaLimits, Mxc
from server.storage.database import Database

OWNER = "@hanako:sakura.example"
ITEM = MediaItem("abcdefghijkl", OWNER, "text/plain", None, 5, 1)
MXC = Mxc("sakura.example", ITEM.media_id)


@pytest.fixture
def files(tmp_path: Path) -> MediaFiles:
    made = MediaFiles(tmp_path / "media")
    made.prepare()
    return made


def _media(database: Database, files: MediaFiles, **limits: int) -> Media:
    return Media(database, files, SystemClock(), "sakura.example", MediaLimits(**limits))


async def _hello() -> AsyncIterator[bytes]:
    yield b"hello"


async def _store_row(database: Database) -> None:
    async with database.write() as tx:
        await media_store.add(tx, ITEM)


def _left(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_content_without_a_row_is_removed(database: Database, files: MediaFiles, tmp_path: Path) -> None:
    await files.receive(ITEM.media_id, _hello(), lambda _size: None)
    await _media(database, files).start()
    assert _left(tmp_path) == []


async def test_content_with_a_row_is_moved_to_its_place(database: Database, files: MediaFiles) -> None:
    await files.receive(ITEM.media_id, _hello(), lambda _size: None)
    await _store_row(database)
    media = _media(database, files)
    with pytest.raises(NotFound):
        await media.open(MXC)
    await media.start()
    assert (await media.open(MXC)).path.read_bytes() == b"hello"


async def test_a_deletion_that_did_not_come_to_its_end_did_not_happen(database: Database, files: MediaFiles) -> None:
    media = _media(database, files)
    uri = await media.keep(OWNER, "text/plain", None, b"hello")
    mxc = Mxc.parse(uri)
    await files.withdraw(mxc.media_id)
    await media.start()
    assert (await media.open(mxc)).path.read_bytes() == b"hello"


async def test_a_deletion_whose_row_is_gone_is_finished(database: Database, files: MediaFiles, tmp_path: Path) -> None:
    media = _media(database, files)
    mxc = Mxc.parse(await media.keep(OWNER, "text/plain", None, b"hello"))
    await files.withdraw(mxc.media_id)
    async with database.write() as tx:
        await media_store.remove(tx, mxc.media_id)
    await media.start()
    assert _left(tmp_path) == []


async def test_a_failed_commit_leaves_no_file(
    database: Database, files: MediaFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(media_store, "add", broken)
    with pytest.raises(RuntimeError):
        await _media(database, files).keep(OWNER, None, None, b"hello")
    assert _left(tmp_path) == []


async def test_a_full_disk_is_a_clear_refusal_and_reading_goes_on(
    database: Database, files: MediaFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = _media(database, files)
    kept = Mxc.parse(await media.keep(OWNER, None, None, b"hello"))

    def full(_file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("server.media.files._sync", full)
        with pytest.raises(Refused) as refusal:
            await media.keep(OWNER, None, None, b"more")
    assert refusal.value.status == 507
    assert len(_left(tmp_path)) == 1
    assert (await media.open(kept)).path.read_bytes() == b"hello"
    await media.keep(OWNER, None, None, b"more")


async def test_the_last_room_on_the_disk_is_left_to_the_database(database: Database, files: MediaFiles) -> None:
    media = _media(database, files, free_disk_bytes=2**60)
    with pytest.raises(Refused) as refusal:
        await media.keep(OWNER, None, None, b"hello")
    assert refusal.value.status == 507


async def test_a_file_is_readable_by_the_node_only(database: Database, files: MediaFiles, tmp_path: Path) -> None:
    await _media(database, files).keep(OWNER, None, None, b"hello")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "media").rglob("*")} == {0}
