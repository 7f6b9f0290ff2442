"""R6: a node that may use little memory. It refuses, or it is killed, which is R1; what was acknowledged is there."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from server.operation.snapshot_store import faults_of
from tests.faults.process import NodeProcess
from tests.faults.sizes import size, tell
from tests.faults.talk import Talk

WRITERS = 10
CROWD = size(150, 1_000)
_BODY: Final = 60_000
# What it may have beside what it has when its group is made.
_MORE: Final = 4 * 2**20
_GROUPS: Final = Path("/sys/fs/cgroup")
_PATIENCE_S = 60.0
_GONE = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)


@pytest.mark.slow
async def test_a_node_that_gets_no_more_memory_loses_nothing(process: NodeProcess) -> None:
    """The operating system refuses to give it more (RLIMIT_AS). Each answer has an errcode, or there is none."""
    async with _talking(process) as talk:
        _, hard = resource.prlimit(process.process_id, resource.RLIMIT_AS)
        resource.prlimit(process.process_id, resource.RLIMIT_AS, (_address_space(process.process_id) + 2**20, hard))
        async with _crowd(process, talk):
            refusals = await _all_talk(talk)
        how_it_went = await _lives_or_has_died(process, talk, hard)
        await _is_whole_after_a_start(process, talk)
    tell("R6", f"no more memory: {len(talk.acknowledged)} acknowledged, 0 lost; {len(refusals)} refused, with errcodes;"
               f" the node {how_it_went}")


@pytest.mark.slow
async def test_a_node_that_is_killed_for_its_memory_loses_nothing(process: NodeProcess) -> None:
    """The operating system kills it where it takes more (a control group)."""
    async with _talking(process) as talk:
        with _control_group(process.process_id, _MORE):
            async with _crowd(process, talk):
                await _all_talk(talk)
                await _has_died(process)
        await _is_whole_after_a_start(process, talk)
    tell("R6", f"killed {_MORE / 2**20:.0f} MB later: {len(talk.acknowledged)} acknowledged, 0 lost")


@asynccontextmanager
async def _talking(process: NodeProcess) -> AsyncIterator[Talk]:
    """The node is started, and all have said something."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        talk = Talk(process, http)
        await process.start()
        await talk.begin()
        await _all_talk(talk)
        yield talk


async def _lives_or_has_died(process: NodeProcess, talk: Talk, hard: int) -> str:
    """With as much memory as before it goes on, unless it is gone: not every library survives a refusal."""
    with suppress(*_GONE, ProcessLookupError):
        resource.prlimit(process.process_id, resource.RLIMIT_AS, (hard, hard))
        await talk.until_it_goes_on()
        return "went on"
    await _has_died(process)
    return "ended"


async def _has_died(process: NodeProcess) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not process.has_ended:
            await asyncio.sleep(0.02)


async def _all_talk(talk: Talk) -> list[str]:
    """Writers at once, until all have said something or the node is gone; answers the errcodes."""
    refusals = list[str]()

    async def write(writer: int) -> None:
        with suppress(*_GONE):
            for number in range(10):
                status, code = await talk.say(f"{len(talk.acknowledged)}-{writer}-{number}")
                if status != 200:
                    assert code
                    refusals.append(code)

    await asyncio.wait_for(asyncio.gather(*(write(writer) for writer in range(WRITERS))), _PATIENCE_S)
    return refusals


@asynccontextmanager
async def _crowd(process: NodeProcess, talk: Talk) -> AsyncIterator[None]:
    """Many who bring all of a large request but its end, which the node has to keep."""
    writers = []
    for _ in range(CROWD):
        with suppress(*_GONE):
            _reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
            writer.write(
                f"PUT /_matrix/client/v3/rooms/{talk.room}/send/m.room.message/x HTTP/1.1\r\nHost: here\r\n"
                f"Authorization: Bearer {talk.client.token}\r\nContent-Length: {_BODY}\r\n\r\n".encode()
                + b" " * (_BODY - 1)
            )
            writers.append(writer)
    yield
    for writer in writers:
        writer.close()


@contextmanager
def _control_group(process_id: int, most: int) -> Iterator[None]:
    """A group in which only this process is; skips loudly where nobody may make one."""
    name = f"kairan-test-{process_id}"
    first = _GROUPS / "memory" if (_GROUPS / "memory").is_dir() else _GROUPS
    group, limit = first / name, "memory.limit_in_bytes" if first != _GROUPS else "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(most))
        _keep_in_memory(group)
        (group / "cgroup.procs").write_text(str(process_id))
    except OSError as fault:
        with suppress(OSError):
            group.rmdir()
        pytest.skip(f"A NODE WITHOUT MEMORY WAS NOT TRIED: no control groups here ({fault})")
    yield
    with suppress(OSError):
        group.rmdir()


def _keep_in_memory(group: Path) -> None:
    """Nothing of it is put on a disk instead, where the system has room for that."""
    for name in ("memory.swappiness", "memory.swap.max"):
        if (group / name).exists():
            (group / name).write_text("0")


async def _is_whole_after_a_start(process: NodeProcess, talk: Talk) -> None:
    await process.kill()
    await process.start()
    there = await talk.there()
    assert set(talk.acknowledged) <= set(there)
    assert len(there) == len(set(there))
    await process.kill()
    assert faults_of(process.folder / "kairan.db") == []


def _address_space(process_id: int) -> int:
    """Of a process, in bytes (proc(5), ``statm``)."""
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
