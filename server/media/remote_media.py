"""Files of other servers: fetched when somebody here wants to see them, kept for a while.

Copies lie in ``data_dir/media/remote`` under names of this node's own. The folder may be emptied at any time while the
node is stopped; what is wanted again is fetched again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded, Refused
from server.foundation.ids import random_letters
from server.media import remote_store
from server.media.files import MediaFiles
from server.media.media import room_on_disk
from server.media.model import ID_LETTERS, MediaItem, Mxc, OpenedMedia, clean_content_type, clean_filename
from server.media.ports import FarFile, FarMedia
from server.media.remote_failures import RemoteFailures
from server.storage.database import Database

_WHOLE_FILE_S: Final = 600.0
_TURN_S: Final = 60.0
_AT_ONCE: Final = 32
_AT_ONCE_PER_SERVER: Final = 4
_DAY_MS: Final = 86_400_000
# A copy that is looked at all day costs a row now and then.
_USE_MS: Final = 3_600_000
_FORGOTTEN_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class RemoteLimits:
    """Bytes of one file, bytes of all copies, days for which an unused one is kept, bytes of the disk to stay free."""

    file_bytes: int
    kept_bytes: int
    days: int
    free_disk_bytes: int = 200 * 2**20


class RemoteMedia:
    """Copies of other servers' files. Call ``start`` once before anything else."""

    def __init__(
        self, database: Database, files: MediaFiles, clock: Clock, far: FarMedia, limits: RemoteLimits
    ) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._far = far
        self._limits = limits
        self._failures = RemoteFailures(clock)
        self._fetching: WeakValueDictionary[Mxc, asyncio.Lock] = WeakValueDictionary()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        # Between its row and its place a copy is not taken away.
        self._landing = asyncio.Lock()
        # Who makes room does it alone: two would take away twice as much.
        self._making_room = asyncio.Lock()
        self._all_turns = asyncio.Semaphore(_AT_ONCE)

    async def start(self) -> None:
        """Make the folders, and finish or remove what a crash left half done."""
        self._files.prepare()
        await self._files.settle_after_crash(lambda ids: remote_store.with_row(self._database, ids))

    async def open(self, mxc: Mxc, *, wait_ms: int = 0, fetching: Callable[[], None] | None = None) -> OpenedMedia:
        """A file of another server; ``fetching`` is called before that is asked, and may raise.

        Whoever wants the same file meanwhile waits for the same copy. Raises ``Refused``: in the other server's words,
        404 where it does not answer, 502 where the file is too large here, 504 where it takes too long.
        """
        async with self._fetching.setdefault(mxc, asyncio.Lock()):
            found = await self._kept(mxc)
            if found is None:
                self._failures.require_worth_asking(mxc)
                if fetching is not None:
                    fetching()
                found = await self._fetch(mxc, wait_ms)
        return found

    async def forget_unused(self) -> None:
        """Remove copies that nobody has looked at for long."""
        before = self._clock.now_ms() - self._limits.days * _DAY_MS
        while old := [row for row in await self._least_used() if row[2] < before]:
            await self._forget([file_id for file_id, _, _ in old])

    async def _kept(self, mxc: Mxc) -> OpenedMedia | None:
        known = await remote_store.find(self._database, mxc)
        if known is None:
            return None
        item, used = known
        path, now = self._files.content_path(item.media_id), self._clock.now_ms()
        if not path.is_file():  # somebody has emptied the folder
            await self._forget([item.media_id])
            return None
        if now - used > _USE_MS:
            async with self._database.write() as tx:
                await remote_store.use(tx, item.media_id, now)
        return OpenedMedia(item, path)

    async def _fetch(self, mxc: Mxc, wait_ms: int) -> OpenedMedia:
        async with self._turn(mxc.server_name):
            try:
                async with asyncio.timeout(_WHOLE_FILE_S), self._far.fetch(mxc, wait_ms=wait_ms) as file:
                    item = await self._take_in(mxc, file)
            except TimeoutError:
                fault = Refused("The other server takes too long", status=504)
                self._failures.remember(mxc, fault)
                raise fault from None
            except Refused as refused:
                self._failures.remember(mxc, refused)
                raise
        self._failures.forget(mxc.server_name)
        await self._keep_within(item.media_id)
        return OpenedMedia(item, self._files.content_path(item.media_id))

    @asynccontextmanager
    async def _turn(self, server_name: str) -> AsyncIterator[None]:
        """One slow server holds up its own files, not those of others."""
        mine = self._turns.setdefault(server_name, asyncio.Semaphore(_AT_ONCE_PER_SERVER))
        try:
            async with asyncio.timeout(_TURN_S):
                await mine.acquire()
                try:
                    await self._all_turns.acquire()
                except BaseException:
                    mine.release()
                    raise
        except TimeoutError:
            raise LimitExceeded("Too many files are on their way", retry_after_ms=10_000) from None
        try:
            yield
        finally:
            self._all_turns.release()
            mine.release()

    async def _take_in(self, mxc: Mxc, file: FarFile) -> MediaItem:
        """Receive, commit the row, move to the place: in this order (``files.py`` says why)."""
        most = min(self._limits.file_bytes, self._limits.kept_bytes)

        def check(size: int) -> None:
            if size > most:
                raise Refused("The file is too large for this node", code="M_TOO_LARGE", status=502)

        # Of a multipart answer this counts its frame, too; who is so near the limit is counted while it arrives.
        if file.size is not None and file.size > most + 1024:
            check(file.size)
        self._require_disk(file.size or 0)
        file_id = random_letters(ID_LETTERS)
        with room_on_disk():
            size = await self._files.receive(file_id, file.chunks, check)
        item = MediaItem(
            file_id, mxc.server_name, clean_content_type(file.content_type), clean_filename(file.filename), size,
            self._clock.now_ms(),
        )
        async with self._landing:
            try:
                async with self._database.write() as tx:
                    await remote_store.add(tx, mxc, item)
            except BaseException:
                await self._files.discard(file_id)
                raise
            await self._files.settle(file_id)
        return item

    def _require_disk(self, size: int) -> None:
        if self._files.free_bytes() - size < self._limits.free_disk_bytes:
            raise Refused("The node has no room left for files", code="M_RESOURCE_LIMIT_EXCEEDED", status=507)

    async def _keep_within(self, newest: str) -> None:
        """The copies that were not used for longest go, until the rest fits; never the one that has just come."""
        async with self._making_room:
            excess = await remote_store.kept_bytes(self._database) - self._limits.kept_bytes
            while excess > 0:
                going = []
                for file_id, size, _ in await self._least_used():
                    if excess > 0 and file_id != newest:
                        going.append(file_id)
                        excess -= size
                if not going:
                    return
                await self._forget(going)

    async def _least_used(self) -> list[tuple[str, int, int]]:
        return await remote_store.least_used(self._database, _FORGOTTEN_AT_ONCE)

    async def _forget(self, file_ids: list[str]) -> None:
        async with self._landing:
            for file_id in file_ids:
                if self._files.content_path(file_id).is_file():
                    await self._files.withdraw(file_id)
            async with self._database.write() as tx:
                await remote_store.forget(tx, file_ids)
            for file_id in file_ids:
                await self._files.discard(file_id)
