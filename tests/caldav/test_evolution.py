"""What evolution-data-server makes of the calendar door: the real back end of GNOME's calendars and of Evolution.

Its packages are many, so ``make test`` does without; ``make calendars`` asks for it. Its day is in
``tests/caldav/evolution/day.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.caldav.node import Account, ics

DAY = Path(__file__).with_name("evolution") / "day.py"
PYTHON = "/usr/bin/python3"
PACKAGES = "evolution-data-server gir1.2-ecal-2.0 gir1.2-edataserver-1.2 python3-gi dbus"
SERVICES = Path("/usr/share/dbus-1/services")
SOURCE = """[Data Source]
DisplayName={name}
Enabled=true
Parent=caldav-stub

[Authentication]
Host=127.0.0.1
Method=plain/password
Port={port}
User=hanako
RememberPassword=false

[Security]
Method=none

[WebDAV Backend]
ResourcePath=/dav/calendars/hanako/{name}/

[Calendar]
BackendName=caldav
Selected=true
"""
# A bus on which nothing can be started but what is tried: a keyring would wait for somebody to type.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir={folder}</listen><servicedir>{services}</servicedir>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy>
</busconfig>
"""


def require_evolution() -> None:
    """Skip unless it is asked for; then what is missing is a failure."""
    if os.environ.get("KAIRAN_EVOLUTION") != "1":
        pytest.skip("evolution-data-server is tried by: make calendars")
    has_library = subprocess.run(
        [PYTHON, "-c", "import gi; gi.require_version('ECal', '2.0'); from gi.repository import ECal"],
        capture_output=True, check=False, timeout=60).returncode == 0
    if not has_library or shutil.which("dbus-run-session") is None:
        pytest.fail(f"EVOLUTION NOT TRIED: apt install {PACKAGES}")


@pytest.fixture
def home(tmp_path: Path, hanako: Account) -> Path:
    """A home folder with two calendars, and the bus."""
    sources, services = tmp_path / "config/evolution/sources", tmp_path / "services"
    sources.mkdir(parents=True)
    services.mkdir()
    for name in ("personal", "gatherings"):
        (sources / f"{name}.source").write_text(SOURCE.format(name=name, port=hanako.node.port))
    for file in SERVICES.glob("org.gnome.evolution.dataserver.*"):
        shutil.copy(file, services)
    (tmp_path / "bus.conf").write_text(BUS.format(folder=tmp_path, services=services))
    return tmp_path


def test_a_day_with_evolution(hanako: Account, officer: Account, home: Path) -> None:
    require_evolution()
    assert officer.put(officer.gatherings + "g.ics", ics("g", "DTSTART:20270105T010000Z", "SUMMARY:清掃")).status == 201
    said = day_of(hanako, home)
    assert said[-1] == {"done": True}
    told = {item.pop("step"): item for item in said[:-1]}
    assert told["discovered"] == {"calendars": 4, "addresses": ["hanako@sakura.example"]}
    assert told["personal"] == {"readonly": False, "titles": []}
    assert told["created"] == told["changed"] == {"there": True}
    assert told["recurs"] == {"days": ["1/12 体操", "1/19 体操", "1/26 体操", "1/5 体操", "1/5 夜桜"]}
    after = told["one moved, one left out"]
    assert after["days"] == ["1/13 体操（外）", "1/26 体操", "1/5 体操", "1/5 夜桜"]
    assert "RECURRENCE-ID" in after["stored"]
    assert "EXDATE" in after["stored"]
    assert told["from a telephone"] == {"titles": ["体操", "体操（外）", "夜桜", "電話から"]}
    assert told["removed"] == {"titles": [], "days": []}
    assert told["gatherings"] == {"readonly": True, "titles": ["清掃"]}
    assert told["refused"]["why"]


def day_of(account: Account, home: Path) -> list[dict[str, Any]]:
    world = {"url": account.node.url, "name": account.name, "password": account.secret}
    ended = subprocess.run(
        ["dbus-run-session", f"--config-file={home / 'bus.conf'}", "--", PYTHON, str(DAY)],
        capture_output=True, text=True, timeout=300, check=False,
        env={
            "PATH": os.defpath, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data"), "XDG_RUNTIME_DIR": str(home),
            "GSETTINGS_BACKEND": "memory", "LANG": "C.UTF-8", "TZ": "Asia/Tokyo", "KAIRAN_WORLD": json.dumps(world),
        },
    )
    said = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert said, ended.stderr[-2000:]
    assert said[-1] == {"done": True}, (said[-2:], ended.stderr[-2000:])
    return said
