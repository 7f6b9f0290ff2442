"""The only module that sees everything: builds, wires, starts and stops a node; decides nothing."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import uvloop
from aiohttp import web

from server.accounts.accounts import Accounts
from server.accounts.interactive_auth import InteractiveAuth
from server.accounts.shared_secret import SharedSecretRegistration
from server.config import Settings
from server.foundation.clock import Clock, SystemClock
from server.foundation.errors import Refused
from server.foundation.logs import set_up_logs
from server.foundation.signatures import SigningKey
from server.foundation.tasks import Tasks, keep_doing
from server.http.keys import ACCOUNTS, CLOCK, INTERACTIVE_AUTH, RATE_LIMITS, SETTINGS, SHARED_SECRET
from server.http.rate_limits import RateLimits
from server.http.room_services import ROOMS, RoomServices
from server.http.routes import Doors
from server.matrix_api import account_doors, room_doors
from server.notifications.unread import UnreadCounts
from server.rooms.accept_event import EventAcceptor
from server.rooms.aliases import Aliases
from server.rooms.create_room import RoomCreator
from server.rooms.history import History
from server.rooms.live_room import LiveRoom
from server.rooms.membership import Membership
from server.rooms.receipt_store import Receipt
from server.rooms.receipts import Receipts
from server.rooms.rooms import Rooms
from server.rooms.send_event import EventSender, Identity
from server.rooms.timeline import Entry
from server.rooms.typing import Typing
from server.rooms.visibility import Sights
from server.storage.database import Database
from server.storage.position_store import open_positions, reserve_more
from server.storage.schema_version import migrate
from server.storage.streams import StreamPositions
from server.sync.bell import Bell
from server.sync.feeds import Feeds
from server.sync.room_section import RoomReader
from server.sync.sync import Sync, World

logger = logging.getLogger(__name__)

_SHUTDOWN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is built and not yet listening."""

    settings: Settings
    clock: Clock
    database: Database
    accounts: Accounts
    services: RoomServices
    acceptor: EventAcceptor
    tasks: Tasks


def prepare_database(settings: Settings) -> None:
    """Make the database, or bring it to this code's schema."""
    asyncio.run(_prepare(settings))


async def _prepare(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database.url)
    await database.open()
    try:
        await migrate(database)
    finally:
        await database.close()


@asynccontextmanager
async def build(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Node]:
    """A whole node on its database; everything is closed when the block is left."""
    clock = clock or SystemClock()
    database = Database(settings.database.url)
    await database.open()
    tasks = Tasks()
    try:
        await migrate(database)
        yield await _assemble(settings, clock, database, tasks)
    finally:
        await tasks.stop()
        await database.close()


async def _assemble(settings: Settings, clock: Clock, database: Database, tasks: Tasks) -> Node:
    positions = await open_positions(database)
    tasks.start("positions", keep_doing("positions", lambda: reserve_more(database, positions), clock, every_s=60))
    accounts = Accounts(database, positions, clock, settings.server_name, password_cost=settings.passwords.cost)
    await accounts.open()
    rooms = Rooms(database, positions, clock, settings.server_name)
    await rooms.open()
    acceptor = EventAcceptor(rooms, positions)
    identity = Identity(settings.server_name, SigningKey.read(settings.signing_key_file.read_text()))
    sender = EventSender(database, rooms, acceptor, clock, identity)
    receipts = Receipts(database, rooms, positions, clock)
    typing = Typing(rooms, clock)
    sights = Sights(database)
    unread = UnreadCounts(database, receipts)
    acceptor.project(unread.project)
    feeds = Feeds(database)
    bell = Bell(clock, positions.current)
    world = World(rooms, receipts, typing, unread, sights, accounts)
    sync = Sync(world, RoomReader(database), feeds, bell, positions, clock)
    membership = Membership(database, rooms, sender, accounts)
    services = RoomServices(
        rooms, sender, RoomCreator(database, sender), membership, History(database, rooms, sights, positions),
        Aliases(database, rooms, settings.server_name), receipts, typing, feeds, sync, clock,
    )
    _connect(services, acceptor, unread, bell, positions, accounts)
    return Node(settings, clock, database, accounts, services, acceptor, tasks)


def _connect(
    services: RoomServices, acceptor: EventAcceptor, unread: UnreadCounts, bell: Bell, positions: StreamPositions,
    accounts: Accounts,
) -> None:
    """Who hears of what after a commit. Nobody is woken before all earlier positions are committed too."""

    def ring(room: LiveRoom, entry: Entry) -> None:
        positions.when_reached(entry.stream, lambda: bell.room_changed(room, entry.stream))
        if entry.event.type == "m.room.member" and entry.event.state_key is not None:
            target = [entry.event.state_key]
            positions.when_reached(entry.stream, lambda: bell.users_changed(target, entry.stream))

    def ring_for_receipt(room: LiveRoom, receipt: Receipt) -> None:
        unread.follow_receipt(room, receipt)
        positions.when_reached(receipt.stream, lambda: bell.room_read(room, receipt.stream))

    def ring_for_users(user_ids: Any, position: int) -> None:
        positions.when_reached(position, lambda: bell.users_changed(user_ids, position))

    def ring_for_devices(user_ids: Any, position: int) -> None:
        positions.when_reached(position, lambda: bell.users_changed(_neighbours(services.rooms, user_ids), position))

    acceptor.listen(services.feeds.follow)
    acceptor.listen(unread.follow)
    acceptor.listen(ring)
    services.receipts.listen(ring_for_receipt)
    services.typing.listen(lambda room: bell.typing_changed(room, services.typing.position))
    accounts.listen(ring_for_users)
    accounts.listen_device_lists(ring_for_devices)


def _neighbours(rooms: Rooms, user_ids: Any) -> set[str]:
    """All of this node who share a room in use with one of the users, and themselves."""
    concerned = set(user_ids)
    return concerned.union(*(room.joined_here for room in rooms.in_use() if not room.joined.isdisjoint(concerned)))


def make_app(node: Node) -> web.Application:
    """The web application with all doors."""
    app = web.Application(client_max_size=node.settings.limits.upload_bytes)
    app[ACCOUNTS] = node.accounts
    app[CLOCK] = node.clock
    app[SETTINGS] = node.settings
    app[ROOMS] = node.services
    app[RATE_LIMITS] = RateLimits(node.clock, node.settings)
    app[INTERACTIVE_AUTH] = InteractiveAuth(node.clock)
    app[SHARED_SECRET] = SharedSecretRegistration(node.clock, node.settings.registration.shared_secret)
    doors = Doors(app)
    account_doors.add_routes(doors)
    room_doors.add_routes(doors)
    return app


def run(settings: Settings) -> int:
    """Run a node until it is told to stop; answers the exit status."""
    set_up_logs()
    return uvloop.run(_run(settings))


async def _run(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with build(settings) as node:
            await _serve(node, stop)
    except (Refused, OSError) as fault:
        sys.stderr.write(f"The node could not start: {fault}\n")
        return 1
    return 0


async def _serve(node: Node, stop: asyncio.Event) -> None:
    runner = web.AppRunner(
        make_app(node), access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S, keepalive_timeout=120,
    )
    await runner.setup()
    listen = node.settings.http.listen
    await web.TCPSite(runner, listen.host, listen.port, backlog=1024).start()
    sys.stdout.write(f"{node.settings.association.name}: ready on http://{listen}\n")
    sys.stdout.flush()
    await stop.wait()
    node.services.sync.stop_waiting()
    await runner.cleanup()
