"""What a server process costs, read from outside: CPU seconds, resident memory, bytes in its SQLite files."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_SCHEDULER_CLOCK = 2
_SQLITE_MAGIC = b"SQLite format 3\0"


def process_tree(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(child) for child in _read(children).split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system CPU time of the process tree in seconds: utime + stime of every thread, children included."""
    return sum(_own_cpu(member) + _cpu_of_reaped_children(member) for member in process_tree(pid))


def cpu_by_thread(pid: int) -> dict[str, float]:
    """CPU seconds of each living thread of one process, keyed by thread id and name."""
    threads = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        nanoseconds = _read(task / "schedstat").split()
        if nanoseconds:
            threads[f"{task.name} {_read(task / 'comm').strip()}"] = int(nanoseconds[0]) / 1e9
    return threads


def resident_mb(pid: int) -> float:
    """VmRSS of the process tree in megabytes (2**20 bytes)."""
    return sum(_resident_kb(member) for member in process_tree(pid)) / 1024


def sqlite_bytes(directory: Path) -> int:
    """Bytes in use in all SQLite databases below a directory, as of their last commit, wherever the log stands."""
    return sum(_pages_in_use(file) for file in directory.rglob("*") if file.is_file() and _is_sqlite(file))


def _own_cpu(pid: int) -> float:
    # The kernel's own clock of a process counts what /proc/PID/stat counts, in nanoseconds instead of 10 ms ticks.
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULER_CLOCK)
    except OSError:
        return 0.0


def _cpu_of_reaped_children(pid: int) -> float:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / _TICKS_PER_SECOND if fields else 0.0


def _resident_kb(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _pages_in_use(file: Path) -> int:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        size, pages, free = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
        return size * (pages - free)
    finally:
        connection.close()


def _read(file: Path) -> str:
    # A process may end between the listing and the reading; it then costs nothing more.
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
