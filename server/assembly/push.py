"""Building what tells apps of what notifies their users. What sends is loaded when somebody has a pusher."""

from __future__ import annotations

from server.accounts.accounts import Accounts
from server.config import Settings
from server.foundation.tasks import Tasks
from server.http.room_services import RoomServices
from server.notifications.push_bell import PushBell, PushParts
from server.notifications.pushers import Pushers
from server.notifications.unread import UnreadCounts
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell


async def open_pushers(database: Database, positions: StreamPositions, accounts: Accounts) -> Pushers:
    """Everybody's pushers; they go with the device on which they were set."""
    pushers = Pushers(database, positions)
    await pushers.open()
    accounts.sessions.when_dropped(pushers.drop_with_device)
    return pushers


def connect_pushers(
    settings: Settings, services: RoomServices, unread: UnreadCounts, bell: Bell, accounts: Accounts,
    database: Database, positions: StreamPositions, tasks: Tasks,
) -> None:
    """Let apps hear of events and of what was read, and of what was due when the node stopped. After ``connect``."""
    parts = PushParts(
        database=database, rooms=services.rooms, receipts=services.receipts, unread=unread,
        account_data=accounts.account_data, positions=positions, clock=services.clock, pushers=services.pushers,
        last_of_room=bell.last_of_room, allowed_networks=settings.outgoing.allowed_networks,
    )
    push_bell = PushBell(parts, tasks)
    unread.listen(push_bell.follow)
    services.receipts.listen(push_bell.follow_receipt)
    push_bell.open()
