"""The running nodes: started all at once on some processors, stopped at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.http_client import RawHttpClient
from benchmarks.kairan import Kairan
from benchmarks.many_nodes.houses import House

_START_S = 180.0
_STOP_S = 30.0


@dataclass(slots=True)
class Nodes:
    """``first_s`` and ``last_s``: until the first and the last one answered, after all were started at one moment."""

    houses: Sequence[House]
    cpus: set[int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    first_s: float = 0.0
    last_s: float = 0.0

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        return [process.pid for process in self.processes]

    async def start(self) -> None:
        """All at once, as after a power cut."""
        begun = time.perf_counter()
        for house in self.houses:
            self.processes.append(self._spawn(house))
        waits = await asyncio.gather(*(self._until_it_answers(house, begun) for house in self.houses))
        self.first_s, self.last_s = min(waits), max(waits)

    def _spawn(self, house: House) -> subprocess.Popen[bytes]:
        command = [str(Kairan.executable()), "run", "--config", str(house.settings_file)]
        with (house.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        if self.cpus:
            os.sched_setaffinity(process.pid, self.cpus)
        return process

    async def _until_it_answers(self, house: House, begun: float) -> float:
        client = RawHttpClient(house.port)
        try:
            while time.perf_counter() - begun < _START_S:
                try:
                    if (await client.call("GET", "/health", "", b"")).status == 200:
                        return time.perf_counter() - begun
                except OSError:
                    pass
                await asyncio.sleep(0.05)
        finally:
            await client.close()
        said = (house.folder / "output.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"a node did not answer:\n{said}")

    async def stop(self) -> None:
        """Politely, then by force."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        last = time.perf_counter() + _STOP_S
        for process in self.processes:
            try:
                await asyncio.to_thread(process.wait, max(0.1, last - time.perf_counter()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@asynccontextmanager
async def running(houses: Sequence[House], cpus: set[int]) -> AsyncIterator[Nodes]:
    """All nodes, as long as the block lasts."""
    nodes = Nodes(houses, cpus)
    try:
        await nodes.start()
        yield nodes
    finally:
        await nodes.stop()
