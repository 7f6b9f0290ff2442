"""R20: the machine of the primary dies for good; its synchronous standby is promoted, nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.faults.process import Client, NodeProcess
from tests.faults.sizes import IS_LONG, tell
from tests.faults.test_postgresql_gone import AGAIN_S, Durable, _bodies, _until_it_writes, _write
from tests.real import require_real

_WRITERS = 10
_SOCKET = ".s.PGSQL.5432"


class Standby(Durable):
    """Follows another one, which waits for it with every commit."""

    def follow(self, primary: Durable) -> None:
        whom = f"host={primary.folder} user=kairan application_name=standby"
        self._run("pg_basebackup", "-d", whom, "-D", str(self.folder / "data"), "-R", "-X", "stream", "-c", "fast")
        self.go_on()

    def promote(self) -> None:
        self._pg_ctl("promote", "-w")


class Relay:
    """Where the node believes PostgreSQL to be: leads to one of the two, as an address does that moves with it."""

    def __init__(self, folder: Path, target: Durable) -> None:
        self.folder = folder
        self.target = target

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_unix_server(self._join, str(self.folder / _SOCKET))
        yield
        server.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(str(self.target.folder / _SOCKET))
        except OSError:
            writer.close()
            return
        ends = [asyncio.ensure_future(_pass_on(*pair)) for pair in ((reader, back), (there, writer))]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, back):
            end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@pytest.mark.skipif(not IS_LONG, reason="with make faults")
async def test_a_standby_goes_on_where_the_primary_died(tmp_path: Path) -> None:
    programs = require_real("postgresql")
    primary, standby = Durable(programs), Standby(programs)
    try:
        await asyncio.to_thread(primary.start)
        url = (await primary.new_database()).partition("?")[0]
        await asyncio.to_thread(standby.follow, primary)
        await _wait_for(primary)
        with tempfile.TemporaryDirectory(dir="/tmp") as short:
            relay = Relay(Path(short), primary)
            process = NodeProcess(tmp_path)
            process.config.write_text(f'{process.config.read_text()}[database]\nurl = "{url}?host={short}"\n')
            async with relay.listening(), aiohttp.ClientSession() as http:
                await _try_it(process, Client(process, http), relay, standby)
    finally:
        for cluster in (primary, standby):
            with suppress(Exception):
                await asyncio.to_thread(cluster.stop)


async def _wait_for(primary: Durable) -> None:
    """From now on a commit counts when the standby has it."""
    connection = await asyncpg.connect(host=str(primary.folder), user="kairan", database="postgres")
    await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    await connection.execute("SELECT pg_reload_conf()")
    async with asyncio.timeout(30):
        while await connection.fetchval("SELECT max(sync_state) FROM pg_stat_replication") != "sync":
            await asyncio.sleep(0.1)
    await connection.close()


async def _try_it(process: NodeProcess, client: Client, relay: Relay, standby: Standby) -> None:
    try:
        await process.start()
        await client.register("hanako")
        room = (await client.ask("POST", "createRoom", {}))["room_id"]
        since = (await client.ask("GET", "sync"))["next_batch"]
        acknowledged: list[str] = []
        writing = [asyncio.ensure_future(_write(client, room, f"w{each}", acknowledged)) for each in range(_WRITERS)]
        async with asyncio.timeout(60):
            while len(acknowledged) < 100:
                await asyncio.sleep(0.05)
        relay.target.kill()
        await asyncio.to_thread(standby.promote)
        relay.target = standby
        for writer in writing:
            writer.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        took = await _until_it_writes(process, client, room, "again", acknowledged)
        bodies = await _bodies(process, client, room, since)
    finally:
        await process.kill()
    assert set(acknowledged) <= set(bodies), "acknowledged and lost"
    assert len(bodies) == len(set(bodies)), "doubled"
    assert took < AGAIN_S
    tell("R20", f"failover: {len(acknowledged)} acknowledged, none lost; again {took:.1f} s after the promotion")
