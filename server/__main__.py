"""Where the ``kairan`` command enters.

Does one thing before everything else: it lets ``kairan run`` go on without docstrings in memory. Therefore it imports
next to nothing; the commands themselves are in ``server.commands``.
"""

from __future__ import annotations

import importlib
import os
import sys

from server.lean_start import is_compiled, start_small


def main() -> int:
    """Run the command that was typed; answers the exit status."""
    if sys.argv[1:2] == ["run"]:
        _restart_without_docstrings()
        start_small()
    status: int = importlib.import_module("server.commands").main()
    return status


def _restart_without_docstrings() -> None:
    """Go on as ``python -OO``, in the same process, for 4 MB less memory; only where that costs no compiling now."""
    if os.name == "posix" and sys.flags.optimize < 2 and is_compiled():
        # -P: a folder called "server" in the current folder is not ours.
        command = [sys.executable, "-P", "-OO", "-m", "server", *sys.argv[1:]]
        # Threads that take turns need no heap each (glibc; others do not look at it).
        os.execve(sys.executable, command, {"MALLOC_ARENA_MAX": "2", **os.environ})  # noqa: S606 - no shell


if __name__ == "__main__":
    sys.exit(main())
