"""Copies of backups far away: the newest one is brought there, old ones go as they do here; and they come back.

Only what is sealed leaves the machine: a backup holds everything about everybody, and the place belongs to others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from server.config import Settings
from server.foundation.errors import Refused
from server.operation.far_places import PART, FarAddress, FarPlace, Means, far_place
from server.operation.rotation import SEALED, backups_among, backups_in, node_of, superfluous

T = TypeVar("T")

_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Copied:
    """A place that has the newest backup: which, whether it was brought now, and how many old ones went there."""

    place: str
    name: str
    was_brought: bool
    removed: int


def copy_newest(settings: Settings) -> list[Copied]:
    """Bring the newest backup to every place of ``[backup] copy_to`` and rotate there. Every place is tried; raises
    ``Refused`` afterwards with what went wrong.
    """
    newest = _newest_sealed(settings)
    done: list[Copied] = []
    wrong: list[str] = []
    for text in settings.backup.copy_to:
        try:
            done.append(_at(FarAddress.parse(text), settings, lambda place, at: _copy(settings, newest, place, at)))
        except Refused as refusal:
            wrong.append(refusal.reason)
    if wrong:
        well = [f"{copied.place} has {copied.name}." for copied in done]
        raise Refused(" ".join([*wrong, *well]))
    return done


def _newest_sealed(settings: Settings) -> Path:
    folder = settings.backup.folder
    if folder is None or not folder.is_dir():
        raise Refused("Copies are made of the backups in [backup] folder; there is no such folder.")
    backups = backups_in(folder, settings.server_name)
    if not backups:
        raise Refused(f"There is no backup in {folder} to copy.")
    if not backups[-1].name.endswith(SEALED):
        raise Refused(
            f"{backups[-1].name} is not sealed, and does not leave this machine. Make keys with: kairan backup-key, "
            "set [backup] public_key, and make a backup."
        )
    return backups[-1]


def _copy(settings: Settings, newest: Path, place: FarPlace, address: FarAddress) -> Copied:
    sizes = place.sizes()
    is_missing = sizes.get(newest.name) != newest.stat().st_size
    if is_missing:
        place.put(newest)
        sizes = place.sizes()
        if sizes.get(newest.name) != newest.stat().st_size:
            raise Refused(f"{newest.name} did not arrive whole at {address}.")
    there = backups_among([Path(name) for name in sizes], settings.server_name)
    old = superfluous(there, settings.backup.keep, settings.backup.keep_months)
    broken_off = backups_among(
        [Path(name.removesuffix(PART)) for name in sizes if name.endswith(PART)], settings.server_name
    )
    for name in (*(backup.name for backup in old), *(backup.name + PART for backup in broken_off)):
        place.remove(name)
    return Copied(str(address), newest.name, is_missing, len(old))


def newest_there(settings: Settings, text: str) -> str | None:
    """The name of the newest backup of this node at a place, if there is one."""

    def look(place: FarPlace, _: FarAddress) -> str | None:
        there = backups_among([Path(name) for name in place.sizes()], settings.server_name)
        return there[-1].name if there else None

    return _at(FarAddress.parse(text), settings, look)


def _at(address: FarAddress, settings: Settings, work: Callable[[FarPlace, FarAddress], T]) -> T:
    with far_place(address, Means.of(settings.backup)) as place:
        return work(place, address)


# ---- and back ------------------------------------------------------------------------------------------------------


def backups_there(text: str, means: Means) -> Mapping[str, int]:
    """The backups at a place, oldest first, with their bytes."""
    with far_place(FarAddress.parse(text), means) as place:
        sizes = place.sizes()
    return {name: sizes[name] for name in sorted(sizes) if node_of(name) is not None}


def fetch(text: str, means: Means, folder: Path) -> Path:
    """Bring a backup into ``folder``. ``text`` is the address of a file, or that of a place, whose newest one is meant;
    that of several nodes is refused.
    """
    address = FarAddress.parse(text)
    above, _, name = address.folder.rpartition("/")
    if node_of(name) is None:
        above, name = address.folder, ""
    home = FarAddress(address.kind, address.user, address.host, address.port, above)
    with far_place(home, means) as place:
        sizes = place.sizes()
        chosen = name or _only_newest(sizes, home)
        if chosen not in sizes:
            last = ", ".join(sorted(sizes)[-5:]) or "nothing"
            raise Refused(f"There is no {chosen} at {home}; this is there: {last}.")
        _require_room(folder, sizes[chosen])
        place.fetch(chosen, folder / chosen)
    if (folder / chosen).stat().st_size != sizes[chosen]:
        raise Refused(f"{chosen} did not arrive whole from {home}.")
    return folder / chosen


def _only_newest(sizes: Mapping[str, int], home: FarAddress) -> str:
    backups = [name for name in sizes if node_of(name) is not None]
    nodes = sorted({node_of(name) or "" for name in backups})
    if not backups:
        raise Refused(f"There is no backup at {home}.")
    if len(nodes) > 1:
        raise Refused(f"At {home} are backups of {', '.join(nodes)}; give the name of a file, too.")
    return max(backups, key=lambda name: name.removesuffix(SEALED))


def _require_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise Refused(f"{folder} has {free // _MIB} MB left; the backup has {wanted // _MIB} MB.")
