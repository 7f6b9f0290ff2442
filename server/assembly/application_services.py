"""Building application services; loaded only where registration files are configured."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from server.application_services.callers import Callers
from server.application_services.client import ServiceClient
from server.application_services.courier import Courier, Memory
from server.application_services.couriers import Couriers, Delivery
from server.application_services.encryption import Encryption
from server.application_services.ephemeral import Ephemeral
from server.application_services.interest import Interest
from server.application_services.names import Names
from server.application_services.news_store import member_changes_after
from server.application_services.pings import Pings
from server.application_services.progress_store import Progress, find_progress, set_progress
from server.application_services.queries import Queries
from server.application_services.registration_files import read_registrations
from server.application_services.room_lists import RoomLists
from server.application_services.service import Service
from server.application_services.services import ApplicationServices, Registry
from server.application_services.third_party import ThirdParties
from server.application_services.writer import TransactionWriter
from server.assembly.core import Core
from server.foundation.outgoing import Outgoing
from server.foundation.tasks import Tasks
from server.storage.database import Writes

if TYPE_CHECKING:
    from server.storage.streams import StreamPositions

# The operator himself has written these addresses; most are on the same machine.
_EVERYWHERE: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))


async def open_application_services(core: Core, positions: StreamPositions) -> ApplicationServices:
    """The services of the node's registration files; raises ``SettingsError``. Deliveries begin with ``start``."""
    name, database, rooms = core.settings.server_name, core.database, core.services.rooms
    registrations = read_registrations(core.settings.application_service_files)
    services = [Service(registration, name) for registration in registrations]
    outgoing, tasks = Outgoing(_EVERYWHERE), Tasks()
    core.closing.push_async_callback(outgoing.close)
    core.closing.push_async_callback(tasks.stop)
    clients = {each.id: ServiceClient(outgoing, each) for each in registrations if each.url is not None}
    await _make_senders(core, services)
    deliveries = [
        await _delivery(core, service, clients[service.id], positions) for service in services if service.id in clients
    ]
    couriers = Couriers(deliveries, positions, tasks, core.clock)
    queries = Queries(services, clients, name)
    core.accounts.users.ask_where_unknown(queries.user)
    core.services.aliases.ask_where_unknown(queries.alias)
    _connect(core, couriers)
    return ApplicationServices(
        Registry(services), Callers(core.accounts, services), Names(services, core.accounts), couriers,
        ThirdParties(services, clients, core.clock), RoomLists(database, rooms), Pings(clients, core.clock),
    )


async def _make_senders(core: Core, services: Sequence[Service]) -> None:
    """The sender of a service is there without having registered."""
    for service in services:
        if await core.accounts.users.find(service.user_id) is None:
            await core.accounts.create_user(service.registration.sender_localpart)


async def _delivery(core: Core, service: Service, client: ServiceClient, positions: StreamPositions) -> Delivery:
    progress = await find_progress(core.database, service.id)
    if progress is None:
        # It hears of what happens from now on.
        progress = Progress(positions.current)
        writes = Writes()
        set_progress(writes, service.id, progress)
        await core.database.submit(writes)
    parts = core.services
    interest = Interest(service, parts.rooms, parts.aliases, parts.membership.joined_rooms)
    interest.recall(await member_changes_after(core.database, progress.position))
    ephemeral = Ephemeral(service, interest, parts.typing, core.accounts.presence)
    encryption = Encryption(service, interest, core.database, core.accounts)
    writer = TransactionWriter(core.database, parts.rooms, service, interest, ephemeral, encryption)
    memory = Memory(core.database, positions, service.id, progress)
    courier = Courier(service, memory, writer, interest, encryption, client, core.clock)
    return Delivery(service, interest, ephemeral, courier)


def _connect(core: Core, couriers: Couriers) -> None:
    core.acceptor.listen(couriers.follow)
    core.services.receipts.listen(couriers.follow_receipt)
    core.services.typing.listen(couriers.follow_typing)
    core.accounts.listen(couriers.follow_users)
    core.accounts.listen_device_lists(couriers.follow_devices)
    core.accounts.presence.listen(couriers.follow_presence)
