"""Heavy or risky work in a process of its own that is started on demand and ends when it has been idle.

Pictures from strangers are decoded, and papers are set, outside the node: their memory goes back to the machine, a
decoder that crashes takes only its own process with it, and the libraries are never loaded at the node's start. What
comes back is JSON and bytes, never pickled objects: a decoder that was taken over must not reach into the node.

A job is named ``package.module:function``; the function takes ``(values, data)`` and answers the same pair
(``worker_main.py`` runs it). One job runs at a time; the others wait in line.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import sys
from dataclasses import dataclass
from typing import Any, Final

import orjson

from server.foundation.clock import Clock, Timer
from server.foundation.errors import LimitExceeded, Refused

logger = logging.getLogger(__name__)

HEADER: Final = struct.Struct(">II")  # bytes of JSON, bytes of data
_ANSWER_LIMIT: Final = 256 * 2**20
_MEGABYTE: Final = 2**20


class WorkerError(Exception):
    """The job did not end as it should: it crashed, took too long or too much memory."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What one worker may use: ``memory_mb`` of address space, ``job_s`` seconds a job, ``idle_s`` seconds until it
    ends, ``max_waiting`` jobs in line."""

    memory_mb: int = 300
    job_s: int = 10
    idle_s: float = 30.0
    max_waiting: int = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What a job answered."""

    values: dict[str, Any]
    data: bytes


class WorkerProcess:
    """One helper process, started when there is work. ``close`` it when the node stops."""

    def __init__(self, clock: Clock, name: str, limits: WorkerLimits | None = None) -> None:
        self.name = name
        self._clock = clock
        self._limits = limits or WorkerLimits()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None
        self._retired: asyncio.subprocess.Process | None = None
        self._idle: Timer | None = None

    @property
    def process_id(self) -> int | None:
        """The operating system's number of the process while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def run(self, job: str, values: dict[str, Any], data: bytes = b"") -> Answer:
        """Run ``job`` with ``values`` (JSON) and ``data``.

        Raises the ``Refused`` that the job raised, ``WorkerError`` where it died or broke a limit, and
        ``LimitExceeded`` where too many jobs wait already.
        """
        if self._waiting >= self._limits.max_waiting:
            raise LimitExceeded("The node is busy; please try again in a moment", retry_after_ms=2000)
        self._waiting += 1
        try:
            async with self._turn:
                return await self._run_now(_message({"job": job, "values": values}, data))
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the process, also in the middle of a job."""
        self._call_off_idle()
        leaving = [self._process, self._retired]
        self._process = self._retired = None
        for process in leaving:
            if process is not None:
                await _end(process)

    async def _run_now(self, message: bytes) -> Answer:
        self._call_off_idle()
        process = await self._started()
        deadline = self._clock.call_later(self._limits.job_s, lambda: _kill(process))
        try:
            answer = _opened(*await _exchange(process, message))
        except (OSError, asyncio.IncompleteReadError, ValueError) as fault:
            await self.close()
            raise WorkerError(f"the {self.name} worker died or ran out of time") from fault
        except BaseException as stop:
            if not isinstance(stop, (Refused, WorkerError)):
                await self.close()  # cancelled half-way: its answer would be taken for that of the next job
            raise
        finally:
            deadline.cancel()
            self._end_when_idle()
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            limits = self._limits
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server.foundation.worker_main",
                str(limits.memory_mb * _MEGABYTE), str(limits.job_s),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=_environment(),
            )
        return self._process

    def _end_when_idle(self) -> None:
        if self._process is not None:
            self._idle = self._clock.call_later(self._limits.idle_s, self._retire)

    def _retire(self) -> None:
        self._retired, self._process, self._idle = self._process, None, None
        if self._retired is not None:
            _hang_up(self._retired)

    def _call_off_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


async def _exchange(process: asyncio.subprocess.Process, message: bytes) -> tuple[dict[str, Any], bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(message)
    await process.stdin.drain()
    json_size, data_size = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if json_size + data_size > _ANSWER_LIMIT:
        raise ValueError("the answer is too large")
    head = orjson.loads(await process.stdout.readexactly(json_size))
    if not isinstance(head, dict):
        raise ValueError("the answer is no JSON object")
    return head, await process.stdout.readexactly(data_size)


def _opened(head: dict[str, Any], data: bytes) -> Answer:
    refusal = head.get("refused")
    if isinstance(refusal, dict):
        status = 413 if refusal.get("status") == 413 else 400
        raise Refused(str(refusal.get("reason")), code=str(refusal.get("code")), status=status)
    if "fault" in head:
        raise WorkerError(str(head["fault"]))
    values = head.get("values")
    return Answer(values if isinstance(values, dict) else {}, data)


def _message(head: dict[str, Any], data: bytes) -> bytes:
    packed = orjson.dumps(head)
    return HEADER.pack(len(packed), len(data)) + packed + data


def _environment() -> dict[str, str]:
    """Nothing of the node's environment (it may hold secrets) but where Python finds its modules."""
    modules = os.pathsep.join(filter(None, sys.path))
    return {"PYTHONPATH": modules, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath, "LANG": "C.UTF-8"}


def _hang_up(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()  # the worker ends when nobody can ask it any more


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()


async def _end(process: asyncio.subprocess.Process) -> None:
    _hang_up(process)
    _kill(process)
    await process.wait()
