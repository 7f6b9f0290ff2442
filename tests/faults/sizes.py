"""How large a fault is: small with all other tests, as large as FAULTS.md asks for with ``make faults``."""

from __future__ import annotations

import os
from pathlib import Path

IS_LONG = int(os.environ.get("KAIRAN_KILLS", "0")) >= 50
# Where every change is looked at, some faults are as large as promised there.
IN_CI = os.environ.get("CI") == "true"


def size(small: int, large: int) -> int:
    """One of the two."""
    return large if IS_LONG else small


def tell(fault: str, figures: str) -> None:
    """What was measured, for docs/faults.md; seen with ``pytest -s``."""
    print(f"{fault}: {figures}")


def resident_mb(process_id: int) -> float:
    """Memory of a process (proc(5), ``statm``)."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_files(process_id: int) -> int:
    """How many descriptors a process holds."""
    return len(list(Path(f"/proc/{process_id}/fd").iterdir()))


def cpu_s(process_id: int) -> float:
    """What a process has cost so far (proc(5), ``stat``: ``utime`` and ``stime``)."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
