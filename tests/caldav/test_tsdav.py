"""What tsdav, a CalDAV client in JavaScript, makes of the calendar door. Its day is in tests/caldav/js/tsdav.mjs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.caldav.node import Account
from tests.real import require_real

FOLDER = Path(__file__).with_name("js")
pytestmark = pytest.mark.slow


def test_a_day_with_tsdav(hanako: Account) -> None:
    program = require_real("node")
    if not (FOLDER / "node_modules/tsdav/package.json").is_file():
        require_installed("tsdav")
    world = {"url": hanako.node.url, "name": hanako.name, "password": hanako.secret}
    ended = subprocess.run(
        [program, FOLDER / "tsdav.mjs"], capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.defpath, "KAIRAN_WORLD": json.dumps(world)},
    )
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert said, ended.stderr[-2000:]
    assert said[-1] == {"done": True}, (said[-3:], ended.stderr[-2000:])
    assert len(said) > 20


def require_installed(package: str) -> None:
    """Skip, or fail under CI: the package is missing."""
    reason = f"{package} is not installed (npm ci in tests/caldav/js)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"MISSING TOOL: {reason}")
