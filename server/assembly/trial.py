"""A trial at the start of a node: going back to before it, where that was asked for; made-up neighbours who answer."""

from __future__ import annotations

import importlib
from typing import Final

from server.assembly.core import Core
from server.config import Settings
from server.foundation.clock import SystemClock
from server.foundation.tasks import keep_doing

_ROUND_S: Final = 20.0


async def throw_away_if_asked(settings: Settings) -> None:
    """Before the node is built. What that takes is loaded only then."""
    if (settings.data_dir / "trial" / "throw-away").is_file():
        await importlib.import_module("server.operation.trial").throw_away(settings, SystemClock())


def watch_trial(core: Core) -> None:
    """Let the made-up neighbours answer, as long as there are some and somebody has opened a page."""

    async def look() -> None:
        if core.late.trial is not None:
            await core.late.trial.answer_for_some()

    core.tasks.start("trial", keep_doing("trial", look, core.clock, every_s=_ROUND_S))
