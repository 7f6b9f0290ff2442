"""Making a new node: ``init``."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from server.commands.adding import add_command
from server.config import parse_settings, render_default
from server.foundation.errors import Refused
from server.foundation.signatures import SigningKey
from server.lean_start import is_compiled


def add_to(commands: Any) -> None:
    """Add ``init``."""
    init = add_command(commands, "init", "make a new node: settings, signing key, database", _init, config=False)
    init.add_argument("folder", type=Path, metavar="DIR", help="where it lives; made if it does not exist")
    init.add_argument("--server-name", required=True, help="the name after the colon in its addresses, for ever")
    init.add_argument("--name", required=True, help="what the association is called, e.g. 桜町町内会")


def _init(options: argparse.Namespace) -> int:
    folder: Path = options.folder.absolute()
    toml = render_default(options.server_name, options.name)
    settings = parse_settings(toml, folder)
    file = folder / "kairan.toml"
    if file.exists() or settings.signing_key_file.exists():
        raise Refused(f"{folder} holds a node already; nothing was changed.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _write_private(settings.signing_key_file, SigningKey.generate().line())
        _write_private(file, toml)
        importlib.import_module("server.assembly").prepare_database(settings)
    except BaseException:
        for written in (file, settings.signing_key_file):
            written.unlink(missing_ok=True)
        raise
    _compile_without_docstrings()
    print(f"A node for {settings.association.name} ({settings.server_name}) is ready in {folder}.")
    print(f"Start it with: kairan run --config {file}")
    return 0


def _write_private(file: Path, content: str) -> None:
    """Write a new file that only its owner may read; never over an old one."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _compile_without_docstrings() -> None:
    """Make the second set of compiled files, once for an installation. Where Python may not write, nothing is lost."""
    if not is_compiled():
        may_write = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-P", "-OO", "-c", "import server.commands, server.assembly"]
        subprocess.run(command, check=False, timeout=120, stderr=subprocess.DEVNULL, env=may_write)
