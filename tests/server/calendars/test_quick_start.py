"""What other parts may import at the node's start must stay light."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = ("icalendar", "lxml", "recurring_ical_events", "dateutil")


@pytest.mark.parametrize("module", ["server.calendars", "server.calendars.ports", "server.calendars.model",
                                    "server.calendars.app_passwords", "server.caldav", "server.caldav.settings"])
def test_nothing_of_icalendar_or_xml_is_loaded_by(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {_HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
