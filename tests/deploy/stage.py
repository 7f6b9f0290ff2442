"""What is played with: the node as wheels, as it is, as it was, and as it should never be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.deploy.fetched import CACHE, RELEASE, ROOT, alone, fetch_debian, prepare_tools, run
from tests.deploy.machine import Machine

_MIGRATIONS: Final = "server/storage/migrations/"
_SERVICE_MANAGER: Final = "server/foundation/service_manager.py"
# A release that changes the database so that none before understands it, and ends before it is ready.
_SPOILT: Final = {
    f"{_MIGRATIONS}9999_spoilt.sql": "CREATE TABLE spoilt (number {int});\n",
    _SERVICE_MANAGER: (ROOT / _SERVICE_MANAGER).read_text()
    .replace('self._tell("READY=1")', "raise SystemExit('spoilt')"),
}


def stage(machine: Machine) -> Path:
    """Make a machine; answers the folder of the wheels. What all need is made once, by whoever comes first."""
    wheels = CACHE / f"wheels-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with alone("stage"):
        if not wheels.exists():
            _prepare(machine, wheels)
    machine.make()
    return wheels


def _prepare(machine: Machine, wheels: Path) -> None:
    """Ansible, the Debian and the wheels: at the same time where they do not need each other."""
    for old in CACHE.glob("wheels-*"):
        shutil.rmtree(old)
    python = _python()
    made = wheels.with_name(f"new-{wheels.name}")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    with ThreadPoolExecutor() as together:
        works: list[Future[Any]] = [together.submit(prepare_tools), together.submit(fetch_debian)]
        if python is not None:
            works.append(together.submit(_make_wheels, python, _copy_source(made.with_name("source")), made))
        for work in works:
            work.result()
    if python is None:
        builder = Machine(machine.folder.with_name("builder"))
        builder.make()
        _make_wheels_inside(builder, made)
        builder.remove()
    made.rename(wheels)


def _python() -> str | None:
    """A Python as that of the Debian, if there is one here."""
    if sys.version_info[:2] == RELEASE.python:
        return sys.executable
    found = shutil.which("python{}.{}".format(*RELEASE.python))
    works = found is not None and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
    return found if works else None


def _copy_source(folder: Path) -> Path:
    """What the node is made from, without what was left by making it before."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("server", "federation", "bridges"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / part, folder / part)
    return folder


def _make_wheels(python: str, source: Path, folder: Path, *more: str) -> None:
    wanted = (*more, f"{source}[postgres,copies]")
    run(python, "-m", "pip", "wheel", "--quiet", "--wheel-dir", folder, *wanted, timeout=600)


def _make_wheels_inside(machine: Machine, folder: Path) -> None:
    """The node and everything that it needs, by the Debian's own Python."""
    _copy_source(machine.folder / "src")
    machine.inside("python3", "-m", "venv", "/builder")
    wanted = "/src[postgres,copies]"
    machine.inside("/builder/bin/pip", "wheel", "--quiet", "--wheel-dir", "/wheels", wanted, timeout=600)
    shutil.copytree(machine.folder / "wheels", folder, dirs_exist_ok=True)


def older(wheels: Path, folder: Path) -> Path:
    """Wheels of the node as it was before the last change of its database. Where its history is not here (a copy
    without it): as it is now, but with another file.
    """
    commit, python = _before_the_last_migration(), _python()
    if not commit or python is None:
        return altered(wheels, folder, {"server/older.py": ""})
    source = folder.with_name(f"{folder.name}-source")
    source.mkdir()
    run("sh", "-c", 'git -C "$0" archive "$1" | tar -x -C "$2"', ROOT, commit, source)
    shutil.copytree(wheels, folder, ignore=shutil.ignore_patterns("kairan-*"))
    _make_wheels(python, source, folder, "--no-deps")
    return folder


def _before_the_last_migration() -> str:
    """The last commit from which what was added since goes on; what was numbered anew was never given out."""
    now = _git("ls-tree", "--name-only", "HEAD", _MIGRATIONS)
    for parents in _git("log", "-30", "--format=%P", "--", _MIGRATIONS):
        commit = parents.split(" ")[0]
        then = _git("ls-tree", "--name-only", commit, _MIGRATIONS)
        if commit and len(then) < len(now) and now[:len(then)] == then:
            return commit
    return ""


def _git(*command: str) -> list[str]:
    asked = ["git", "-C", str(ROOT), *command]
    lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    return [line for line in lines if not line.endswith(("__init__.py", "/__pycache__"))]


def spoilt(wheels: Path, folder: Path) -> Path:
    """Wheels of the node as it should never be."""
    return altered(wheels, folder, _SPOILT)


def altered(wheels: Path, folder: Path, changes: Mapping[str, str]) -> Path:
    """Wheels of which the node's own has other files."""
    shutil.copytree(wheels, folder, ignore=shutil.ignore_patterns("kairan-*"))
    [wheel] = wheels.glob("kairan-*.whl")
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(folder / wheel.name, "w") as after:
        for name in before.namelist():
            if name not in changes:
                after.writestr(before.getinfo(name), before.read(name))
        for name, text in changes.items():
            after.writestr(name, text)
    return folder
