"""From spawning the process to its first answer, and what it then holds in memory."""

from __future__ import annotations

from statistics import median

from benchmarks.measuring import Figure, latencies_of
from benchmarks.servers import ServerProcess
from benchmarks.sizes import Sizes
from benchmarks.town import Town


async def start(town: Town, sizes: Sizes) -> list[Figure]:
    """Starts the server several times on a database that exists already (as after a power cut)."""
    server = town.server
    starts = [await _restart(server) for _ in range(sizes.starts)]
    seconds = [wall for wall, _ in starts]
    await server.settle()
    count = len(starts)
    return [
        Figure(
            name="start",
            measure="s",
            unit="start",
            value=median(seconds),
            count=count,
            warm_up=1,
            latencies=latencies_of(seconds),
        ),
        Figure(
            name="start_cpu", measure="ms CPU", unit="start", value=median(cpu for _, cpu in starts) * 1e3, count=count
        ),
        Figure(name="memory_start", measure="MB", unit="server", value=server.resident_mb(), count=1),
    ]


async def _restart(server: ServerProcess) -> tuple[float, float]:
    await server.stop()
    wall = await server.start()
    return wall, server.cpu_seconds()
