"""Real programs that tests use beside the node: a browser, PostgreSQL, fonts, clients in JavaScript.

Where one is missing its tests are skipped and named at the end of the run; with ``CI=true`` they fail instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.synapse import VENV


def _program(*names: str) -> Callable[[], Path | None]:
    def find() -> Path | None:
        found = [shutil.which(name) for name in names]
        return next((Path(place) for place in found if place), None)

    return find


def _postgresql() -> Path | None:
    """The folder of ``initdb`` and ``postgres``; Debian keeps it off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _japanese_font() -> Path | None:
    listing = shutil.which("fc-list")
    if listing is None:
        return None
    fonts = subprocess.run([listing, ":lang=ja", "file"], capture_output=True, text=True, check=False).stdout
    return next((Path(line.partition(":")[0]) for line in fonts.splitlines() if line.strip()), None)


def _synapse() -> Path | None:
    """The Python of the environment in which Synapse is installed."""
    python = VENV / "bin/python"
    return python if python.with_name("synapse_homeserver").exists() else None


def _node_program() -> Path | None:
    """Node.js, new enough for matrix-js-sdk as it is tried here."""
    place = shutil.which("node") or shutil.which("nodejs")
    if place is None:
        return None
    version = subprocess.run([place, "--version"], capture_output=True, text=True, check=False).stdout
    return Path(place) if version.startswith("v") and int(version[1:].partition(".")[0]) >= _NODE_JS else None


def _npm_package(name: str) -> Callable[[], Path | None]:
    def find() -> Path | None:
        folder = _NPM_PACKAGES / name
        return folder if (folder / "package.json").is_file() else None

    return find


def _axe_core() -> Path | None:
    file = Path(__file__).parent / "web/js/node_modules/axe-core/axe.min.js"
    return file if file.is_file() else None


def _libfaketime() -> Path | None:
    """The one for programs with threads; Debian keeps it in a folder of the machine's kind."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


_NODE_JS = 20
_NPM_PACKAGES = Path(__file__).parent / "clients/js/node_modules"

_TOOLS: dict[str, Callable[[], Path | None]] = {
    "chromium": _program("chromium", "chromium-browser", "google-chrome"),
    "postgresql": _postgresql,
    "japanese font": _japanese_font,
    "pdftoppm": _program("pdftoppm"),
    "synapse": _synapse,
    "node": _node_program,
    "matrix-js-sdk": _npm_package("matrix-js-sdk"),
    "axe-core": _axe_core,
    "libfaketime": _libfaketime,
    "hydrogen-view-sdk": _npm_package("hydrogen-view-sdk"),
}


def require_real(name: str) -> Path:
    """Where ``name`` is (``postgresql``: the folder of its programs). Without it: skip, or fail under CI."""
    place = _TOOLS[name]()
    if place is not None:
        return place
    reason = f"{name} is not installed (make test installs it where it may)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"{_MARK}{reason}")


_MARK = "MISSING TOOL: "


def missing_tools(reasons: list[str]) -> list[str]:
    """Which of the skip ``reasons`` come from ``require_real``."""
    return sorted({reason.partition(_MARK)[2] for reason in reasons if _MARK in reason})
