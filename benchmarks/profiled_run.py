"""Runs a Python command under cProfile, switched from outside: SIGUSR1 on, SIGUSR2 off and written to a file.

Used as `python profiled_run.py FILE COMMAND ARGUMENT…`. Only the main thread is seen.
"""

from __future__ import annotations

import cProfile
import runpy
import signal
import sys
from types import FrameType


def main() -> None:
    """Takes the place of the command."""
    output, command = sys.argv[1], sys.argv[2]
    sys.argv = sys.argv[2:]
    # This directory is no place to import from; the command expects its own.
    sys.path.pop(0)
    profile = cProfile.Profile()

    def begin(_number: int, _frame: FrameType | None) -> None:
        profile.enable()

    def end(_number: int, _frame: FrameType | None) -> None:
        profile.disable()
        profile.dump_stats(output)

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    runpy.run_path(command, run_name="__main__")


if __name__ == "__main__":
    main()
