"""Synapse from PyPI in a virtual environment of its own, set up so that nothing but its own work slows it down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.servers import SHARED_SECRET

REQUIREMENT = "matrix-synapse>=1.163,<2"
"""The release line that the budgets were measured against."""

VENV = Path(__file__).resolve().parent.parent / ".venv-synapse"
"""Where it is installed; `.ci/install_test_tools` puts it there, too."""
_NO_LIMIT: Mapping[str, float] = {"per_second": 1e6, "burst_count": 1e6}
_PLAIN_LIMITS = (
    "rc_message",
    "rc_registration",
    "rc_registration_token_validity",
    "rc_admin_redaction",
    "rc_joins_per_room",
    "rc_3pid_validation",
    "rc_third_party_invite",
    "rc_media_create",
    "rc_delayed_event_mgmt",
    "rc_reports",
    "rc_room_creation",
    "rc_user_directory",
)
_NESTED_LIMITS: Mapping[str, tuple[str, ...]] = {
    "rc_login": ("address", "account", "failed_attempts"),
    "rc_joins": ("local", "remote"),
    "rc_invites": ("per_room", "per_user", "per_issuer"),
    "rc_presence": ("per_user",),
}
WITHOUT_LIMITS: Mapping[str, object] = {
    **dict.fromkeys(_PLAIN_LIMITS, _NO_LIMIT),
    **{name: dict.fromkeys(parts, _NO_LIMIT) for name, parts in _NESTED_LIMITS.items()},
}
"""Settings with which nobody is held back."""


class Synapse:
    """Recipe for the server that we compare with."""

    name = "synapse"

    def prepare(self, directory: Path, port: int) -> None:
        """Installs Synapse when missing, writes its configuration and signing key."""
        install_when_missing()
        (directory / "log.json").write_text(json.dumps(_log_settings()))
        (directory / "homeserver.json").write_text(json.dumps(_settings(directory, port)))
        subprocess.run([*self.command(directory), "--generate-keys"], check=True, stdout=subprocess.DEVNULL)

    def command(self, directory: Path) -> list[str]:
        """The single-process homeserver."""
        return [str(VENV / "bin/python"), "-m", "synapse.app.homeserver", "-c", str(directory / "homeserver.json")]

    def version(self) -> str:
        """Version of the installed package."""
        asked = "from importlib.metadata import version; print(version('matrix-synapse'))"
        done = subprocess.run([str(VENV / "bin/python"), "-c", asked], check=True, capture_output=True, text=True)
        return f"matrix-synapse {done.stdout.strip()}"


def install_when_missing() -> None:
    if (VENV / "bin/synapse_homeserver").exists():
        return
    print(f"installing {REQUIREMENT} into {VENV.name} (once)", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([str(VENV / "bin/pip"), "install", "--quiet", REQUIREMENT], check=True)


def _settings(directory: Path, port: int) -> dict[str, object]:
    # JSON is YAML. The response cache is off because the same person asks for the same initial sync several times here.
    return {
        "server_name": f"localhost:{port}",
        "pid_file": str(directory / "homeserver.pid"),
        "listeners": [
            {
                "port": port, "bind_addresses": ["127.0.0.1"], "type": "http",
                "resources": [{"names": ["client", "federation"]}],
            },
        ],
        "database": {"name": "sqlite3", "args": {"database": str(directory / "homeserver.db")}},
        "log_config": str(directory / "log.json"),
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(directory / "signing.key"),
        "registration_shared_secret": SHARED_SECRET,
        "macaroon_secret_key": "benchmark",
        "form_secret": "benchmark",
        "bcrypt_rounds": 4,
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_verify_certificates": False,
        "ip_range_blacklist": [],
        "federation_ip_range_blacklist": [],
        "rc_federation": {"concurrent": 1000, "sleep_limit": 1_000_000, "reject_limit": 1_000_000},
        "filter_timeline_limit": -1,
        "caches": {"sync_response_cache_duration": 0},
        **WITHOUT_LIMITS,
    }


def _log_settings() -> dict[str, object]:
    return {
        "version": 1,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "root": {"level": "ERROR", "handlers": ["console"]},
        "disable_existing_loggers": False,
    }
