"""Building what is known of who is there."""

from __future__ import annotations

from typing import Final

from server.accounts.accounts import Accounts
from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks, keep_doing
from server.storage.database import Database
from server.sync.bell import Bell
from server.sync.presence_news import PresenceNews, PresenceRules

_SWEPT_S: Final = 10


def build_presence(
    settings: Settings, clock: Clock, database: Database, accounts: Accounts, bell: Bell, tasks: Tasks
) -> PresenceNews:
    """What people hear of each other's presence, swept every few seconds."""
    rules = PresenceRules(settings.presence.enabled, settings.presence.largest_room)

    async def sweep() -> None:
        accounts.presence.sweep()

    if rules.enabled:
        tasks.start("presence sweep", keep_doing("presence sweep", sweep, clock, every_s=_SWEPT_S))
    return PresenceNews(accounts.presence, database, bell, tasks, clock, rules)
