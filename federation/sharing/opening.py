"""Where doors find what neighbours share; it is built when the first of them asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from federation.sharing.offers import ShareOffers


class ShareOffersOpener(Protocol):
    """Builds it when it is first needed."""

    async def share_offers(self) -> ShareOffers:
        """The side that offers."""


SHARE_OFFERS: web.AppKey[ShareOffersOpener] = web.AppKey("share_offers")
