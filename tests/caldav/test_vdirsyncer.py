"""What vdirsyncer makes of the calendar door: it finds the calendars and keeps a folder equal to each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.caldav.node import Account, ics

PROGRAM = Path(sys.executable).with_name("vdirsyncer")
START = "DTSTART;TZID=Asia/Tokyo:20261123T100000"
pytestmark = [
    pytest.mark.slow, pytest.mark.skipif(not PROGRAM.exists(), reason="MISSING TOOL: vdirsyncer is not installed"),
]


@pytest.fixture
def folder(tmp_path: Path, hanako: Account) -> Path:
    """A configuration and an empty folder of calendars."""
    (tmp_path / "config").write_text(f"""
[general]
status_path = "{tmp_path}/status/"
[pair calendars]
a = "here"
b = "node"
collections = ["from a", "from b"]
conflict_resolution = "b wins"
metadata = ["color", "displayname"]
[storage here]
type = "filesystem"
path = "{tmp_path}/calendars/"
fileext = ".ics"
[storage node]
type = "caldav"
url = "{hanako.node.url}/"
username = "{hanako.name}"
password = "{hanako.secret}"
""")
    (tmp_path / "calendars").mkdir()
    run(tmp_path, "discover", "--list")
    return tmp_path


def run(folder: Path, *words: str) -> str:
    ended = subprocess.run(
        [PROGRAM, "-c", folder / "config", *words], input="y\n" * 9, capture_output=True, text=True, timeout=120,
        check=False, env={"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_a_folder_and_a_calendar_become_equal_both_ways(hanako: Account, folder: Path) -> None:
    here = folder / "calendars/personal"
    for number in range(100):
        (here / f"up{number}.ics").write_text(ics(f"up{number}", START, f"SUMMARY:打合せ{number}"), newline="")
    hanako.put(hanako.personal + "down.ics", ics("down", START, "RRULE:FREQ=WEEKLY"))
    run(folder, "sync")
    assert len(hanako.found(hanako.personal, '<C:comp-filter name="VCALENDAR"/>')) == 101
    assert len(list(here.glob("*.ics"))) == 101
    idle = run(folder, "sync")
    assert "Copying" not in idle
    assert "Deleting" not in idle
    (here / "up1.ics").unlink()
    hanako.ask("DELETE", hanako.personal + "down.ics")
    body = ics("up2", START, "SUMMARY:変更")
    (here / "up2.ics").write_text(body, newline="")
    run(folder, "sync")
    assert len(list(here.glob("*.ics"))) == 99
    assert "変更".encode() in hanako.ask("GET", hanako.personal + "up2.ics").body


def test_gatherings_come_down_and_a_reader_cannot_send_any_up(
    hanako: Account, officer: Account, folder: Path
) -> None:
    officer.put(officer.gatherings + "a.ics", ics("a", START, "SUMMARY:餅つき"))
    run(folder, "sync")
    here = folder / "calendars/gatherings"
    assert "餅つき" in (here / "a.ics").read_text()
    (here / "mine.ics").write_text(ics("mine", START), newline="")
    with pytest.raises(AssertionError, match=r"403|ermission|orbidden|read"):
        run(folder, "sync", "calendars/gatherings")
    assert officer.ask("GET", officer.gatherings + "mine.ics").status == 404
