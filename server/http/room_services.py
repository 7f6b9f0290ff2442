"""Where doors find the verbs of rooms and sync."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.foundation.clock import Clock
from server.notifications.pushers import Pushers
from server.rooms.aliases import Aliases
from server.rooms.create_room import RoomCreator
from server.rooms.history import History
from server.rooms.membership import Membership
from server.rooms.ports import FarQuestions
from server.rooms.receipts import Receipts
from server.rooms.room_directory import RoomDirectory
from server.rooms.rooms import Rooms
from server.rooms.send_event import EventSender
from server.rooms.spaces import Spaces
from server.rooms.typing import Typing
from server.sync.feeds import Feeds
from server.sync.filters import StoredFilters
from server.sync.sync import Sync


@dataclass(frozen=True, slots=True)
class RoomServices:
    """The verbs of the room core, and reading it."""

    rooms: Rooms
    sender: EventSender
    creator: RoomCreator
    membership: Membership
    history: History
    aliases: Aliases
    directory: RoomDirectory
    spaces: Spaces
    receipts: Receipts
    typing: Typing
    feeds: Feeds
    sync: Sync
    stored_filters: StoredFilters
    clock: Clock
    pushers: Pushers
    # Other servers, for what doors ask of them.
    far: FarQuestions


ROOMS = web.AppKey("rooms", RoomServices)
