"""The one file of a backup: a tar archive, packed with gzip, sealed if there is a public key.

First ``about.json`` (``description.py``), last ``end.json`` with how many files stand between; an archive without its
end is none. What is not sealed, every tool can open.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from server.foundation.errors import Refused
from server.operation import description
from server.operation.sealing import MAGIC, SealedReader, SealedWriter, Unreadable

Json = dict[str, Any]

_END: Final = "end.json"
_SMALL: Final = 1 << 20
_BUFFER: Final = 1 << 18


class ArchiveWriter:
    """Puts files into an archive."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._count = 0

    def add_bytes(self, name: str, data: bytes) -> None:
        """A file with this content."""
        entry = _entry(name, len(data))
        self._archive.addfile(entry, io.BytesIO(data))
        self._count += 1

    def add_file(self, name: str, path: Path) -> bool:
        """A file of the disk; ``False`` where it is not there (any more)."""
        try:
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                file.seek(0)
                self._archive.addfile(_entry(name, size), file)
        except FileNotFoundError:
            return False
        self._count += 1
        return True

    def end(self) -> None:
        """Nothing follows."""
        self.add_bytes(_END, _end_of(self._count))


def _end_of(count: int) -> bytes:
    return json.dumps({"files": count}).encode()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


@contextmanager
def archive_to(file: BinaryIO, about: Json, public_key: bytes | None) -> Iterator[ArchiveWriter]:
    """Write an archive into ``file``; it has its end when the block has been left without an exception."""
    with ExitStack() as closing:
        target: Any = file
        if public_key is not None:
            target = closing.enter_context(SealedWriter(file, public_key))
        packed = closing.enter_context(gzip.GzipFile("", "wb", compresslevel=1, fileobj=target, mtime=0))
        archive = closing.enter_context(tarfile.open(fileobj=packed, mode="w|", bufsize=_BUFFER))
        writer = ArchiveWriter(archive)
        writer.add_bytes(description.NAME, description.written(about))
        yield writer
        writer.end()


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that is being read: what it says of itself, and its files in order, each to be read at once."""

    about: Json
    files: Iterator[tuple[str, IO[bytes]]]


def is_sealed(file: BinaryIO) -> bool:
    """Whether a secret key is needed; stands at the beginning again afterwards."""
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


@contextmanager
def archive_from(file: BinaryIO, secret_key: bytes | None) -> Iterator[Archive]:
    """Read an archive; raises ``Unreadable`` where it is damaged, cut off, or no archive of ours."""
    sealed = is_sealed(file)
    if sealed and secret_key is None:
        raise Refused("This backup is sealed; give the secret key with --key-file, or type it when asked.")
    if sealed:
        file.seek(len(MAGIC))
    source: Any = io.BufferedReader(SealedReader(file, secret_key or b""), _BUFFER) if sealed else file
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            yield Archive(_about(archive), _files(archive, packed))
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as fault:
        raise Unreadable(f"This is no whole backup of Kairan: {fault}") from fault


def _about(archive: tarfile.TarFile) -> Json:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.name == description.NAME else None
    if content is None:
        raise ValueError("it does not begin with a description")
    return description.read(content.read(_SMALL))


def _files(archive: tarfile.TarFile, packed: gzip.GzipFile) -> Iterator[tuple[str, IO[bytes]]]:
    count = 1
    while (entry := archive.next()) is not None:
        content = archive.extractfile(entry)
        if content is None or entry.name.startswith("/") or ".." in entry.name.split("/"):
            raise ValueError("it holds something that is no file of a node")
        if entry.name == _END:
            if content.read(_SMALL) != _end_of(count):
                raise ValueError("files are missing")
            while packed.read(_BUFFER):
                pass  # the sum that tells that nothing has changed stands at the very end
            return
        count += 1
        yield entry.name, content
    raise ValueError("its end is missing")
