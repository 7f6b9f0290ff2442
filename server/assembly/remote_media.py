"""Files of other servers: what they need is loaded and made when the first one is asked for."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, Final

from server.assembly.node import Node
from server.foundation.tasks import keep_doing
from server.http.limiter import Limiter
from server.http.media_services import LateRemoteMedia, RemoteMediaServices
from server.media.files import MediaFiles
from server.media.ports import FarMedia
from server.media.thumbnails import Thumbnails

_DAY_S: Final = 86_400.0
# Files that one person may let the node fetch: at once (a large room is opened), and per second afterwards.
_BURST: Final = 300
_PER_SECOND: Final = 5.0


def late_remote_media(node: Node, far: FarMedia) -> LateRemoteMedia:
    """For the application of ``node``; from now on unused copies are forgotten day by day."""
    core = node.core
    files = MediaFiles(core.settings.media_dir / "remote")
    lock = asyncio.Lock()
    made: list[RemoteMediaServices] = []

    async def opened() -> RemoteMediaServices:
        async with lock:
            if not made:
                made.append(await _make(node, files, far))
        return made[0]

    async def forget_unused() -> None:
        if files.exist():
            await (await opened()).media.forget_unused()

    core.tasks.start("copies of files", keep_doing("copies of files", forget_unused, core.clock, every_s=_DAY_S))
    return LateRemoteMedia(opened, Limiter(core.clock, _PER_SECOND, _BURST if core.settings.limits.enabled else 0))


async def _make(node: Node, files: MediaFiles, far: FarMedia) -> RemoteMediaServices:
    core, settings = node.core, node.settings
    module: Any = await asyncio.to_thread(importlib.import_module, "server.media.remote_media")
    limits = module.RemoteLimits(
        settings.limits.upload_bytes, settings.media.remote_cache_bytes, settings.media.remote_cache_days
    )
    media = module.RemoteMedia(core.database, files, core.clock, far, limits)
    await media.start()
    return RemoteMediaServices(media, Thumbnails(media, files, node.media.worker))
