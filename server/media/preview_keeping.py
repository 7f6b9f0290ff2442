"""How long previews are kept; loaded at the start, unlike all that makes them."""

from __future__ import annotations

from typing import Final

from server.media import preview_store
from server.media.media import Media
from server.storage.database import Database

# Owner of the pictures of previews; no user is called so.
OWNER: Final = "previews"
# For how long (ms) the node believes what a page said.
FRESH_MS: Final = 6 * 3_600_000
_MOST_KEPT: Final = 5_000
_DAY_MS: Final = 86_400_000


async def forget_old(database: Database, media: Media, now_ms: int, keep_days: int) -> None:
    """Drop old pictures of previews, and what pages said hours ago. To be called once a day or so."""
    await preview_store.forget_before(database, now_ms - FRESH_MS, most=_MOST_KEPT)
    await media.delete_before(OWNER, now_ms - keep_days * _DAY_MS)
