"""The other side of ``worker_process.py``: reads jobs from standard input, answers on standard output.

Ends when standard input is closed, so it never outlives the node; an alarm ends it in the middle of a job that takes
too long, even when the node is gone and cannot. Arguments: bytes of memory allowed, seconds allowed for a job.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from server.foundation.errors import Refused
from server.foundation.worker_process import HEADER

Job = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]

_MAX_OPEN_FILES = 64


def main() -> None:
    """Serve jobs until standard input ends."""
    memory, job_seconds = int(sys.argv[1]), int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    _silence()
    _limit_resources(memory)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; the node ends us itself
    while (request := _read_request(sys.stdin.buffer)) is not None:
        signal.alarm(job_seconds + 5)
        head, data = _answer(*request)
        signal.alarm(0)
        packed = orjson.dumps(head)
        answers.write(HEADER.pack(len(packed), len(data)) + packed)
        answers.write(data)
        answers.flush()


def _silence() -> None:
    """What a library prints goes neither between our answers nor, with a neighbour's words in it, to the log."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _limit_resources(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it answers; it writes no files


def _read_request(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    json_size, data_size = HEADER.unpack(header)
    head = orjson.loads(source.read(json_size))
    return head, source.read(data_size)


def _answer(head: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        values, result = _find(head["job"])(head["values"], data)
    except Refused as refusal:
        return {"refused": {"reason": refusal.reason, "code": refusal.code, "status": refusal.status}}, b""
    except Exception as fault:
        # Only the kind and the place: a message may quote what a neighbour wrote.
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        return {"fault": f"{type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}"}, b""
    return {"values": values}, result


def _find(name: str) -> Job:
    module, _, function = name.partition(":")
    found: Job = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    main()
