"""Where doors find what links nodes; it is built when the first of them asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from federation.links.offers import Offers


class OffersOpener(Protocol):
    """Builds it when it is first needed."""

    async def offers(self) -> Offers:
        """The side that invites."""


OFFERS: web.AppKey[OffersOpener] = web.AppKey("offers")
