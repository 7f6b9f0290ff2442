"""R3, R4: the disk refuses, takes less than it is given, or is slow. strace tampers with the calls of a real node."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.process import NodeProcess
from tests.faults.sizes import size, tell
from tests.faults.talk import Talk

SAID = size(10, 100)
FROM_NOW_ON = {
    "no flush": "fdatasync,fsync:error=EIO",
    "no write: ENOSPC": "pwrite64:error=ENOSPC",
    "no write: EIO": "pwrite64:error=EIO",
    "a write of nothing": "pwrite64:retval=0",
}
NOW_AND_THEN = {
    "no flush": "fdatasync:error=EIO:when=2+3",
    "no write: EIO": "pwrite64:error=EIO:when=9+40",
    "no write: ENOSPC": "pwrite64:error=ENOSPC:when=9+40",
}
SLOW = "fdatasync:delay_enter=500000"
POLLS = 5
_POLL_MS = 3_000
# Every write to a file takes half of what it is given, as the operating system may at any time.
_SHORT_WRITES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>
static size_t half(int fd, size_t count) {
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && count > 1 ? count / 2 : count;
}
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t place) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, data, half(fd, count), place);
}
ssize_t pwrite(int fd, const void *data, size_t count, off_t place) { return pwrite64(fd, data, count, place); }
ssize_t write(int fd, const void *data, size_t count) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return real(fd, data, half(fd, count));
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", list(FROM_NOW_ON)[: size(2, 4)])
async def test_a_disk_that_refuses_gets_no_acknowledgement(process: NodeProcess, how: str) -> None:
    """R3: from now on it fails. Nothing is acknowledged; reading goes on; after a start all is there."""
    async with aiohttp.ClientSession() as http:
        talk = await _begun(process, http)
        async with tampered(process, FROM_NOW_ON[how]):
            for number in range(3):
                status, code = await talk.say(f"refused{number}")
                assert status in (500, 503, 507)
                assert code
            if "flush" in how:  # files are written by another call
                status, code = await talk.upload(b"a file")
                assert status in (500, 503, 507)
                assert code
            assert await talk.there() == talk.acknowledged
        await _is_whole_after_a_start(process, talk)
    tell("R3", f"{how}: all {talk.refused} refused; {len(talk.acknowledged)} acknowledged before and after, 0 lost")


@pytest.mark.slow
@pytest.mark.parametrize("how", list(NOW_AND_THEN)[: size(1, 3)])
async def test_a_disk_that_fails_now_and_then_loses_nothing_that_was_acknowledged(
    process: NodeProcess, how: str
) -> None:
    """R3."""
    async with aiohttp.ClientSession() as http:
        talk = await _begun(process, http)
        async with tampered(process, NOW_AND_THEN[how]):
            for number in range(SAID):
                await talk.say(f"{number}")
            assert await talk.there() == talk.acknowledged
        await _is_whole_after_a_start(process, talk)
    assert talk.refused
    tell("R3", f"{how}, now and then: {len(talk.acknowledged)} acknowledged, {talk.refused} refused, 0 lost")


@pytest.mark.slow
async def test_a_disk_that_takes_half_of_each_write_gets_the_other_half_too(
    process: NodeProcess, tmp_path: Path
) -> None:
    """R3."""
    process.environment = {"LD_PRELOAD": str(_short_writes(tmp_path))}
    async with aiohttp.ClientSession() as http:
        talk = await _begun(process, http)
        for number in range(SAID):
            assert (await talk.say(f"{number}"))[0] == 200
        assert (await talk.upload(b"a file" * 100_000))[0] == 200
        await _is_whole_after_a_start(process, talk)
    tell("R3", f"half of each write: {len(talk.acknowledged)} acknowledged, 0 lost")


@pytest.mark.slow
async def test_a_slow_disk_holds_up_writers_and_nobody_else(process: NodeProcess) -> None:
    """R4: each flush takes half a second. Reading stays quick, long polls wait, writes are acknowledged together."""
    loop, took = asyncio.get_running_loop(), list[float]()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        talk = await _begun(process, http)
        taro = talk.client.another()
        await taro.register("taro")
        since = (await taro.ask("GET", "sync"))["next_batch"]
        async with tampered(process, SLOW):
            idle = [asyncio.ensure_future(taro.ask("GET", "sync", since=since, timeout=str(_POLL_MS)))
                    for _ in range(POLLS)]
            began = loop.time()
            writing = asyncio.gather(*(talk.say(f"slow{number}", "") for number in range(size(30, 300))))
            while not writing.done() or len(took) < 20:
                for path, query in ((f"rooms/{talk.room}/messages", {"dir": "b", "limit": "5"}), ("sync", {})):
                    asked = loop.time()
                    await talk.client.ask("GET", path, **query)
                    took.append(loop.time() - asked)
            written_s = loop.time() - began
            for poll in idle:
                assert "rooms" not in await poll
            assert loop.time() - began >= _POLL_MS / 1000
        assert all(status == 200 for status, _ in await writing)
        assert sorted(await talk.there()) == sorted(talk.acknowledged)
    p95 = sorted(took)[int(len(took) * 0.95)]
    assert p95 < 1.0
    tell("R4", f"flushes of 0.5 s: {len(took)} times read or synced, p95 {p95 * 1000:.0f} ms; {len(talk.acknowledged)} "
               f"written in {written_s:.1f} s; {POLLS} long polls waited for all of their {_POLL_MS} ms")


async def _begun(process: NodeProcess, http: aiohttp.ClientSession) -> Talk:
    """Someone has spoken before."""
    await process.start()
    talk = Talk(process, http)
    await talk.begin()
    for number in range(3):
        await talk.say(f"before{number}")
    return talk


async def _is_whole_after_a_start(process: NodeProcess, talk: Talk) -> None:
    """What was acknowledged is there, once; what was not is there once or not at all; and it goes on."""
    await process.kill()
    await process.start()
    there = await talk.there()
    assert [text for text in there if text in talk.acknowledged] == talk.acknowledged
    assert len(there) == len(set(there))
    assert (await talk.say("afterwards"))[0] == 200
    await process.kill()
    assert faults_of(process.folder / "kairan.db") == []


@asynccontextmanager
async def tampered(process: NodeProcess, how: str) -> AsyncIterator[None]:
    """A node whose calls are tampered with while the block lasts."""
    if shutil.which("strace") is None:
        pytest.skip("FAULTS OF THE DISK NOT TRIED: strace is missing")
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-o", "/dev/null", "-e", f"trace={how.partition(':')[0]}", "-e", f"inject={how}",
        "-p", str(process.process_id), stderr=asyncio.subprocess.PIPE,
    )
    assert strace.stderr is not None
    await asyncio.wait_for(strace.stderr.readline(), 60)  # "Process … attached with … threads"
    yield
    strace.terminate()
    await asyncio.wait_for(strace.wait(), 60)


def _short_writes(folder: Path) -> Path:
    """The library that does it."""
    if shutil.which("cc") is None:
        pytest.skip("SHORT WRITES NOT TRIED: there is no C compiler")
    source, library = folder / "short_writes.c", folder / "short_writes.so"
    source.write_text(_SHORT_WRITES)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library
