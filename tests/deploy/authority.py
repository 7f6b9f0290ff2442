"""An authority for certificates on the street, as Let's Encrypt is one in the world: Caddy, which can be one, too."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final

from tests.deploy.booted import Booted, until
from tests.deploy.machine import Machine

NAME: Final = "authority.example"
DIRECTORY: Final = f"https://{NAME}/acme/local/directory"
_FOLDER: Final = "srv/authority"
_ROOT: Final = f"/{_FOLDER}/caddy/pki/authorities/local/root.crt"
_SETTINGS: Final = f"""\
{{
	admin off
	auto_https disable_redirects
	skip_install_trust
}}
{NAME} {{
	tls internal
	acme_server
}}
"""


def unpack(machine: Machine) -> None:
    """Bring the program there, without installing it: that is for the playbook to do."""
    machine.inside("sh", "-c", f"dpkg -x /var/cache/apt/archives/caddy_*.deb /{_FOLDER}")
    (machine.folder / _FOLDER / "Caddyfile").write_text(_SETTINGS)


def open_for(booted: Booted) -> None:
    """Let it work on the street; the machine trusts it."""
    folder = booted.machine.folder
    booted.on_the_street(
        "env", f"HOME=/{_FOLDER}", f"XDG_DATA_HOME=/{_FOLDER}", f"/{_FOLDER}/usr/bin/caddy", "run",
        "--adapter", "caddyfile", "--config", f"/{_FOLDER}/Caddyfile",
    )
    until((folder / _ROOT[1:]).exists, "the authority has its certificate")
    trusted = folder / "usr/local/share/ca-certificates/authority.crt"
    trusted.write_bytes((folder / _ROOT[1:]).read_bytes())
    booted.machine.inside("update-ca-certificates")


def ask(booted: Booted, path: str) -> Any:
    """What the node answers somebody on the street who trusts that authority alone; ``None`` where it does not, yet."""
    try:
        command = ("curl", "--silent", "--fail", "--cacert", _ROOT, f"https://sakura.example{path}")
        return json.loads(booted.outside(*command))
    except (AssertionError, subprocess.TimeoutExpired):
        return None
