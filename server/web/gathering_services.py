"""What the pages of gatherings need; the assembly brings it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calling_off import CallingOff
from server.association.gatherings.calls import Calls
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.ledger import AttendanceLedger
from server.association.gatherings.model import Gathering
from server.association.gatherings.writing_down import WritingDown
from server.foundation.worker_process import WorkerProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringServices:
    """Gatherings, who comes to them, who is called when one is off; how one is written as an .ics file
    (``gatherings.calendar.as_ics``), and what prints."""

    verbs: Gatherings
    attendance: Attendance
    as_ics: Callable[[Gathering], str]
    calling_off: CallingOff
    writing: WritingDown
    ledger: AttendanceLedger
    calls: Calls
    printing: WorkerProcess
