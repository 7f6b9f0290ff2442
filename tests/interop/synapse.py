"""A real Synapse as a process of its own: it answers other servers with TLS, and its own people without."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.synapse import WITHOUT_LIMITS
from server.foundation.signatures import SigningKey
from tests.federation.town import free_port
from tests.interop.certificates import Certificates

SECRET = "interop"
PASSWORD = "cherry-blossom-5"
_STARTS_WITHIN_S = 60


class Synapse:
    """Synapse on two ports of this machine. The log is in the folder, for whoever wonders."""

    def __init__(self, python: Path, folder: Path, certificates: Certificates) -> None:
        self._python = python
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.name = f"127.0.0.1:{self.port}"
        self.url = f"http://127.0.0.1:{free_port()}"
        folder.mkdir()
        self.log = folder / "synapse.log"
        (folder / "log.json").write_text(json.dumps(_log_settings(self.log)))
        settings = _settings(folder, self.name, int(self.url.rpartition(":")[2]), certificates)
        (folder / "homeserver.json").write_text(json.dumps(settings))
        # As its --generate-keys does, which takes as long as a start.
        (folder / "signing.key").write_text(SigningKey.generate().line())

    def start(self) -> None:
        """Start, and come back when it answers."""
        output = (self._folder / "output.txt").open("ab")
        self._process = subprocess.Popen(self._command(), stdout=output, stderr=output, cwd=self._folder)
        clock = _Deadline(_STARTS_WITHIN_S, self._process)
        while not self._answers():
            clock.wait()

    def stop(self) -> None:
        """As an operator stops it; doing it twice is no fault."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @property
    def process_id(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def token_of_new_user(self, name: str, *, admin: bool = False) -> tuple[str, str, str]:
        """User id, token and device of a new account, made with the shared secret."""
        nonce = self._call("GET", {})["nonce"]
        parts = (nonce, name, PASSWORD, "admin" if admin else "notadmin")
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        made = self._call(
            "POST", {"nonce": nonce, "username": name, "password": PASSWORD, "admin": admin, "mac": mac}
        )
        return made["user_id"], made["access_token"], made["device_id"]

    def _call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.url}/_synapse/admin/v1/register", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _command(self) -> list[str]:
        return [str(self._python), "-m", "synapse.app.homeserver", "-c", str(self._folder / "homeserver.json")]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class _Deadline:
    """Waits for a process that starts, and says so where it has ended or takes too long."""

    def __init__(self, seconds: float, process: subprocess.Popen[bytes]) -> None:
        self._turns = int(seconds / 0.1)
        self._process = process

    def wait(self) -> None:
        self._turns -= 1
        try:
            self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            assert self._turns, "Synapse does not answer"
        else:
            raise AssertionError(f"Synapse has ended with {self._process.returncode}; see its output.txt")


def _settings(folder: Path, name: str, client_port: int, certificates: Certificates) -> dict[str, Any]:
    # JSON is YAML. It gives a silent server up at once, so that we find out whether it hears that we are back.
    return {
        "server_name": name,
        "pid_file": str(folder / "homeserver.pid"),
        "listeners": [
            _listener(client_port, "client", tls=False), _listener(int(name.rpartition(":")[2]), "federation", tls=True)
        ],
        "tls_certificate_path": str(certificates.chain),
        "tls_private_key_path": str(certificates.key),
        "federation_verify_certificates": True,
        "federation_custom_ca_list": [str(certificates.authority)],
        "federation": {"max_long_retries": 0, "max_short_retries": 0, "client_timeout": "20s"},
        "ip_range_blacklist": [],
        "federation_ip_range_blacklist": [],
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "allow_public_rooms_over_federation": True,
        "room_list_publication_rules": [{"action": "allow"}],
        "allow_device_name_lookup_over_federation": True,
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "log_config": str(folder / "log.json"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": "interop",
        "form_secret": "interop",
        "bcrypt_rounds": 4,
        "report_stats": False,
        "caches": {"sync_response_cache_duration": 0},
        "rc_federation": {"window_size": 1, "sleep_limit": 100_000, "reject_limit": 100_000, "concurrent": 100},
        **WITHOUT_LIMITS,
    }


def _listener(port: int, resource: str, *, tls: bool) -> dict[str, Any]:
    resources = [{"names": [resource]}]
    return {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": tls, "resources": resources}


def _log_settings(file: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(request)s %(message)s"}},
        "filters": {"context": {"()": "synapse.logging.context.LoggingContextFilter", "request": ""}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler", "filename": str(file), "formatter": "line", "filters": ["context"]
            }
        },
        "root": {"level": "INFO", "handlers": ["file"]},
        "loggers": {"synapse.storage.SQL": {"level": "WARNING"}},
        "disable_existing_loggers": False,
    }
