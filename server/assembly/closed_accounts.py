"""What happens in rooms when an account is closed: it leaves them all, and declines what it was invited to."""

from __future__ import annotations

import logging
from typing import Final

from server.accounts.accounts import Accounts
from server.foundation.errors import Refused
from server.rooms.membership import Membership
from server.rooms.state_store import memberships_of
from server.storage.database import Database

logger = logging.getLogger(__name__)

_IN: Final = ("join", "invite", "knock")


def leave_when_closed(accounts: Accounts, database: Database, membership: Membership) -> None:
    """Let closed accounts leave (spec, "Account deactivation")."""

    async def leave_all(user_id: str) -> None:
        for place in await memberships_of(database, user_id):
            if place.membership in _IN:
                try:
                    await membership.leave(place.room_id, user_id)
                except Refused as refused:
                    logger.info("a closed account could not leave a room: %s", refused.reason)

    accounts.when_closed(leave_all)
