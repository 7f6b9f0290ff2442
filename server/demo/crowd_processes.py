"""The people of a replay from outside: some processes with clients, and how far everybody is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Final

from server.demo.crowd import Role
from server.demo.faults import DemoFailed

_PER_PROCESS: Final = 300
_LEAVE_S: Final = 10.0


class Crowd:
    """All people of a replay. Counts by word as ``server.demo.crowd`` says them."""

    def __init__(self) -> None:
        self._processes: list[Process] = []
        self._counts: list[Counter[str]] = []
        self._moved = asyncio.Condition()
        self._is_leaving = False
        self.last_fault = ""

    def count(self, what: str) -> int:
        """How many have come so far."""
        return sum(counts[what] for counts in self._counts)

    async def start(self, roles: Sequence[Role]) -> None:
        """Start the processes; everybody begins to arrive."""
        processes = max(1, min(-(-len(roles) // _PER_PROCESS), (os.cpu_count() or 1) - 1, 4))
        for number in range(processes):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "server.demo.crowd", stdin=PIPE, stdout=PIPE
            )
            self._processes.append(process)
            self._counts.append(Counter())
            order = {"roles": [asdict(role) for role in roles[number::processes]]}
            await self._tell(process, json.dumps(order))

    async def answer(self) -> None:
        """Everybody plays their part now."""
        for process in self._processes:
            await self._tell(process, "answer")

    async def reach(self, what: str, wanted: int, patience_s: float) -> None:
        """Wait until ``wanted`` people have come so far; raises ``DemoFailed``."""
        try:
            async with asyncio.timeout(patience_s), self._moved:
                await self._moved.wait_for(lambda: self.count(what) >= wanted)
        except TimeoutError:
            fault = f" The last refusal: {self.last_fault}" if self.last_fault else ""
            raise DemoFailed(f"After {patience_s:.0f} s, {self.count(what)} of {wanted} are {what}.{fault}") from None

    async def listen(self) -> None:
        """Take in what the processes say until they end; raises ``DemoFailed`` where one ends too early."""
        await asyncio.gather(*(self._listen_to(number) for number in range(len(self._processes))))

    async def leave(self) -> None:
        """Everybody goes."""
        self._is_leaving = True
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self._processes:
            try:
                async with asyncio.timeout(_LEAVE_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _listen_to(self, number: int) -> None:
        stdout = self._processes[number].stdout
        assert stdout is not None
        async for line in stdout:
            said = json.loads(line)
            self.last_fault = said.pop("fault", self.last_fault)
            self._counts[number] |= Counter(said)
            async with self._moved:
                self._moved.notify_all()
        if not self._is_leaving:
            raise DemoFailed("a process with clients has ended")

    async def _tell(self, process: Process, line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line.encode() + b"\n")
        await process.stdin.drain()


@asynccontextmanager
async def arriving_crowd(roles: Sequence[Role]) -> AsyncIterator[Crowd]:
    """People who arrive, and go at the end of the block."""
    crowd = Crowd()
    await crowd.start(roles)
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(crowd.listen())
        try:
            yield crowd
        finally:
            await crowd.leave()
            await listening
