"""R6, R16: a node that may open few files, and one that is stopped for a while."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.faults.process import Client, NodeProcess
from tests.faults.test_kill import Journal, all_after, write_until_gone

FILES = 120
PAUSE_S = 2.0


async def test_more_connections_than_files_are_waited_out_and_the_node_goes_on(
    process: NodeProcess, client: Client
) -> None:
    await process.start()
    await client.register("hanako")
    resource.prlimit(process.process_id, resource.RLIMIT_NOFILE, (FILES, FILES))
    crowd = await asyncio.gather(*(_connect(process.port) for _ in range(2 * FILES)))
    before = _cpu_s(process.process_id)
    await asyncio.sleep(1.0)
    assert _cpu_s(process.process_id) - before < 0.7, "it does not run in circles"
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


async def _connect(port: int) -> asyncio.StreamWriter | None:
    with suppress(OSError, asyncio.TimeoutError):
        _reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 60)
        writer.write(b"GET /_matrix/client/versions HTTP/1.1\r\n")
        return writer
    return None


def _cpu_s(process_id: int) -> float:
    """Processor time so far (proc(5), ``stat``)."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    while len(journal.acknowledged) < stopped_at + 20:
        await asyncio.sleep(0.05)
    await process.kill()
    await writers
    await process.start()
    stored = [event["content"].get("body") for event in await all_after(client, room, token)]
    assert journal.acknowledged.keys() <= set(stored)
    assert len(stored) == len(set(stored))
