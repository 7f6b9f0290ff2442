"""Who tells other servers of what is no event: hooks that cost nothing where no other server is concerned."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson

from server.accounts.accounts import Accounts
from server.accounts.to_device import Messages
from server.assembly.late_federation import LateFederation
from server.foundation.canonical_json import canonical_json
from server.foundation.ids import is_server_name, server_name_of
from server.http.room_services import RoomServices
from server.rooms.live_room import LiveRoom
from server.rooms.receipt_store import Receipt
from server.storage.database import Writes
from server.sync.device_news import DeviceNews

Json = dict[str, Any]

# Of one m.direct_to_device; a larger content goes alone.
_MOST_BYTES: Final = 50_000


def connect_messages(
    far: LateFederation, services: RoomServices, accounts: Accounts, device_news: DeviceNews
) -> None:
    """Let ``far`` hear of what passes here, of devices, and of messages to devices of other servers."""
    mine = accounts.server_name

    def typing_changed(room: LiveRoom) -> None:
        if len(room.joined) != len(room.joined_here):
            far.tell(lambda told: told.passing.typing_changed(room))

    def read(room: LiveRoom, receipt: Receipt) -> None:
        if len(room.joined) != len(room.joined_here):
            far.tell(lambda told: told.passing.read(room, receipt))

    def people_changed(user_ids: Collection[str]) -> None:
        # Whoever has met nobody yet need not begin with this.
        if far.is_open:
            changed = list(user_ids)
            far.tell(lambda told: told.passing.people_changed(changed))

    def devices_changed(changed: Collection[str], concerned: Collection[str]) -> None:
        ours = [user_id for user_id in changed if server_name_of(user_id) == mine]
        if ours and any(server_name_of(user_id) != mine for user_id in concerned):
            far.tell(lambda told: told.tasks.start("devices told", told.own_devices.tell(ours)))

    def send_to_devices(writes: Writes, sender: str, kind: str, messages: Messages) -> None:
        for server, by_user in _by_server(messages, mine).items():
            for part in _parts(by_user):
                content = {"sender": sender, "type": kind, "message_id": secrets.token_hex(16), "messages": part}
                edu = {"edu_type": "m.direct_to_device", "content": content}
                far.outbox.add_message(writes, [server], canonical_json(edu))

    services.typing.listen(typing_changed)
    services.receipts.listen(read)
    services.sync.presence.listen(people_changed)
    device_news.listen(devices_changed)
    accounts.to_device.send_far_by(send_to_devices)


def _by_server(messages: Messages, mine: str) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    for user_id, by_device in messages.items():
        server = server_name_of(user_id)
        if user_id.startswith("@") and server != mine and is_server_name(server):
            found.setdefault(server, {})[user_id] = dict(by_device)
    return found


def _parts(by_user: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The same in pieces of a moderate size."""
    part: dict[str, Json] = {}
    size = 0
    for user_id, by_device in by_user.items():
        for device_id, content in by_device.items():
            length = len(orjson.dumps(content)) + len(user_id) + len(device_id)
            if part and size + length > _MOST_BYTES:
                yield part
                part, size = {}, 0
            part.setdefault(user_id, {})[device_id] = content
            size += length
    if part:
        yield part
