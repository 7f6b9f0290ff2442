"""What a running node costs, read from outside; how many files this process may open; which port is free."""

from __future__ import annotations

import os
import resource
import secrets
import socket
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")
# Below those that operating systems give to outgoing connections.
_LISTENING_PORTS: Final = range(10_000, 32_000)
_SHARES: Final = 16


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time in seconds of living processes, their children, and of our own children that have ended.

    The last ones make the sum go on over a node that was killed and started again. 0.0 where there is no /proc.
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(_cpu_of(member) for pid in pids for member in _family(pid))


def memory_mb(pid: int) -> float:
    """Resident memory (VmRSS) of a process and its children in megabytes (2**20 bytes)."""
    return sum(_resident_kb(member) for member in _family(pid)) / 1024


def open_many_files() -> None:
    """Let this process and its children have as many connections as the operating system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port(first: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on: ``first`` or one of the next hundred; with 0, any.

    Raises ``OSError`` where all of them are taken.
    """
    for port in range(first, first + (100 if first else 1)):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    raise OSError(f"no free port from {first} on")


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1 that nobody listens on, and that no connection is given by chance.

    Raises ``OSError`` where they cannot be found.
    """
    with ExitStack() as taken:
        found: list[int] = []
        ports = _own_ports()
        for port in secrets.SystemRandom().sample(ports, min(50 * count, len(ports))):
            tried = taken.enter_context(socket.socket())
            with suppress(OSError):
                tried.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError("no free ports")


def _own_ports() -> range:
    """Programs that look at the same moment look among different ones: nobody holds a port until it is listened on."""
    return _LISTENING_PORTS[os.getpid() % _SHARES::_SHARES]


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in (_PROC / str(parent) / "task").glob("*/children"):
            found.extend(int(child) for child in _read(children).split())
    return found


def _cpu_of(pid: int) -> float:
    # proc(5): after the name in brackets, utime and stime are fields 14 and 15, those of ended children 16 and 17.
    fields = _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_SECOND if fields else 0.0


def _resident_kb(pid: int) -> int:
    lines = _read(_PROC / str(pid) / "status").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _read(file: Path) -> str:
    # A process may end between the listing and the reading; it then costs nothing more.
    try:
        return file.read_text()
    except OSError:
        return ""
