"""Doors that are opened late: their modules are loaded at the first request.

Pages and calendars stand on libraries (templates, XML, iCalendar) that would cost every start a tenth of a second
and ten megabytes, also on a node that is only used by Matrix clients (docs/decisions/0008).
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LateDoor:
    """A handler that is made when it is first needed."""

    def __init__(self, module: str, make: Callable[[ModuleType], Handler]) -> None:
        self._module = module
        self._make = make
        self._handler: Handler | None = None
        self._lock = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        handler = self._handler or await self._open()
        return await handler(request)

    async def _open(self) -> Handler:
        async with self._lock:
            if self._handler is None:
                module = await asyncio.to_thread(importlib.import_module, self._module)
                self._handler = self._make(module)
            return self._handler
