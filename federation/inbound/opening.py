"""Where doors find everything that talks to other servers; it is built when the first of them asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from federation.serving.services import Federation


class Opener(Protocol):
    """Builds it when it is first needed."""

    async def open(self) -> Federation:
        """All services."""


FEDERATION: web.AppKey[Opener] = web.AppKey("federation")
