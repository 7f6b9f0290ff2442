"""The node's keys for Web Push, for the pages: read, or made, when somebody first asks for them."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from server.assembly.core import Core

if TYPE_CHECKING:
    from server.notifications.web_push_keys import WebPushKeys


def late_push_keys(core: Core) -> Callable[[], Awaitable[WebPushKeys]]:
    """A function that answers the keys; the first call loads the library that they need."""
    found: list[WebPushKeys] = []
    turn = asyncio.Lock()

    async def keys() -> WebPushKeys:
        async with turn:
            if not found:
                module = await asyncio.to_thread(importlib.import_module, "server.notifications.web_push_keys")
                found.append(await asyncio.to_thread(module.open_keys, core.settings.data_dir))
        return found[0]

    return keys
