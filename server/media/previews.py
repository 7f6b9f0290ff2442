"""Previews of web pages that people mention (spec, ``GET media/preview_url``).

The node looks at a page once for everybody, keeps what it said for some hours and its picture for some days, and
writes down neither the address nor who asked. Pages and pictures are taken apart in a worker process.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

from yarl import URL

from server.foundation.clock import Clock
from server.foundation.errors import LimitExceeded, NotFound, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.outgoing import Fetched, TooMuch, Unreachable
from server.foundation.worker_process import WorkerError, WorkerProcess
from server.media import preview_store
from server.media.media import Media
from server.media.picture_formats import picture_format
from server.media.preview_addresses import file_name
from server.media.preview_fetching import Deadline, PageFetcher
from server.media.preview_keeping import FRESH_MS, OWNER
from server.storage.database import Database

_TIME_S: Final = 10.0
_ANSWER_BYTES: Final = 5 * 2**20
_PAGE_BYTES: Final = 2**20
# Pages at once; so many times five megabytes is the most that looking can take. And how many may wait for a turn.
_AT_ONCE: Final = 12
_MOST_WAITING: Final = 200
_MOST_FAILED: Final = 1_000
_FAILED_S: Final = 300.0
_PAGE: Final = "text/html,application/xhtml+xml;q=0.9,image/*;q=0.8,*/*;q=0.5"
_PICTURE: Final = "image/webp,image/png,image/jpeg,image/gif;q=0.9"
_HTML: Final = ("text/html", "application/xhtml+xml")

Preview = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """What was found at an address: the answer, and when looking must end."""

    answer: Fetched
    deadline: Deadline

    @property
    def content_type(self) -> str:
        """The header, with its parameters."""
        return self.answer.headers.get("Content-Type", "")

    @property
    def kind(self) -> str:
        """The header without its parameters, in small letters."""
        return self.content_type.partition(";")[0].strip().lower()


class Previews:
    """Looks at pages, and remembers."""

    def __init__(
        self, database: Database, media: Media, fetcher: PageFetcher, worker: WorkerProcess, clock: Clock
    ) -> None:
        self._database = database
        self._media = media
        self._fetcher = fetcher
        self._worker = worker
        self._clock = clock
        self._looking = KeyedLocks()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._failed: OrderedDict[str, float] = OrderedDict()

    async def known(self, text: str) -> Preview | None:
        """What is known of the page at an address; raises ``InvalidParam``, ``Forbidden``."""
        return await self._kept(_mark(self._fetcher.rules.address(text)))

    async def look(self, text: str) -> Preview:
        """What the page at an address says of itself, which may be nothing.

        Raises ``InvalidParam`` and ``Forbidden`` for addresses that are not looked at, ``NotFound`` for a page
        that cannot be had. Why it cannot is not told: nobody shall learn by this what is in the node's own network.
        """
        address = self._fetcher.rules.address(text)
        mark = _mark(address)
        async with self._looking.hold(mark):
            known = await self._kept(mark)
            if known is not None:
                return known
            self._require_not_failed(mark)
            try:
                async with self._turn():
                    preview = await self._look_now(address)
            except (Unreachable, WorkerError) as fault:
                self._remember_failed(mark)
                raise _not_to_be_had() from fault
            await preview_store.put(self._database, mark, preview, self._clock.now_ms())
            return preview

    async def close(self) -> None:
        """End the worker, close connections."""
        await self._worker.close()
        await self._fetcher.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= _MOST_WAITING:
            raise LimitExceeded("Too many pages are looked at; please try again in a moment", retry_after_ms=5_000)
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def _kept(self, mark: str) -> Preview | None:
        return await preview_store.find(self._database, mark, self._clock.now_ms() - FRESH_MS)

    async def _look_now(self, address: URL) -> Preview:
        deadline = Deadline(self._clock, self._clock.monotonic() + _TIME_S)
        try:
            answer = await self._fetcher.fetch(str(address), accept=_PAGE, limit=_ANSWER_BYTES, deadline=deadline)
        except TooMuch:
            return {}  # a film or an archive
        page = Page(answer, deadline)
        if picture_format(answer.body[:12]) is not None:
            return {**_titled(answer.url), **await self._picture(answer)}
        if page.kind in _HTML or (not page.kind and answer.body.lstrip()[:1] == b"<"):
            return await self._read_page(page)
        if page.kind == "text/plain":
            return {**_titled(answer.url), **await self._beginning(page)}
        return _titled(answer.url) if page.kind.startswith(("audio/", "video/", "application/pdf")) else {}

    async def _read_page(self, page: Page) -> Preview:
        values = {"content_type": page.content_type}
        found = (await self._worker.run("server.media.preview_job:page", values, page.answer.body[:_PAGE_BYTES])).values
        told: Preview = found["og"]
        return {**told, **await self._picture_of(page, found["base"], found["image"])}

    async def _beginning(self, page: Page) -> Preview:
        values = {"content_type": page.content_type}
        found = (await self._worker.run("server.media.preview_job:text", values, page.answer.body[:_PAGE_BYTES])).values
        return {"og:description": found["text"]} if found["text"] else {}

    async def _picture_of(self, page: Page, base: str, address: str) -> Preview:
        """The picture that a page names; a page whose picture cannot be had is shown without."""
        if not address:
            return {}
        try:
            answer = await self._fetcher.fetch(
                urljoin(urljoin(page.answer.url, base), address), accept=_PICTURE, limit=_ANSWER_BYTES,
                deadline=page.deadline,
            )
        except (Unreachable, ValueError):
            return {}
        return await self._picture(answer)

    async def _picture(self, answer: Fetched) -> Preview:
        try:
            found = (await self._worker.run("server.media.preview_job:picture", {}, answer.body)).values
            uri = await self._media.keep(OWNER, found["type"], None, answer.body)
        except (Refused, WorkerError):
            return {}
        return {
            "og:image": uri, "og:image:type": found["type"], "og:image:width": found["width"],
            "og:image:height": found["height"], "matrix:image:size": len(answer.body),
        }

    def _require_not_failed(self, mark: str) -> None:
        if self._failed.get(mark, 0.0) > self._clock.monotonic():
            raise _not_to_be_had()

    def _remember_failed(self, mark: str) -> None:
        self._failed[mark] = self._clock.monotonic() + _FAILED_S
        self._failed.move_to_end(mark)
        if len(self._failed) > _MOST_FAILED:
            self._failed.popitem(last=False)


def _mark(address: URL) -> str:
    return hashlib.sha256(str(address).encode()).hexdigest()


def _titled(address: str) -> Preview:
    name = file_name(URL(address))
    return {"og:title": name} if name else {}


def _not_to_be_had() -> Refused:
    return NotFound("This page cannot be previewed")
