"""The node of a replay: ``kairan run`` in a process of its own, started again whenever it dies."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from server.demo.faults import DemoFailed
from server.demo.machine import memory_mb, open_many_files
from server.foundation.clock import Clock

_START_S: Final = 20.0
_STOP_S: Final = 15.0
_PAUSE_S: Final = 0.3
_MOST_STARTS: Final = 20


class NodeProcess:
    """A node in the foreground of another process. ``restarts`` counts how often it had to be started again."""

    def __init__(self, settings_file: Path, clock: Clock) -> None:
        self._settings_file = settings_file
        self._clock = clock
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self.restarts = 0

    @property
    def pid(self) -> int:
        """The number of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    def memory_mb(self) -> float:
        """Resident memory now."""
        return memory_mb(self.pid)

    async def start(self) -> None:
        """Start it and wait for its one line; raises ``DemoFailed``."""
        command = [sys.executable, "-P", "-m", "server", "run", "--config", str(self._settings_file)]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if b"ready" not in line:
            await self._end()
            raise DemoFailed("the node did not start")

    async def keep_alive(self) -> None:
        """Start it again when it is killed, until ``stop``; raises ``DemoFailed`` where that does not help."""
        while self._process is not None and not self._stopping.is_set():
            await self._process.wait()
            if self._stopping.is_set():
                return
            self.restarts += 1
            await self._clock.sleep(_PAUSE_S)
            if self._stopping.is_set():
                return
            if self.restarts > _MOST_STARTS:
                raise DemoFailed("the node dies again and again")
            with suppress(DemoFailed):
                await self.start()

    def kill(self) -> None:
        """End it without warning, as a power cut does."""
        assert self._process is not None
        self._process.kill()

    async def stop(self) -> None:
        """Ask it to end, and see that it has."""
        self._stopping.set()
        await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running_node(settings_file: Path, clock: Clock) -> AsyncIterator[NodeProcess]:
    """A node that runs, and is started again when it dies, as long as the block lasts."""
    open_many_files()
    node = NodeProcess(settings_file, clock)
    await node.start()
    async with asyncio.TaskGroup() as tasks:
        keeper = tasks.create_task(node.keep_alive())
        try:
            yield node
        finally:
            await node.stop()
            keeper.cancel()
