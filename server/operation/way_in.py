"""The way to a node from outside, for ``kairan doctor``: names, certificates, where other servers find it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.signatures import SigningKey
from server.operation.findings import Finding, bad, doubtful, good

TIMEOUT_S: Final = 10.0
_ANSWER: Final = 65_536
_CERTIFICATE_DAYS: Final = 14
_FEDERATION_PORT: Final = 8448


def look_at_names(settings: Settings) -> Finding:
    """Whether the names lead anywhere."""
    hosts = {_host(settings.server_name), urlsplit(settings.http.public_url).hostname or ""}
    for host in sorted(hosts):
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return bad(f"The name {host} leads nowhere.", "Enter an A or AAAA record where the domain is kept.")
    return good(f"Names lead somewhere: {', '.join(sorted(hosts))}.")


def look_at_public_url(settings: Settings, clock: Clock) -> Finding:
    """Whether people get to the node at the address on their invitations, with a good certificate."""
    url = settings.http.public_url
    try:
        status, _, ends = ask(f"{url}/_matrix/client/versions")
    except ssl.SSLError as fault:
        return bad(f"The certificate of {url} is refused: {fault.reason}.", "Renew it; does the reverse proxy run?")
    except OSError as fault:
        return bad(f"{url} cannot be reached: {fault}.", "Is the reverse proxy running? Are ports 80 and 443 let in?")
    if status != 200:
        return bad(f"{url} answers {status}, not as the node does.", "Does the reverse proxy lead to [http] listen?")
    days = (ends - clock.now_ms()) // 86_400_000 if ends is not None else None
    if days is not None and days < _CERTIFICATE_DAYS:
        return doubtful(f"The certificate of {url} ends in {days} days.", "Look at the reverse proxy's log.")
    return good(f"{url} leads to the node.")


def look_at_federation(settings: Settings) -> Finding:
    """Whether other servers find the node, and find it with its own key (server-server API, "Server discovery")."""
    name = settings.server_name
    target = _delegated(name)
    try:
        status, answer, _ = ask(f"https://{target}/_matrix/key/v2/server")
        told: Any = json.loads(answer) if status == 200 else {}
    except ssl.SSLError as fault:
        return bad(f"Other servers would refuse the certificate at {target}: {fault.reason}.", "Renew it.")
    except (OSError, ValueError) as fault:
        return bad(
            f"Other servers do not find the node at {target}: {fault}.",
            f"Serve https://{_host(name)}/.well-known/matrix/server, or let port {_FEDERATION_PORT} in.",
        )
    key = key_in(settings.signing_key_file) if settings.signing_key_file.is_file() else None
    if not isinstance(told, dict) or told.get("server_name") != name:
        return bad(f"At {target} another server answers than {name}.", "Where does the reverse proxy lead?")
    if key is not None and key.key_id not in told.get("verify_keys", {}):
        return bad(f"At {target} the node answers with another key.", "Does an old node of this name still run?")
    return good(f"Other servers find the node at {target}.")


def _delegated(name: str) -> str:
    if urlsplit(f"//{name}").port is not None:
        return name  # whoever names a port is not asked for another place
    try:
        status, answer, _ = ask(f"https://{name}/.well-known/matrix/server")
        target = json.loads(answer)["m.server"] if status == 200 else None
    except (OSError, ValueError, KeyError, TypeError):
        target = None
    found = target if isinstance(target, str) and target else name
    return found if ":" in found.rpartition("]")[2] else f"{found}:{_FEDERATION_PORT}"


def ask(url: str) -> tuple[int, bytes, int | None]:
    """Status, answer and, with TLS, the end of the certificate (ms). Raises ``OSError``."""
    parts = urlsplit(url)
    host, port, ends = parts.hostname or "", parts.port, None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.connect()
        if isinstance(connection.sock, ssl.SSLSocket):
            ends = _end_of(connection.sock.getpeercert())
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER), ends
    except http.client.HTTPException as fault:
        raise OSError(str(fault)) from fault
    finally:
        connection.close()


def _end_of(certificate: Any) -> int | None:
    until = (certificate or {}).get("notAfter")
    if not until:
        return None
    return round(datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC).timestamp() * 1000)


def _host(server_name: str) -> str:
    return urlsplit(f"//{server_name}").hostname or server_name


def key_in(file: Path) -> SigningKey | None:
    """The signing key in a file; ``None`` where it holds none."""
    try:
        return SigningKey.read(file.read_text())
    except ValueError:
        return None
