"""Who hears of what after a commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.accounts.accounts import Accounts
from server.http.room_services import RoomServices
from server.notifications.unread import UnreadCounts
from server.rooms.accept_event import EventAcceptor
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt
from server.rooms.timeline import Entry
from server.storage.streams import StreamPositions
from server.sync.bell import Bell


def connect(
    services: RoomServices, acceptor: EventAcceptor, unread: UnreadCounts, bell: Bell, positions: StreamPositions,
    accounts: Accounts,
) -> None:
    """Join the parts. Nobody hears of anything before all earlier positions are committed too."""

    def publish(room: LiveRoom, entry: Entry) -> None:
        services.feeds.follow(room, entry)
        unread.follow(room, entry)
        services.typing.follow(room, entry)
        services.sync.presence.follow(room, entry)
        accounts.presence.noticed(entry.event.sender)
        bell.room_changed(room, entry.stream)
        moved = [state_key for kind, state_key in entry.changes if kind == "m.room.member"]
        if moved:
            bell.users_changed(moved, entry.stream)

    def publish_when_reached(room: LiveRoom, entry: Entry) -> None:
        positions.when_reached(entry.stream, lambda: publish(room, entry))

    def ring_for_receipt(room: LiveRoom, receipt: Receipt) -> None:
        unread.follow_receipt(room, receipt)
        accounts.presence.noticed(receipt.user_id)
        positions.when_reached(receipt.stream, lambda: bell.room_read(room, receipt.stream))

    def ring_for_users(user_ids: Iterable[str], position: int) -> None:
        positions.when_reached(position, lambda: bell.users_changed(user_ids, position))

    async def follow_profile(user_id: str, field: str, _profile: dict[str, Any]) -> None:
        if field in ("displayname", "avatar_url"):
            await services.membership.follow_profile(user_id, accounts.profiles.before(user_id))

    acceptor.listen(publish_when_reached)
    services.receipts.listen(ring_for_receipt)
    services.typing.listen(lambda room: bell.typing_changed(room, services.typing.position))
    accounts.listen(ring_for_users)
    accounts.on_profile_change(follow_profile)
