"""Building what tells apps of what notifies their users. What sends is loaded when somebody has a pusher."""

from __future__ import annotations

from server.accounts.accounts import Accounts
from server.association.members.members import NODE_LOCALPART
from server.config import Settings
from server.foundation.tasks import Tasks
from server.http.room_services import RoomServices
from server.notifications.push_bell import PushBell, PushParts, WebPushParts
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
        web=WebPushParts(
            data_dir=settings.data_dir, subject=_subject(settings),
            node_user_id=f"@{NODE_LOCALPART}:{settings.server_name}",
            users=accounts.users, looks=accounts.looks,
        ),
    )
    push_bell = PushBell(parts, tasks)
    unread.listen(push_bell.follow)
    services.receipts.listen(push_bell.follow_receipt)
    push_bell.open()


def _subject(settings: Settings) -> str:
    """Whom push services may ask about what we send."""
    if settings.support.admin_email:
        return f"mailto:{settings.support.admin_email}"
    address = settings.http.public_url
    return address if address.startswith("https://") else f"mailto:admin@{settings.server_name.partition(':')[0]}"
