"""The verbs of media: keep, reserve, fill, open, delete."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, LimitExceeded, NotFound, Refused, TooLarge
from server.foundation.ids import random_letters
from server.media import media_store
from server.media.arrivals import Arrivals
from server.media.files import Chunks, MediaFiles
from server.media.model import (
    ID_LETTERS,
    MediaItem,
    MediaLimits,
    Mxc,
    OpenedMedia,
    clean_content_type,
    clean_filename,
)
from server.storage.database import Database, Transaction

_AT_ONCE: Final = 100
# EFBIG: more than the operating system lets one file be.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Media:
    """Files of this node's people. Call ``start`` once before anything else."""

    def __init__(
        self, database: Database, files: MediaFiles, clock: Clock, server_name: str, limits: MediaLimits | None = None
    ) -> None:
        self.limits = limits or MediaLimits()
        self._database = database
        self._files = files
        self._clock = clock
        self._server_name = server_name
        self._arriving: Counter[str] = Counter()
        self._arrivals = Arrivals(clock)
        # Committed and not yet in their place.
        self._landing: set[str] = set()

    async def start(self) -> None:
        """Make the folders, and finish or remove what a crash left half done."""
        self._files.prepare()
        await self._files.settle_after_crash(lambda ids: media_store.with_content(self._database, ids))

    async def keep(
        self,
        owner: str,
        content_type: str | None,
        filename: str | None,
        content: bytes | Chunks,
        *,
        declared_size: int | None = None,
    ) -> str:
        """Keep a file for ``owner`` (a user id) and answer its ``mxc://`` URI; it is durable then.

        Raises ``TooLarge`` above the limit (at once if ``declared_size`` says so already), ``Forbidden`` above the
        owner's quota, ``Refused`` (507) where the disk is full. Nothing stays of a file that was refused.
        """
        item = MediaItem(
            random_letters(ID_LETTERS), owner, clean_content_type(content_type), clean_filename(filename),
            declared_size, self._clock.now_ms(),
        )
        await self._take_in(item, content, media_store.add)
        return str(Mxc(self._server_name, item.media_id))

    async def reserve(self, owner: str) -> tuple[str, int]:
        """An ``mxc://`` URI whose content comes later, and until when (ms). Raises ``LimitExceeded``."""
        now = self._clock.now_ms()
        oldest = now - self.limits.pending_ms
        if await media_store.pending_of_owner(self._database, owner, oldest) >= self.limits.pending_per_owner:
            raise LimitExceeded("Too many files are announced and not uploaded yet", retry_after_ms=60_000)
        media_id = random_letters(ID_LETTERS)
        async with self._database.write() as tx:
            await media_store.forget_pending_before(tx, oldest)
            await media_store.reserve(tx, media_id, owner, now)
        return str(Mxc(self._server_name, media_id)), now + self.limits.pending_ms

    async def fill(
        self,
        owner: str,
        mxc: Mxc,
        content_type: str | None,
        filename: str | None,
        content: bytes | Chunks,
        *,
        declared_size: int | None = None,
    ) -> None:
        """Bring the content of a reserved URI; refusals as in ``keep``, and those of PUT upload (spec v1.7)."""
        reserved = await self._reserved(owner, mxc)
        item = MediaItem(
            reserved.media_id, owner, clean_content_type(content_type), clean_filename(filename), declared_size,
            reserved.created_ts,
        )
        await self._take_in(item, content, _fill_or_refuse)

    async def open(self, mxc: Mxc, *, wait_ms: int = 0) -> OpenedMedia:
        """A file of this node for reading; waits up to ``wait_ms`` for one that is announced.

        Raises ``NotFound``, also for other servers' media; 504 if the content has not come.
        """
        item = await self._find(mxc)
        if wait_ms and not self._is_there(item):
            with self._arrivals.expecting(item.media_id) as mark:
                if not self._is_there(await self._find(mxc)):
                    await self._arrivals.wait(mark, wait_ms / 1000)
            item = await self._find(mxc)
        if not self._is_there(item):
            raise Refused("This file has not been uploaded yet", code="M_NOT_YET_UPLOADED", status=504)
        path = self._files.content_path(item.media_id)
        if not path.is_file():
            raise NotFound("No such file", detail=f"the content of {item.media_id} is missing on the disk")
        return OpenedMedia(item, path)

    def stop_waiting(self) -> None:
        """The node stops: whoever waits for an announced file is answered now."""
        self._arrivals.tell_all()

    def _is_there(self, item: MediaItem) -> bool:
        return item.size is not None and item.media_id not in self._landing

    async def delete(self, mxc: Mxc) -> None:
        """Remove a file, its small pictures and its row. Raises ``NotFound``."""
        found = await self.open(mxc)
        await self._remove(found.item.media_id)

    async def delete_before(self, owner: str, ts: int) -> int:
        """Remove all files of ``owner`` that came before ``ts`` (ms); answers how many."""
        count = 0
        while ids := await media_store.of_owner_before(self._database, owner, ts, _AT_ONCE):
            for media_id in ids:
                await self._remove(media_id)
            count += len(ids)
        return count

    async def _remove(self, media_id: str) -> None:
        if self._files.content_path(media_id).is_file():
            await self._files.withdraw(media_id)
        async with self._database.write() as tx:
            await media_store.remove(tx, media_id)
        await self._files.discard(media_id)

    async def _find(self, mxc: Mxc) -> MediaItem:
        item = await media_store.find(self._database, mxc.media_id) if mxc.server_name == self._server_name else None
        if item is None or self._is_late(item):
            raise NotFound("No such file")
        return item

    def _is_late(self, item: MediaItem) -> bool:
        """Announced, and the time for bringing it is over."""
        return item.size is None and item.created_ts < self._clock.now_ms() - self.limits.pending_ms

    async def _reserved(self, owner: str, mxc: Mxc) -> MediaItem:
        item = await self._find(mxc)
        if item.owner != owner:
            raise Forbidden("Somebody else has announced this file")
        if item.size is not None:
            raise _already_there()
        return item

    async def _take_in(
        self, item: MediaItem, content: bytes | Chunks, commit: Callable[[Transaction, MediaItem], Awaitable[None]]
    ) -> None:
        """Receive, commit the row, move to the place: in this order (``files.py`` says why)."""
        chunks = _one(content) if isinstance(content, bytes) else content
        check = await self._limit_for(item.owner, len(content) if isinstance(content, bytes) else item.size)
        with self._counted(item.owner, check) as watch, room_on_disk():
            size = await self._files.receive(item.media_id, chunks, watch)
            with self._announced_when_landed(item.media_id):
                try:
                    async with self._database.write() as tx:
                        self._require_quota(await media_store.bytes_of_owner_now(tx, item.owner) + size)
                        await commit(tx, _with_size(item, size))
                except BaseException:
                    await self._files.discard(item.media_id)
                    raise
                await self._files.settle(item.media_id)

    @contextmanager
    def _announced_when_landed(self, media_id: str) -> Iterator[None]:
        self._landing.add(media_id)
        try:
            yield
        finally:
            self._landing.discard(media_id)
            self._arrivals.tell(media_id)

    async def _limit_for(self, owner: str, declared: int | None) -> Callable[[int], None]:
        """What refuses a file as soon as it grows too large; asked at once for the size that is declared."""
        kept = await media_store.bytes_of_owner(self._database, owner)

        def check(size: int) -> None:
            if size > self.limits.upload_bytes:
                raise TooLarge(f"A file may have at most {self.limits.upload_bytes} bytes")
            self._require_quota(kept + self._arriving[owner] + size)

        check(declared or 0)
        if self._files.free_bytes() - (declared or 0) < self.limits.free_disk_bytes:
            raise _disk_full()
        return check

    def _require_quota(self, size: int) -> None:
        if size > self.limits.owner_bytes:
            raise Forbidden("The room for your files is used up")

    @contextmanager
    def _counted(self, owner: str, check: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
        """Count what arrives, so that many uploads at once are measured together."""
        arrived = 0

        def watch(size: int) -> None:
            nonlocal arrived
            self._arriving[owner] -= arrived
            arrived = 0
            check(size)
            self._arriving[owner] += size
            arrived = size

        try:
            yield watch
        finally:
            self._arriving[owner] -= arrived
            if not self._arriving[owner]:
                del self._arriving[owner]


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _fill_or_refuse(tx: Transaction, item: MediaItem) -> None:
    if not await media_store.fill(tx, item):
        raise _already_there()


def _with_size(item: MediaItem, size: int) -> MediaItem:
    return MediaItem(item.media_id, item.owner, item.content_type, item.filename, size, item.created_ts)


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Tell a full disk, and a file that is there already, as refusals."""
    try:
        yield
    except FileExistsError:
        raise _already_there() from None  # the same reserved file is arriving twice
    except OSError as fault:
        if fault.errno in _NO_ROOM:
            raise _disk_full() from fault
        raise


def _already_there() -> Refused:
    return Refused("This file has been uploaded already", code="M_CANNOT_OVERWRITE_MEDIA", status=409)


def _disk_full() -> Refused:
    return Refused("The node has no room left for files", code="M_RESOURCE_LIMIT_EXCEEDED", status=507)
