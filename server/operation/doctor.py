"""``kairan doctor``: what is wrong around a node, and what to do about it. Changes nothing; the node should be running.

It looks at the machine (disk, clock, owner of the data), at the node (does it answer), at the way to it from outside
(names, certificates, where other servers find it) and at backups.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.foundation.signatures import SigningKey
from server.operation.checking import check_data
from server.operation.copying import newest_there
from server.operation.far_places import FarAddress
from server.operation.rotation import backups_in

_TIMEOUT_S: Final = 10.0
_ANSWER: Final = 65_536
_LITTLE_ROOM: Final = 2 * 2**30
_TOO_LITTLE_ROOM: Final = 300 * 2**20
_OLD_BACKUP_MS: Final = 3 * 86_400_000
_CERTIFICATE_DAYS: Final = 14
_FEDERATION_PORT: Final = 8448


class State(Enum):
    """How something is."""

    GOOD = "ok"
    DOUBTFUL = "look"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do if it is not good."""

    state: State
    what: str
    to_do: str = ""

    def lines(self) -> list[str]:
        """As the operator reads it."""
        return [f"[{self.state.value:>4}] {self.what}"] + ([f"       -> {self.to_do}"] if self.to_do else [])


def good(what: str) -> Finding:
    """Nothing to do."""
    return Finding(State.GOOD, what)


def bad(what: str, to_do: str) -> Finding:
    """It does not work so."""
    return Finding(State.BAD, what, to_do)


def doubtful(what: str, to_do: str) -> Finding:
    """It works, but not for long, or not for all."""
    return Finding(State.DOUBTFUL, what, to_do)


def examine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    looks: list[Callable[[], Finding]] = [
        lambda: look_at_owner(settings), lambda: look_at_disk(settings), lambda: look_at_data(settings), look_at_clock,
        lambda: look_at_node(settings), lambda: look_at_backups(settings, clock),
    ]
    looks += [partial(look_at_copy, settings, place) for place in settings.backup.copy_to]
    if not _is_for_this_machine(settings):
        looks += [lambda: look_at_names(settings), lambda: look_at_public_url(settings, clock)]
        if settings.federation.enabled:
            looks.append(lambda: look_at_federation(settings))
    for look in looks:
        yield look()


def look_at_owner(settings: Settings) -> Finding:
    """Whether this user may look at the data at all."""
    owner = settings.data_dir.stat().st_uid if settings.data_dir.is_dir() else None
    if owner is None:
        return bad(f"There is no folder {settings.data_dir}.", "Look at data_dir in the settings; or: kairan init")
    if owner != os.geteuid():
        return doubtful(f"{settings.data_dir} belongs to user {owner}.", f"Ask as: sudo -u '#{owner}' kairan doctor")
    key = settings.signing_key_file
    if not key.is_file():
        return bad(f"There is no signing key {key}.", "Put it back from a backup; a new one would be another server.")
    if key.stat().st_mode & 0o077:
        return bad("Others on this machine may read the signing key.", f"chmod 600 {key}")
    return good(f"The data is in {settings.data_dir}, and the signing key is private.")


def look_at_disk(settings: Settings) -> Finding:
    """Room."""
    free = shutil.disk_usage(settings.data_dir).free
    shown = f"{free / 2**30:.1f} GB are left on the disk."
    if free < _TOO_LITTLE_ROOM:
        return bad(shown, "Make room now: without it nobody can write. Old backups on this disk? Logs?")
    if free < _LITTLE_ROOM:
        return doubtful(shown, "Make room in the next days, or move the data to a larger disk.")
    return good(shown)


def look_at_data(settings: Settings) -> Finding:
    """The database and the files."""
    checked = check_data(settings)
    if checked.faults:
        return bad("The data is damaged: " + "; ".join(checked.faults[:3]), "Stop the node; restore the last backup.")
    return good(f"The data is sound: {checked.rows} rows, {checked.files} files.")


def look_at_clock() -> Finding:
    """Whether the clock is kept right. A wrong one makes other servers refuse what we say."""
    try:
        told = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],  # noqa: S607 - wherever it is
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return doubtful("Nobody here can tell whether the clock is right.", "Compare it with a telephone.")
    if told != "yes":
        return doubtful("The clock is not kept right by the network.", "sudo timedatectl set-ntp true")
    return good("The clock is kept right by the network.")


def look_at_node(settings: Settings) -> Finding:
    """Whether it answers."""
    listen = settings.http.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - read, not listened to
    try:
        status, _, _ = _ask(f"http://{host}:{listen.port}/health")
    except OSError:
        return bad(f"The node does not answer at {listen}.", "systemctl status kairan; journalctl -u kairan -n 50")
    if status != 200:
        return bad("The node answers, but its database does not.", "journalctl -u kairan -n 50")
    return good(f"The node answers at {listen}.")


def look_at_backups(settings: Settings, clock: Clock) -> Finding:
    """Whether there is a fresh one."""
    folder = settings.backup.folder
    if folder is None:
        return bad("No backups are made.", "Set [backup] folder, and let a timer run: kairan daily")
    if not folder.is_dir():
        return bad(f"The folder for backups, {folder}, is not there.", "Plug the disk in; or make the folder.")
    backups = backups_in(folder, settings.server_name)
    if not backups:
        return bad(f"There is no backup in {folder}.", "kairan daily")
    age_ms = clock.now_ms() - round(backups[-1].stat().st_mtime * 1000)
    if age_ms > _OLD_BACKUP_MS:
        return bad(f"The newest backup is {age_ms // 86_400_000} days old.", "Does the timer run? kairan daily")
    if folder.stat().st_dev == settings.data_dir.stat().st_dev:
        return doubtful("Backups lie on the same disk as the data.", "Let [backup] folder be on another disk.")
    return good(f"The newest backup is {backups[-1].name}.")


def look_at_copy(settings: Settings, place: str) -> Finding:
    """Whether the newest backup is at a place far away, too."""
    shown = FarAddress.parse(place)
    try:
        there = newest_there(settings, place)
    except Refused as refusal:
        return bad(f"Copies of backups: {refusal.reason}", "Until that is right there is no copy in another house.")
    if there is None:
        return bad(f"There is no copy of a backup at {shown}.", "kairan daily")
    folder = settings.backup.folder
    here = backups_in(folder, settings.server_name) if folder is not None and folder.is_dir() else []
    if here and here[-1].name != there:
        return doubtful(f"The newest copy at {shown} is {there}, an older one.", "kairan daily")
    return good(f"{shown} has the newest backup.")


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
        status, _, ends = _ask(f"{url}/_matrix/client/versions")
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
        status, answer, _ = _ask(f"https://{target}/_matrix/key/v2/server")
        told: Any = json.loads(answer) if status == 200 else {}
    except ssl.SSLError as fault:
        return bad(f"Other servers would refuse the certificate at {target}: {fault.reason}.", "Renew it.")
    except (OSError, ValueError) as fault:
        return bad(
            f"Other servers do not find the node at {target}: {fault}.",
            f"Serve https://{_host(name)}/.well-known/matrix/server, or let port {_FEDERATION_PORT} in.",
        )
    key = SigningKey.read(settings.signing_key_file.read_text())
    if not isinstance(told, dict) or told.get("server_name") != name:
        return bad(f"At {target} another server answers than {name}.", "Where does the reverse proxy lead?")
    if key.key_id not in told.get("verify_keys", {}):
        return bad(f"At {target} the node answers with another key.", "Does an old node of this name still run?")
    return good(f"Other servers find the node at {target}.")


def _delegated(name: str) -> str:
    try:
        status, answer, _ = _ask(f"https://{name}/.well-known/matrix/server")
        target = json.loads(answer)["m.server"] if status == 200 else None
    except (OSError, ValueError, KeyError, TypeError):
        target = None
    found = target if isinstance(target, str) and target else name
    return found if ":" in found.rpartition("]")[2] else f"{found}:{_FEDERATION_PORT}"


def _ask(url: str) -> tuple[int, bytes, int | None]:
    """Status, answer and, with TLS, the end of the certificate (ms). Raises ``OSError``."""
    parts = urlsplit(url)
    host, port, ends = parts.hostname or "", parts.port, None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
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


def _is_for_this_machine(settings: Settings) -> bool:
    """A node that is only tried out here has no way to it from outside."""
    return (urlsplit(settings.http.public_url).hostname or "") in ("localhost", "127.0.0.1", "::1")
