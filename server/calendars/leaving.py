"""What is done when somebody leaves the association: nothing of theirs stays in calendars."""

from __future__ import annotations

from server.calendars import calendar_store, feed_store, overlay_store, property_store, put_away_store
from server.calendars.app_passwords import AppPasswords
from server.storage.database import Database


async def erase_calendars(database: Database, passwords: AppPasswords, user_id: str) -> None:
    """Remove a resident's app passwords and feeds, so that no app comes back, and their own calendars; twice is once.
    """
    await passwords.revoke_all(user_id)
    async with database.write() as tx:
        await calendar_store.remove_home(tx, user_id)
        await property_store.forget_user(tx, user_id)
        await overlay_store.forget_overlays(tx, user_id)
        await feed_store.remove_all(tx, user_id)
        await put_away_store.forget_put_away(tx, user_id)
