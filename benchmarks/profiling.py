"""Where the node spends its time while it is measured: by cProfile (exact calls, main thread) or py-spy (samples)."""

from __future__ import annotations

import io
import os
import pstats
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from benchmarks.accounting import cpu_by_thread

_TOP = 45
_WAIT_FOR_FILE_S = 5.0


class Profiler(Protocol):
    """A probe that can tell what it saw."""

    def opens(self, pid: int) -> None:
        """Measured work begins."""

    def closes(self, pid: int) -> None:
        """Measured work is over."""

    def prefix(self) -> tuple[str, ...]:
        """What is put before the node's command line."""

    def report(self) -> str:
        """The functions that cost most, and the share of each thread."""


class CallProfiler:
    """cProfile inside the node, switched on for the measured windows only."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "node.prof"
        self._threads = ThreadShares()

    def prefix(self) -> tuple[str, ...]:
        """Starts the node through the switchable profile; with -OO, for which it would otherwise restart itself."""
        return (sys.executable, "-OO", str(Path(__file__).with_name("profiled_run.py")), str(self._file))

    def opens(self, pid: int) -> None:
        """Switches the profile on."""
        os.kill(pid, signal.SIGUSR1)
        self._threads.opens(pid)

    def closes(self, pid: int) -> None:
        """Switches it off; the node writes what it has so far."""
        self._threads.closes(pid)
        os.kill(pid, signal.SIGUSR2)

    def report(self) -> str:
        """Most expensive functions by own time, then by time with everything they call."""
        _wait_for(self._file)
        text = io.StringIO()
        stats = pstats.Stats(str(self._file), stream=text)
        stats.sort_stats("tottime").print_stats(_TOP)
        stats.sort_stats("cumulative").print_stats(_TOP)
        return text.getvalue() + self._threads.report()


class SampleProfiler:
    """py-spy beside the node: all threads, hardly any slowing down, no exact counts."""

    def __init__(self, directory: Path, executable: str) -> None:
        self._directory = directory
        self._executable = executable
        self._threads = ThreadShares()
        self._recordings: list[tuple[Path, subprocess.Popen[bytes]]] = []

    def prefix(self) -> tuple[str, ...]:
        """The node runs as always."""
        return ()

    def opens(self, pid: int) -> None:
        """Begins a recording; waits until the sampler is attached."""
        file = self._directory / f"samples{len(self._recordings)}.txt"
        options = ["--pid", str(pid), "--format", "raw", "--rate", "500", "--threads", "--output", str(file)]
        command = [self._executable, "record", "--nonblocking", "--duration", "3600", *options]
        recording = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._recordings.append((file, recording))
        time.sleep(0.5)
        self._threads.opens(pid)

    def closes(self, pid: int) -> None:
        """Ends the recording."""
        self._threads.closes(pid)
        _, recording = self._recordings[-1]
        recording.send_signal(signal.SIGINT)
        recording.wait()

    def report(self) -> str:
        """Functions by samples at the top of the stack, then anywhere in it."""
        stacks = [line for file, _ in self._recordings if file.exists() for line in file.read_text().splitlines()]
        own: Counter[str] = Counter()
        within: Counter[str] = Counter()
        for line in stacks:
            frames, _, samples = line.rpartition(" ")
            own[frames.split(";")[-1]] += int(samples)
            within.update(dict.fromkeys(set(frames.split(";")), int(samples)))
        total = sum(own.values())
        at_top = _ranking("samples at the top of the stack", own, total)
        anywhere = _ranking("samples anywhere in the stack", within, total)
        return f"{at_top}\n\n{anywhere}\n\n{self._threads.report()}"


class ThreadShares:
    """CPU of each thread of the node in the measured windows."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}
        self._used: Counter[str] = Counter()

    def opens(self, pid: int) -> None:
        """Remembers where the clocks stand."""
        self._before = cpu_by_thread(pid)

    def closes(self, pid: int) -> None:
        """Adds what was used since."""
        for thread, seconds in cpu_by_thread(pid).items():
            self._used[thread] += round((seconds - self._before.get(thread, 0.0)) * 1e6)

    def report(self) -> str:
        """One line a thread."""
        return _ranking("CPU µs by thread (id, name)", self._used, sum(self._used.values()))


def profiler(kind: str, directory: Path) -> Profiler:
    """A profiler by name: `cprofile` or `py-spy`."""
    if kind == "cprofile":
        return CallProfiler(directory)
    executable = shutil.which("py-spy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if executable is None:
        raise FileNotFoundError("py-spy is not installed; `pip install py-spy` or use --profile cprofile")
    return SampleProfiler(directory, executable)


def _ranking(title: str, counts: Counter[str], total: int) -> str:
    lines: Iterable[str] = (f"{n:>10} {n / max(1, total):>6.1%}  {name}" for name, n in counts.most_common(_TOP))
    return "\n".join([title, *lines])


def _wait_for(file: Path) -> None:
    deadline = time.perf_counter() + _WAIT_FOR_FILE_S
    while not file.exists() and time.perf_counter() < deadline:
        time.sleep(0.05)
