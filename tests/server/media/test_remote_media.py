"""Copies of other servers' files: one fetch, within bounds, gone in the end."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.foundation.errors import LimitExceeded, NotFound, Refused
from server.media.files import MediaFiles
from server.media.model import Mxc
from server.media.ports import FarFile, ServerSilent
from server.media.remote_media import RemoteLimits, RemoteMedia
from server.storage.database import Database
from tests.fakes.clock import FakeClock

DAY_S = 86_400


class FarAway:
    """Gives every file: so many letters as its name's end says."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.fault: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    @asynccontextmanager
    async def fetch(self, mxc: Mxc, *, wait_ms: int) -> AsyncIterator[FarFile]:
        self.asked[mxc.media_id] += 1
        await self.may_go_on.wait()
        if self.fault is not None:
            raise self.fault
        size = int(mxc.media_id.rpartition("-")[2])

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(size):
                yield b"x"

        yield FarFile("text/plain", "a.txt", None, chunks())


class Shelf:
    """What a test has in hand."""

    def __init__(self, database: Database, folder: Path, limits: RemoteLimits) -> None:
        self.clock, self.far, self.folder = FakeClock(), FarAway(), folder
        self.files = MediaFiles(folder)
        self.media = RemoteMedia(database, self.files, self.clock, self.far, limits)

    async def opens(self, name: str, server: str = "ume.example") -> int:
        return (await self.media.open(Mxc(server, name))).path.stat().st_size

    def copies(self) -> int:
        return len([path for path in self.folder.rglob("*") if path.is_file()])


@pytest.fixture
async def shelf(database: Database, tmp_path: Path) -> Shelf:
    made = Shelf(database, tmp_path / "remote", RemoteLimits(file_bytes=60, kept_bytes=100, days=10, free_disk_bytes=0))
    await made.media.start()
    return made


async def test_a_file_is_fetched_once(shelf: Shelf) -> None:
    sizes = await asyncio.gather(*(shelf.opens("a-10") for _ in range(5)))
    assert (sizes, shelf.far.asked["a-10"], shelf.copies()) == ([10] * 5, 1, 1)
    assert await shelf.opens("a-10", "momo.example") == 10
    assert shelf.far.asked["a-10"] == 2


async def test_the_copy_that_was_not_used_for_longest_goes_first(shelf: Shelf) -> None:
    await shelf.opens("a-40")
    await shelf.clock.advance(2 * 3600)
    await shelf.opens("b-40")
    await shelf.clock.advance(2 * 3600)
    await shelf.opens("a-40")
    await shelf.clock.advance(1)
    await shelf.opens("c-40")
    assert shelf.copies() == 2
    await shelf.opens("a-40")
    await shelf.opens("b-40")
    assert shelf.far.asked == {"a-40": 1, "b-40": 2, "c-40": 1}


async def test_a_copy_that_nobody_looks_at_is_gone_after_its_days(shelf: Shelf) -> None:
    await shelf.opens("a-10")
    await shelf.opens("b-10")
    await shelf.clock.advance(6 * DAY_S)
    await shelf.opens("a-10")
    await shelf.media.forget_unused()
    assert shelf.copies() == 2
    await shelf.clock.advance(6 * DAY_S)
    await shelf.media.forget_unused()
    assert shelf.copies() == 1
    assert await shelf.opens("a-10") == 10
    assert shelf.far.asked == {"a-10": 1, "b-10": 1}


async def test_what_is_too_large_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(Refused) as told:
        await shelf.opens("a-61")
    assert (told.value.status, told.value.code, shelf.copies()) == (502, "M_TOO_LARGE", 0)


async def test_many_at_once_stay_within_the_bound(shelf: Shelf) -> None:
    names = [Mxc("ume.example", f"{number}-30") for number in range(20)]
    await asyncio.gather(*(shelf.media.open(name) for name in names))
    assert shelf.copies() == 3


async def test_what_has_just_come_does_not_make_room_for_itself(shelf: Shelf) -> None:
    for name in ("a-40", "b-40", "c-40", "d-40", "e-40"):
        assert await shelf.opens(name) == 40
        assert shelf.copies() <= 2


async def test_a_folder_that_was_emptied_is_filled_again(shelf: Shelf) -> None:
    await shelf.opens("a-10")
    for path in shelf.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert await shelf.opens("a-10") == 10
    assert shelf.far.asked["a-10"] == 2


async def test_a_crash_leaves_neither_halves_nor_rows(shelf: Shelf, database: Database) -> None:
    place = (await shelf.media.open(Mxc("ume.example", "a-10"))).path
    unsettled = shelf.folder / "unsettled" / f"{place.parent.name}{place.name}"
    place.rename(unsettled)
    (shelf.folder / "unsettled" / "halfAFile").write_bytes(b"x")
    await shelf.media.start()
    assert shelf.copies() == 1
    assert await shelf.opens("a-10") == 10
    assert shelf.far.asked["a-10"] == 1


async def test_a_silent_server_is_asked_ever_more_rarely(shelf: Shelf) -> None:
    shelf.far.fault = ServerSilent("away")
    for pause in (15, 30, 60):
        with pytest.raises(Refused):
            await shelf.opens("a-1")
        with pytest.raises(Refused, match="away"):
            await shelf.opens("b-1")
        await shelf.clock.advance(pause)
    assert (shelf.far.asked["a-1"], shelf.far.asked["b-1"]) == (3, 0)
    shelf.far.fault = None
    assert await shelf.opens("a-1") == 1
    assert await shelf.opens("c-1", "momo.example") == 1


async def test_what_has_not_been_uploaded_yet_is_asked_for_again(shelf: Shelf) -> None:
    shelf.far.fault = Refused("later", code="M_NOT_YET_UPLOADED", status=504)
    for _ in range(2):
        with pytest.raises(Refused):
            await shelf.opens("a-1")
    shelf.far.fault = NotFound("none")
    for _ in range(2):
        with pytest.raises(NotFound if _ == 0 else Refused):
            await shelf.opens("a-1")
    assert shelf.far.asked["a-1"] == 3


async def test_a_slow_server_holds_up_only_its_own_files(shelf: Shelf) -> None:
    shelf.far.may_go_on.clear()
    async with asyncio.TaskGroup() as waiting:
        for number in range(10):
            waiting.create_task(shelf.opens(f"{number}-1", "slow.example"))
        while sum(shelf.far.asked.values()) < 4:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert sum(shelf.far.asked.values()) == 4
        waiting.create_task(shelf.opens("quick-1"))
        while not shelf.far.asked["quick-1"]:
            await asyncio.sleep(0)
        shelf.far.may_go_on.set()
    assert shelf.copies() == 11


async def test_who_may_not_let_fetch_still_sees_what_is_here(shelf: Shelf) -> None:
    def refuse() -> None:
        raise LimitExceeded("slowly", 1000)

    await shelf.opens("a-1")
    assert (await shelf.media.open(Mxc("ume.example", "a-1"), fetching=refuse)).item.size == 1
    with pytest.raises(LimitExceeded):
        await shelf.media.open(Mxc("ume.example", "b-1"), fetching=refuse)
    assert not shelf.far.asked["b-1"]


async def test_a_full_disk_is_told_as_such(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("server.media.files._sync", full)
    with pytest.raises(Refused) as told:
        await shelf.opens("a-1")
    assert (told.value.status, shelf.copies()) == (507, 0)
