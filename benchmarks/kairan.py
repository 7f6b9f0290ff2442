"""The node under test, installed beside the Python that runs the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.servers import SHARED_SECRET

Table = dict[str, object]


class Kairan:
    """Recipe for our own node; `prefix` is put before the command (a profiler)."""

    name = "kairan"

    def __init__(self, prefix: tuple[str, ...] = ()) -> None:
        self._prefix = prefix

    @staticmethod
    def executable() -> Path:
        """Where the `kairan` command of this environment is."""
        return Path(sys.executable).parent / "kairan"

    def prepare(self, directory: Path, port: int) -> None:
        """Runs `kairan init`, then opens registration and takes the limits off."""
        name = f"localhost:{port}"
        init = [str(self.executable()), "init", str(directory), "--server-name", name, "--name", "bench"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        file = directory / "kairan.toml"
        settings = tomllib.loads(file.read_text())
        for section, values in _changes(port).items():
            _section(settings, section).update(values)
        file.write_text(toml_text(settings))

    def command(self, directory: Path) -> list[str]:
        """The node in the foreground."""
        return [*self._prefix, str(self.executable()), "run", "--config", str(directory / "kairan.toml")]

    def version(self) -> str:
        """Version of the installed distribution."""
        try:
            return f"kairan {version('kairan')}"
        except PackageNotFoundError:
            return "kairan (not installed)"


def toml_text(table: Table, path: str = "") -> str:
    """TOML of nested tables of plain values; enough for a settings file, comments are lost."""
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict)]
    nested = [
        f"\n[{path}{key}]\n{toml_text(value, f'{path}{key}.')}"
        for key, value in table.items()
        if isinstance(value, dict)
    ]
    return "\n".join(plain + nested) + "\n"


def _changes(port: int) -> dict[str, Table]:
    return {
        "http": {"listen": f"127.0.0.1:{port}"},
        "registration": {"mode": "open", "shared_secret": SHARED_SECRET},
        "limits": {"enabled": False},
        "passwords": {"cost": 4},
        "federation": {"verify_certificates": False, "allow_private_addresses": True},
    }


def _section(settings: Table, name: str) -> Table:
    section = settings.setdefault(name, {})
    if not isinstance(section, dict):
        raise TypeError(f"[{name}] is not a table")
    return section


def _value(value: object) -> str:
    # Strings, numbers, booleans and lists of them are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
