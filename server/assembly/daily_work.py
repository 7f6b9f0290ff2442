"""``kairan daily``: the day's backup and check, of which the node is told."""

from __future__ import annotations

import sys
from pathlib import Path

from server.assembly.people import perform
from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.errors import Refused
from server.operation.daily import Outcome, do_daily_work


def daily(settings: Settings, config: Path) -> int:
    """Do the day's work, tell the node of it, and answer whether all went well."""
    status = 0
    for outcome in do_daily_work(settings, config, SystemClock()):
        stream = sys.stdout if outcome.is_done else sys.stderr
        stream.write(outcome.sentence + "\n")
        status |= not outcome.is_done
        try:
            perform(settings, "note_upkeep", {"work": outcome.work, "trouble": _trouble(outcome)})
        except (Refused, OSError) as fault:
            sys.stderr.write(f"The node could not be told: {fault}\n")
            status = 1
    return int(status)


def _trouble(outcome: Outcome) -> str:
    return "" if outcome.is_done else outcome.sentence
