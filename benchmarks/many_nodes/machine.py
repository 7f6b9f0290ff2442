"""What the nodes take of the machine: memory that is theirs and memory that they share, and time of the processors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accounting import cpu_seconds, process_tree


@dataclass(frozen=True, slots=True)
class Memory:
    """Of all nodes together, in MB (2**20 bytes). ``shared_out`` (PSS) counts what several use once; it is what the
    machine must have. ``largest`` is the largest single node.
    """

    resident: float
    shared_out: float
    own: float
    largest: float


def memory_of(pids: Sequence[int]) -> Memory:
    """Read from /proc now."""
    rows = [_rollup(member) for pid in pids for member in process_tree(pid)]
    resident = [row.get("Rss", 0) / 1024 for row in rows]
    shared_out = sum(row.get("Pss", 0) for row in rows) / 1024
    own = sum(row.get("Private_Clean", 0) + row.get("Private_Dirty", 0) for row in rows) / 1024
    return Memory(sum(resident), shared_out, own, max(resident, default=0.0))


def _rollup(pid: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}


class Meter:
    """Seconds of CPU of all nodes since it was made, and seconds on the clock."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._cpu = self._now()
        self._begun = time.perf_counter()

    def cpu_s(self) -> float:
        """Of all nodes together."""
        return self._now() - self._cpu

    def wall_s(self) -> float:
        """On the clock."""
        return time.perf_counter() - self._begun

    def _now(self) -> float:
        return sum(cpu_seconds(pid) for pid in self._pids)
