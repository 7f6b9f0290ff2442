"""R6, R16: a node that may open few files, or small ones only, and one that is stopped for a while."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from contextlib import suppress

import aiohttp

from server.operation.snapshot_store import faults_of
from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import cpu_s, size, tell
from tests.faults.talk import FULL, Talk
from tests.faults.test_kill import Journal, all_after, write_until_gone

FILES = 120
ROOM = 200_000
PAUSE_S = size(2, 60)
BACK_S = 30.0


async def test_more_connections_than_files_are_waited_out_and_the_node_goes_on(
    process: NodeProcess, client: Client
) -> None:
    await process.start()
    await client.register("hanako")
    resource.prlimit(process.process_id, resource.RLIMIT_NOFILE, (FILES, FILES))
    crowd = await asyncio.gather(*(_connect(process.port) for _ in range(2 * FILES)))
    before = cpu_s(process.process_id)
    await asyncio.sleep(1.0)
    spent = cpu_s(process.process_id) - before
    assert spent < 0.7, "it does not run in circles"
    for writer in crowd:
        if writer is not None:
            writer.close()
    async with aiohttp.ClientSession() as http:
        later = Client(process, http)
        later.token = client.token
        for _ in range(20):
            with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                room = (await asyncio.wait_for(later.ask("POST", "createRoom", {}), 60))["room_id"]
                break
        assert room.startswith("!")
    tell("R6", f"{2 * FILES} connections, {FILES} files may be open: {spent:.2f} s of CPU in a second; then it goes on")


async def _connect(port: int) -> asyncio.StreamWriter | None:
    with suppress(OSError, asyncio.TimeoutError):
        _reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 60)
        writer.write(b"GET /_matrix/client/versions HTTP/1.1\r\n")
        return writer
    return None


async def test_files_that_may_not_grow_refuse_writing_and_nothing_else(
    process: NodeProcess, client: Client
) -> None:
    """The limit stops a write in its middle, too: of a file, and of the database's log."""
    async with aiohttp.ClientSession() as http:
        talk = Talk(process, http)
        await process.start()
        await talk.begin()
        _, hard = resource.prlimit(process.process_id, resource.RLIMIT_FSIZE)
        largest = max(file.stat().st_size for file in process.folder.iterdir())
        resource.prlimit(process.process_id, resource.RLIMIT_FSIZE, (largest + ROOM, hard))
        assert await talk.upload(bytes(largest + 2 * ROOM)) == FULL
        await talk.until_full()
        assert await talk.there() == talk.acknowledged, "reading goes on"
        resource.prlimit(process.process_id, resource.RLIMIT_FSIZE, (hard, hard))
        await talk.until_it_goes_on()
        assert (await talk.upload(bytes(largest + 2 * ROOM)))[0] == 200
        await process.kill()
        await process.start()
        assert await talk.there() == talk.acknowledged, "all that was acknowledged, once, and nothing else"
        await process.kill()
    assert faults_of(process.folder / "kairan.db") == []
    tell("R6", f"files of at most {(largest + ROOM) / 2**20:.1f} MB: {talk.refused} refused with 507, also an upload; "
               f"{len(talk.acknowledged)} acknowledged, 0 lost; then written again")


async def test_a_node_that_was_stopped_for_a_while_loses_and_doubles_nothing(
    process: NodeProcess, client: Client
) -> None:
    await process.start()
    await client.register("hanako")
    room = (await client.ask("POST", "createRoom", {}))["room_id"]
    token = (await client.ask("GET", "sync"))["next_batch"]
    journal = Journal()
    writers = asyncio.gather(*(write_until_gone(client, room, f"{number}", journal) for number in range(5)))
    await journal.first.wait()
    os.kill(process.process_id, signal.SIGSTOP)
    await asyncio.sleep(PAUSE_S)
    stopped_at = len(journal.acknowledged)
    os.kill(process.process_id, signal.SIGCONT)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while len(journal.acknowledged) < stopped_at + 20:
        await asyncio.sleep(0.05)
    back_s = loop.time() - began
    await process.kill()
    await writers
    await process.start()
    stored = [event["content"].get("body") for event in await all_after(client, room, token)]
    assert journal.acknowledged.keys() <= set(stored)
    assert len(stored) == len(set(stored))
    assert back_s < BACK_S
    tell("R16", f"stopped for {PAUSE_S} s: {len(journal.acknowledged)} acknowledged, 0 lost, 0 doubled; what "
                f"had waited was done after {back_s:.2f} s")
