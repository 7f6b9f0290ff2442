"""Building a node on its database: the room core, accounts, sync, and the association on top."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.accounts.users_store import any_user_id
from server.assembly.account_rules import account_rules
from server.assembly.association import Association, build_association
from server.assembly.city_feed import watch_city_feed
from server.assembly.core import Core
from server.assembly.late_federation import LateFederation
from server.assembly.rooms import Base, build_rooms
from server.config import Settings
from server.foundation.clock import Clock, SystemClock
from server.foundation.errors import Refused
from server.foundation.folder_lock import folder_lock
from server.foundation.ids import server_name_of
from server.foundation.signatures import SigningKey, old_keys
from server.foundation.tasks import Tasks, keep_doing
from server.http.media_services import MediaServices, open_media
from server.http.room_services import RoomServices
from server.outbox.outbox import Outbox
from server.rooms.accept_event import EventAcceptor
from server.rooms.event_store import forget_transactions_before
from server.rooms.ports import NoPeers
from server.rooms.rooms import Rooms
from server.rooms.send_event import EventSender, Identity
from server.rooms.to_others import ToOthers
from server.storage.database import Database
from server.storage.position_store import open_positions, reserve_more
from server.storage.schema_version import migrate

# How soon a node on PostgreSQL learns that another process has taken over.
_PROVE_S: Final = 4.0
# Clients do not ask again after so long.
_TRANSACTIONS_MS: Final = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is built and not yet listening."""

    core: Core
    media: MediaServices
    association: Association

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        return self.core.settings

    @property
    def accounts(self) -> Accounts:
        """The node's accounts."""
        return self.core.accounts

    @property
    def services(self) -> RoomServices:
        """The verbs of rooms."""
        return self.core.services

    async def resume(self) -> None:
        """The node is listening now: go on with what others are to hear of, and fetch what others publish."""
        watch_city_feed(self.core)
        if self.core.late.federation is not None:
            await self.core.late.federation.resume()


@asynccontextmanager
async def build(
    settings: Settings, clock: Clock | None = None, while_waiting: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Node]:
    """A whole node on its database; everything is closed when the block is left. Raises ``FolderInUse``.

    ``while_waiting`` is called again and again while another process is active on the same PostgreSQL database;
    without it, that raises ``StorageBusy``.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as closing:
        _require_what_was_there(settings)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        closing.enter_context(folder_lock(settings.data_dir))
        database = Database(settings.database.url)
        closing.push_async_callback(database.close)
        await database.open(while_waiting)
        tasks = Tasks()
        closing.push_async_callback(tasks.stop)
        if database.dialect == "postgresql":
            tasks.start("active", keep_doing("active", database.prove_active, clock, every_s=_PROVE_S))
        await migrate(database)
        await _require_own_name(database, settings.server_name)
        core = await _build_core(settings, clock, database, tasks, closing)
        media = await closing.enter_async_context(open_media(settings, database, clock))
        core.late.wide_area.attach(core)
        node = Node(core, media, await build_association(core))
        await core.late.wide_area.start(node)
        yield node


def _require_what_was_there(settings: Settings) -> None:
    """A node without its key is nobody, and one with a new key would be somebody else; a database that is gone is not
    to be taken for a new one.
    """
    if not settings.signing_key_file.is_file():
        raise Refused(
            f"there is no signing key {settings.signing_key_file}. Put it back from a backup; none is made, because "
            "other servers know the node by the old one."
        )
    database = settings.database.file
    if database is not None and not database.exists() and settings.media_dir.exists():
        raise Refused(
            f"there is no database {database}, and a node has lived in {settings.data_dir}. Is its disk there? Put the "
            "last backup back with `kairan restore`, in another folder."
        )


async def _require_own_name(database: Database, server_name: str) -> None:
    """Everything in a database bears the name of its node: under another name nothing of it would belong together."""
    user_id = await any_user_id(database)
    if user_id is not None and server_name_of(user_id) != server_name:
        raise Refused(
            f'this data belongs to {server_name_of(user_id)}, and the settings say server_name = "{server_name}". A '
            "node keeps its name for ever: put the old name back, or begin a new node in another folder (kairan init)."
        )


async def _build_core(
    settings: Settings, clock: Clock, database: Database, tasks: Tasks, closing: AsyncExitStack
) -> Core:
    positions = await open_positions(database)
    tasks.start("positions", keep_doing("positions", lambda: reserve_more(database, positions), clock, every_s=60))
    accounts = Accounts(
        database, positions, clock, settings.server_name, rules=account_rules(settings),
        passwords=Passwords(settings.passwords.cost, settings.passwords.shortest),
    )
    await accounts.open()
    closing.push_async_callback(accounts.last_seen.write)
    rooms = Rooms(database, positions, clock, settings.server_name)
    await rooms.open()
    _keep_tidy(database, rooms, accounts, tasks, clock)
    acceptor = EventAcceptor(rooms, positions)
    key_file = settings.signing_key_file.read_text()
    identity = Identity(settings.server_name, SigningKey.read(key_file), old_keys(key_file))
    sender = EventSender(database, rooms, acceptor, clock, identity)
    federation = LateFederation(Outbox(positions)) if settings.federation.enabled else None
    base = Base(settings, clock, database, positions, accounts, tasks)
    services = await build_rooms(base, sender, acceptor, federation or NoPeers())
    core = Core(settings, clock, database, accounts, services, acceptor, tasks, closing)
    if federation is not None:
        core.late.federation = federation
        acceptor.project(ToOthers(federation.outbox, settings.server_name).project)
        federation.attach(core)
    if settings.application_service_files:
        module = importlib.import_module("server.assembly.application_services")
        core.late.application_services = await module.open_application_services(core, positions)
    return core


def _keep_tidy(database: Database, rooms: Rooms, accounts: Accounts, tasks: Tasks, clock: Clock) -> None:
    """What is done now and then, so that neither memory nor tables grow for ever."""

    async def forget_unused_rooms() -> None:
        rooms.forget_unused()

    async def forget_old_rows() -> None:
        await accounts.forget_old()
        await forget_transactions_before(database, clock.now_ms() - _TRANSACTIONS_MS)

    tasks.start("emptied log", keep_doing("emptied log", database.empty_log, clock, every_s=3_600))
    tasks.start("last seen", keep_doing("last seen", accounts.last_seen.write, clock, every_s=180))
    tasks.start("unused rooms", keep_doing("unused rooms", forget_unused_rooms, clock, every_s=300))
    tasks.start("old rows", keep_doing("old rows", forget_old_rows, clock, every_s=86_400))
