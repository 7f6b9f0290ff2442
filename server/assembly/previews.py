"""Previews of web pages: what they need is loaded and made when the first one is asked for."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from server.assembly.core import Core
from server.assembly.node import Node
from server.foundation.tasks import keep_doing
from server.foundation.worker_process import WorkerLimits, WorkerProcess
from server.http.limiter import Limiter
from server.http.media_services import MediaServices, PreviewServices
from server.media.preview_addresses import PreviewRules
from server.media.preview_keeping import forget_old

if TYPE_CHECKING:
    from server.media.previews import Previews

_DAY_S: Final = 86_400.0
# Pages that one person may have looked at: at once (a room full of links is opened), and per second afterwards.
_BURST: Final = 60
_PER_SECOND: Final = 0.5
_WORKER: Final = WorkerLimits(job_s=5)


def late_previews(node: Node) -> PreviewServices:
    """For the application of ``node``; from now on old previews are forgotten day by day."""
    core = node.core
    _keep_tidy(core, node.media)

    @cache
    def opened() -> Previews:
        fetching: Any = importlib.import_module("server.media.preview_fetching")
        previews: Any = importlib.import_module("server.media.previews")
        rules = PreviewRules(core.settings.previews.ports, core.settings.previews.blocked_hosts)
        fetcher = fetching.PageFetcher(fetching.Outgoing(user_agent="Kairan (link previews)"), rules)
        worker = WorkerProcess(core.clock, "preview", _WORKER)
        made: Previews = previews.Previews(core.database, node.media.media, fetcher, worker, core.clock)
        core.closing.push_async_callback(made.close)
        return made

    return PreviewServices(opened, Limiter(core.clock, _PER_SECOND, _BURST if core.settings.limits.enabled else 0))


def _keep_tidy(core: Core, media: MediaServices) -> None:
    async def forget() -> None:
        await forget_old(core.database, media.media, core.clock.now_ms(), core.settings.previews.keep_days)

    core.tasks.start("old previews", keep_doing("old previews", forget, core.clock, every_s=_DAY_S))
