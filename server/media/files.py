"""Where files lie on disk, and how they get there and away without leaving halves behind.

``unsettled/<id>`` holds what is on its way: content that is arriving, or content that is being deleted. The row in
the database decides: after a crash, a file there whose row exists is moved to its place, any other is removed
(``settle_after_crash``). So a file is written to the disk before its row, in its place before anybody is told of it,
and no moment of power loss leaves a half file, a row without a file, or a file without a row.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from server.foundation.durable import settle

_WRITE_BYTES: Final = 256 * 1024

Chunks = AsyncIterator[bytes]


class MediaFiles:
    """The folder ``data_dir/media``."""

    def __init__(self, folder: Path) -> None:
        self._content = folder / "content"
        self._unsettled = folder / "unsettled"
        self._thumbnails = folder / "thumbnails"

    def exist(self) -> bool:
        """Whether the folders have been made."""
        return self._content.is_dir()

    def prepare(self) -> None:
        """Make the folders, for the node's own eyes only."""
        for folder in (self._content, self._unsettled, self._thumbnails):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def content_path(self, media_id: str) -> Path:
        """Where a file lies. ``media_id`` must be one of ours (from the table or freshly drawn)."""
        return self._content / media_id[:2] / media_id[2:]

    def thumbnail_path(self, media_id: str, name: str) -> Path:
        """Where a small picture of a file is kept."""
        return self._thumbnails / media_id[:2] / media_id[2:] / name

    def free_bytes(self) -> int:
        """Room that is left on the disk."""
        return shutil.disk_usage(self._unsettled).free

    async def receive(self, media_id: str, chunks: Chunks, check: Callable[[int], None]) -> int:
        """Write ``chunks`` to ``unsettled``, durably; answer the bytes.

        ``check`` is told the bytes so far before they are written and may raise. Whatever goes wrong, nothing stays.
        """
        path = self._unsettled / media_id
        file = await asyncio.to_thread(_create, path)
        try:
            size = await _write_all(file, chunks, check)
            await asyncio.to_thread(_sync, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            with suppress(OSError):  # a full disk is told by the write; a second time does not help
                file.close()
        return size

    async def settle(self, media_id: str) -> None:
        """Move received content to its place, durably. Its row has been committed."""
        await asyncio.to_thread(_move, self._unsettled / media_id, self.content_path(media_id))

    async def withdraw(self, media_id: str) -> None:
        """Take a file out of its place, before its row is deleted."""
        await asyncio.to_thread(_move, self.content_path(media_id), self._unsettled / media_id)

    async def discard(self, media_id: str) -> None:
        """Remove what is unsettled of a file, and its small pictures."""
        await asyncio.to_thread(self._discard, media_id)

    async def keep_thumbnail(self, path: Path, data: bytes) -> None:
        """Write a small picture in one step, so that nobody is served half of it."""
        await asyncio.to_thread(_write_whole, path, data)

    async def settle_after_crash(self, kept: Callable[[list[str]], Awaitable[set[str]]]) -> int:
        """Finish what a crash left unsettled; ``kept`` tells which ids have a row. Answers how many there were."""
        left = await asyncio.to_thread(os.listdir, self._unsettled)
        with_row = await kept(left)
        for media_id in left:
            if media_id in with_row:
                await self.settle(media_id)
            else:
                await self.discard(media_id)
        return len(left)

    def _discard(self, media_id: str) -> None:
        (self._unsettled / media_id).unlink(missing_ok=True)
        shutil.rmtree(self.thumbnail_path(media_id, "x").parent, ignore_errors=True)


async def _write_all(file: BinaryIO, chunks: Chunks, check: Callable[[int], None]) -> int:
    """One write a quarter megabyte, however small the chunks are: ten million of one byte cost no ten million hops."""
    buffer = bytearray()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        check(size)
        buffer += chunk
        if len(buffer) >= _WRITE_BYTES:
            await asyncio.to_thread(file.write, buffer)
            buffer = bytearray()
    await asyncio.to_thread(file.write, buffer)
    return size


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    source.rename(target)
    for folder in {source.parent, target.parent, target.parent.parent}:
        settle(folder)  # a name is durable only when the folder that holds it is


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        _sync(file)
    part.rename(path)
