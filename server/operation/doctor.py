"""``kairan doctor``: what is wrong around a node, and what to do about it. Changes nothing; the node should be running.

It looks at the machine (disk, clock, owner of the data), at the node (does it answer), at the way to it from outside
(``way_in.py``) and at backups.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.errors import Refused
from server.operation.checking import check_data
from server.operation.copying import newest_there
from server.operation.far_places import FarAddress
from server.operation.findings import Finding, bad, doubtful, good
from server.operation.rotation import backups_in
from server.operation.way_in import TIMEOUT_S, ask, key_in, look_at_federation, look_at_names, look_at_public_url

_LITTLE_ROOM: Final = 2 * 2**30
_TOO_LITTLE_ROOM: Final = 300 * 2**20
_OLD_BACKUP_MS: Final = 3 * 86_400_000


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
        try:
            finding = look()
        except OSError as fault:
            finding = bad(f"{fault.filename}: {fault.strerror}.", "Whose is it? Ask as the owner of the data.")
        yield finding
        if not settings.data_dir.is_dir():
            return  # there is nothing else to look at


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
    if key_in(key) is None:
        return bad(f"{key} holds no signing key.", "Put it back from a backup; a new one would be another server.")
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
    try:
        checked = check_data(settings)
    except Refused as refusal:
        return bad(refusal.reason, "Is the database running? systemctl status postgresql; [database] url")
    if checked.faults:
        return bad("The data is damaged: " + "; ".join(checked.faults[:3]), "Stop the node; restore the last backup.")
    return good(f"The data is sound: {checked.rows} rows, {checked.files} files.")


def look_at_clock() -> Finding:
    """Whether the clock is kept right. A wrong one makes other servers refuse what we say."""
    try:
        told = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],  # noqa: S607 - wherever it is
            capture_output=True, text=True, timeout=TIMEOUT_S, check=True,
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
    shown = f"[{host}]" if ":" in host else host
    try:
        status, _, _ = ask(f"http://{shown}:{listen.port}/health")
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


def _is_for_this_machine(settings: Settings) -> bool:
    """A node that is only tried out here has no way to it from outside."""
    return (urlsplit(settings.http.public_url).hostname or "") in ("localhost", "127.0.0.1", "::1")
