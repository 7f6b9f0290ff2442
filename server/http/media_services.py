"""Where doors find the verbs of media, and how these are put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.worker_process import WorkerProcess
from server.http.limiter import Limiter
from server.media.files import MediaFiles
from server.media.media import Media
from server.media.model import ALWAYS, MediaLimits
from server.media.thumbnails import Thumbnails
from server.storage.database import Database

if TYPE_CHECKING:
    from server.media.previews import Previews
    from server.media.remote_media import RemoteMedia


@dataclass(frozen=True, slots=True)
class MediaServices:
    """Files and their small pictures; ``worker`` makes these."""

    media: Media
    thumbnails: Thumbnails
    worker: WorkerProcess


@dataclass(frozen=True, slots=True)
class RemoteMediaServices:
    """Copies of other servers' files, and their small pictures."""

    media: RemoteMedia
    thumbnails: Thumbnails


@dataclass(frozen=True, slots=True)
class LateRemoteMedia:
    """``open`` makes what other servers' files need at their first use (docs/decisions/0008).

    ``fetches`` limits how many files, that are not here yet, one person lets the node fetch.
    """

    open: Callable[[], Awaitable[RemoteMediaServices]]
    fetches: Limiter


@dataclass(frozen=True, slots=True)
class PreviewServices:
    """Previews of web pages. ``open`` makes what they need at their first use (docs/decisions/0008).

    ``pages`` limits how many pages, that nobody had looked at lately, one person has looked at.
    """

    open: Callable[[], Previews]
    pages: Limiter


PREVIEWS = web.AppKey("previews", PreviewServices)
REMOTE_MEDIA = web.AppKey("remote_media", LateRemoteMedia)
MEDIA = web.AppKey("media", MediaServices)


@asynccontextmanager
async def open_media(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[MediaServices]:
    """Media on the folder that the settings name; the worker ends when the block is left."""
    files = MediaFiles(settings.media_dir)
    limits = MediaLimits(
        settings.limits.upload_bytes, settings.limits.media_bytes_per_user,
        open_until_ts=ALWAYS if settings.media.allow_unauthenticated_downloads else 0,
    )
    media = Media(database, files, clock, settings.server_name, limits)
    await media.start()
    worker = WorkerProcess(clock, "thumbnail")
    try:
        yield MediaServices(media, Thumbnails(media, files, worker), worker)
    finally:
        await worker.close()
