"""Small pictures: made once on demand in a worker process, then served from the disk."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol
from weakref import WeakValueDictionary

from server.foundation.errors import Refused
from server.foundation.worker_process import WorkerError, WorkerProcess
from server.media.files import MediaFiles
from server.media.model import Mxc, OpenedMedia
from server.media.picture_formats import picture_format
from server.media.thumbnail_sizes import ThumbnailSize

# Width times height of a picture that is still decoded: the cameras of today's telephones. How much memory that takes
# depends on the format; the worker's own limit ends what would take more than 300 MB.
MAX_PIXELS: Final = 50_000_000
_JOB: Final = "server.media.thumbnail_job:make"
_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
# Of the four formats, the one that never moves.
_STILL: Final = "JPEG"
_REMEMBERED: Final = 1000


class Opener(Protocol):
    """Opens the files of which small pictures are made: those of this node, or the copies of others'."""

    async def open(self, mxc: Mxc, *, wait_ms: int = 0) -> OpenedMedia:
        """A file; raises ``Refused``."""


class Thumbnails:
    """Gives the small picture of a file, making it if need be."""

    def __init__(self, media: Opener, files: MediaFiles, worker: WorkerProcess) -> None:
        self._media = media
        self._files = files
        self._worker = worker
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._refused: OrderedDict[str, tuple[str, str, int]] = OrderedDict()

    async def get(self, mxc: Mxc, size: ThumbnailSize, *, wait_ms: int = 0) -> tuple[Path, str, OpenedMedia]:
        """Path and content type of the picture, and the file it is of; waits as ``Media.open`` does.

        Raises ``NotFound``, and ``Refused`` (400, or 413 for too many pixels) for what is no picture that can be
        made small.
        """
        opened = await self._media.open(mxc, wait_ms=wait_ms)
        media_id = opened.item.media_id
        async with self._making.setdefault(media_id, asyncio.Lock()):
            path = self._kept(media_id, size) or await self._make(opened, size)
        return path, _TYPES[path.suffix], opened

    def _kept(self, media_id: str, size: ThumbnailSize) -> Path | None:
        paths = (self._files.thumbnail_path(media_id, size.name + ending) for ending in _TYPES)
        return next((path for path in paths if path.is_file()), None)

    async def _make(self, opened: OpenedMedia, size: ThumbnailSize) -> Path:
        media_id = opened.item.media_id
        known = self._refused.get(media_id)
        if known is not None:
            raise Refused(known[0], code=known[1], status=known[2])
        kind = await asyncio.to_thread(_format_of, opened.path)
        if kind is None:
            raise _no_picture()
        still = replace(size, animated=False)
        if size.animated and kind != _STILL:
            try:
                return await self._make_by_worker(opened, size)
            except (WorkerError, Refused):
                return self._kept(media_id, still) or await self._make(opened, still)
        try:
            return await self._make_by_worker(opened, still)
        except (WorkerError, Refused) as fault:
            raise self._remember(media_id, fault) from fault

    async def _make_by_worker(self, opened: OpenedMedia, size: ThumbnailSize) -> Path:
        answer = await self._worker.run(_JOB, {
            "path": str(opened.path), "width": size.width, "height": size.height, "method": size.method,
            "animated": size.animated, "max_pixels": MAX_PIXELS,
        })
        path = self._files.thumbnail_path(opened.item.media_id, size.name + str(answer.values["ending"]))
        await self._files.keep_thumbnail(path, answer.data)
        return path

    def _remember(self, media_id: str, fault: WorkerError | Refused) -> Refused:
        """A picture that cost ten seconds and failed is not tried again with every look at it."""
        refusal = fault if isinstance(fault, Refused) else _no_picture()
        if refusal.status != 429:
            self._refused[media_id] = (refusal.reason, refusal.code, refusal.status)
            if len(self._refused) > _REMEMBERED:
                self._refused.popitem(last=False)
        return refusal


def _format_of(path: Path) -> str | None:
    """By its first bytes, whatever it is called. Most files are encrypted and end here."""
    with path.open("rb") as file:
        return picture_format(file.read(12))


def _no_picture() -> Refused:
    return Refused("No thumbnail can be made of this file", code="M_UNKNOWN", status=400)
