"""Building the verbs of rooms, and joining what listens to events."""

from __future__ import annotations

from typing import NamedTuple

from server.accounts.accounts import Accounts
from server.assembly.closed_accounts import leave_when_closed
from server.assembly.late_federation import LateFederation
from server.assembly.listeners import connect
from server.assembly.messages_to_others import connect_messages
from server.assembly.presence import build_presence
from server.assembly.push import connect_pushers, open_pushers
from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks, keep_doing
from server.http.room_services import RoomServices
from server.notifications.judging import Judges
from server.notifications.unread import UnreadCounts
from server.rooms.accept_event import EventAcceptor
from server.rooms.aliases import Aliases
from server.rooms.create_room import RoomCreator
from server.rooms.guests import Guests
from server.rooms.history import History
from server.rooms.membership import Membership
from server.rooms.ports import Far
from server.rooms.receipts import Receipts
from server.rooms.room_directory import RoomDirectory
from server.rooms.search_store import forget_redacted
from server.rooms.send_event import EventSender
from server.rooms.spaces import Spaces
from server.rooms.successors import Successors
from server.rooms.thread_store import follow_threads
from server.rooms.typing import Typing
from server.rooms.user_directory_store import FOLLOWED, follow_people, follow_people_in_forks
from server.rooms.visibility import Sights
from server.storage.database import Database
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.device_news import DeviceNews
from server.sync.feeds import Feeds
from server.sync.filters import StoredFilters
from server.sync.request import World
from server.sync.room_section import RoomReader
from server.sync.sync import Sync


class Base(NamedTuple):
    """What rooms stand upon."""

    settings: Settings
    clock: Clock
    database: Database
    positions: StreamPositions
    accounts: Accounts
    tasks: Tasks


async def build_rooms(base: Base, sender: EventSender, acceptor: EventAcceptor, far: Far) -> RoomServices:
    """All verbs of rooms, joined to what follows each commit. ``far``: how other servers are asked."""
    settings, clock, database, positions, accounts, tasks = base
    rooms = sender.rooms
    receipts = Receipts(database, rooms, positions, clock)
    typing = Typing(rooms, clock)
    sights = Sights(database, accounts.users.erased)
    unread = UnreadCounts(database, receipts, positions, Judges(accounts.push_rules, accounts.account_data))
    acceptor.project(unread.project)
    acceptor.project(follow_threads)
    acceptor.project(forget_redacted, ["m.room.redaction"])
    acceptor.project(follow_people, FOLLOWED)
    acceptor.project(follow_people_in_forks)
    guests = Guests(database, sender)
    acceptor.project(guests.project)
    tasks.start("guests", keep_doing("guests", guests.look_after, clock, every_s=0.1))
    feeds = Feeds(database, positions)
    bell = Bell(clock, positions.current, settings.server_name)
    presence = build_presence(settings, clock, database, accounts, bell, tasks)
    world = World(rooms, receipts, typing, unread, sights, accounts, presence)
    sync = Sync(database, world, RoomReader(database, clock), feeds, bell, positions, clock)
    services = RoomServices(
        rooms, sender, RoomCreator(database, sender), Membership(database, rooms, sender, accounts, far),
        History(database, rooms, sights, positions, far), Aliases(database, rooms, sender, far),
        RoomDirectory(database, rooms), Spaces(rooms, far), receipts, typing, feeds, sync,
        StoredFilters(accounts.filters.find), clock, await open_pushers(database, positions, accounts), far,
    )
    successors = Successors(database, rooms, services.directory, accounts, tasks)
    acceptor.project(successors.project, ["m.room.member"])
    tasks.start("successors", successors.resume())
    connect(services, acceptor, unread, bell, positions, accounts)
    connect_pushers(settings, services, unread, bell, accounts, database, positions, tasks)
    leave_when_closed(accounts, database, services.membership)
    device_news = DeviceNews(database, bell, positions, tasks, clock)
    accounts.listen_device_lists(device_news.follow)
    if isinstance(far, LateFederation):
        connect_messages(far, services, accounts, device_news)
    return services
