"""A server under test: what to run (a recipe) and the running process with its bill."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.accounting import cpu_seconds, resident_mb, sqlite_bytes
from benchmarks.http_client import RawHttpClient

SHARED_SECRET = "x"
"""The registration secret that both servers are set up with."""

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_QUIET_SAMPLE_S = 0.05
_QUIET_SHARE = 0.06
_QUIET_SAMPLES = 3


class Recipe(Protocol):
    """How one kind of server is set up and started."""

    @property
    def name(self) -> str:
        """Short name used in tables and on the command line."""

    def prepare(self, directory: Path, port: int) -> None:
        """Writes configuration and keys for a fresh server into an empty directory."""

    def command(self, directory: Path) -> list[str]:
        """The command line that runs the server in the foreground."""

    def version(self) -> str:
        """What exactly is being measured."""


class Probe(Protocol):
    """Looks inside the server while work is measured, such as a profiler."""

    def opens(self, pid: int) -> None:
        """Measured work begins."""

    def closes(self, pid: int) -> None:
        """Measured work is over."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a server lives in this run."""

    directory: Path
    port: int


class ServerProcess:
    """One server under test, started and stopped by the harness; all costs are read from outside."""

    def __init__(self, recipe: Recipe, site: Site, *, cpus: set[int] | None = None, probe: Probe | None = None) -> None:
        self.recipe = recipe
        self.site = site
        self.probe = probe
        self._cpus = cpus
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError(f"{self.recipe.name} is not running")
        return self._process.pid

    def prepare(self) -> None:
        """Sets up a fresh server."""
        self.site.directory.mkdir(parents=True, exist_ok=True)
        self.recipe.prepare(self.site.directory, self.site.port)

    async def start(self) -> float:
        """Starts the process; seconds from spawning it to the first 200 on /_matrix/client/versions."""
        begin = time.perf_counter()
        with (self.site.directory / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self.recipe.command(self.site.directory), stdout=output, stderr=output, start_new_session=True
            )
        if self._cpus:
            os.sched_setaffinity(self._process.pid, self._cpus)
        await self._wait_until_ready(begin)
        return time.perf_counter() - begin

    async def stop(self) -> float:
        """Stops the process politely, then by force; seconds it took."""
        process, self._process = self._process, None
        begin = time.perf_counter()
        if process is None or process.poll() is not None:
            return 0.0
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return time.perf_counter() - begin

    def cpu_seconds(self) -> float:
        """CPU seconds that the server has used since it started."""
        return cpu_seconds(self.pid)

    def resident_mb(self) -> float:
        """Resident memory now, in MB."""
        return resident_mb(self.pid)

    def stored_bytes(self) -> int:
        """Bytes in the server's databases."""
        return sqlite_bytes(self.site.directory)

    async def settle(self, patience_s: float = 15.0) -> None:
        """Waits until the server rests, so that work put off until after an answer is counted and not inherited."""
        deadline = time.perf_counter() + patience_s
        quiet, before = 0, self.cpu_seconds()
        while quiet < _QUIET_SAMPLES and time.perf_counter() < deadline:
            await asyncio.sleep(_QUIET_SAMPLE_S)
            now = self.cpu_seconds()
            quiet = quiet + 1 if now - before < _QUIET_SHARE * _QUIET_SAMPLE_S else 0
            before = now

    async def _wait_until_ready(self, begin: float) -> None:
        while not await self._answers():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"{self.recipe.name} ended while starting:\n{self.last_output()}")
            if time.perf_counter() - begin > _READY_TIMEOUT_S:
                raise RuntimeError(
                    f"{self.recipe.name} did not answer in {_READY_TIMEOUT_S:.0f} s:\n{self.last_output()}"
                )
            await asyncio.sleep(0.005)

    async def _answers(self) -> bool:
        client = RawHttpClient(self.site.port)
        try:
            return (await client.call("GET", "/_matrix/client/versions", "", b"")).status == 200
        except OSError:
            return False
        finally:
            await client.close()

    def last_output(self) -> str:
        """The last lines that the server wrote to its terminal."""
        return "\n".join((self.site.directory / "output.log").read_text(errors="replace").splitlines()[-20:])


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
