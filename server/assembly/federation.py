"""Building everything that talks to other servers; loaded when it is first needed, see ``late_federation``."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

from federation.identity.discovery import Discovery
from federation.identity.event_signatures import EventReader
from federation.identity.key_ring import KeyRing
from federation.identity.servers import OwnIdentity, Servers, certificate_rules
from federation.identity.service_records import ServiceRecords
from federation.outbound.delivery import Delivery
from federation.outbound.far_media import HttpFarMedia
from federation.outbound.far_moments import FarMoments
from federation.outbound.far_rooms import FarRooms
from federation.outbound.peers import HttpPeers
from federation.outbound.questions import Questions
from federation.serving.services import Federation
from server.assembly.core import Core
from server.assembly.federation_messages import open_messages
from server.config import Settings
from server.foundation.outgoing import Outgoing
from server.foundation.settings import IpNetwork
from server.foundation.tasks import Tasks, keep_doing
from server.outbox.outbox import Outbox
from server.rooms.arrivals import Arrivals
from server.rooms.backfill import Backfill
from server.rooms.far_member_store import servers_with_members
from server.rooms.graph_store import lowest_position
from server.rooms.receive_event import EventReceiver
from server.rooms.to_others import ToOthers
from server.storage.streams import PastPositions

# Connections of their own: whoever sends a large file slowly holds up no event.
_FILES_AT_ONCE: Final = 32
_EVERYWHERE: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))


async def open_federation(core: Core, outbox: Outbox) -> Federation:
    """All services; what waits in the outbox begins to go out."""
    settings, database, clock = core.settings, core.database, core.clock
    own = core.services.sender.identity
    identity = OwnIdentity(settings.server_name, own.key, own.old_keys)
    servers = _servers(core, identity)
    key_ring = KeyRing(database, servers, identity, clock, settings.federation.notaries)
    reader = EventReader(key_ring)
    rooms, past = core.services.rooms, PastPositions(await lowest_position(database))
    to_others = ToOthers(outbox, settings.server_name)
    peers = HttpPeers(servers, reader)
    receiver = EventReceiver(database, rooms, core.acceptor, past, peers, to_others)
    backfill = Backfill(database, receiver.forks, receiver.missing, past, peers)
    arrivals = Arrivals(database, rooms, core.acceptor, past)
    far_rooms = FarRooms(servers, reader, arrivals, receiver, identity, clock)
    far_media = HttpFarMedia(_servers(core, identity, at_once=_FILES_AT_ONCE))
    # Stopped before the database is closed.
    tasks = Tasks()
    core.closing.push_async_callback(tasks.stop)
    delivery = Delivery(database, servers, clock, tasks, settings.server_name, settings.federation.near)
    await delivery.open()
    for server in await servers_with_members(database, settings.server_name):
        delivery.greet(server)
    tasks.start("given up servers", keep_doing("given up servers", delivery.give_up, clock, every_s=86_400))
    messages = await open_messages(core, servers, delivery, outbox, tasks)
    return Federation(
        identity, servers, key_ring, reader, receiver, arrivals, backfill, far_rooms, delivery, outbox, core.services,
        core.accounts, database, clock, Questions(servers), far_media, settings.directory.public,
        messages, FarMoments(servers, backfill),
    )


def _servers(core: Core, identity: OwnIdentity, *, at_once: int = 64) -> Servers:
    outgoing = Outgoing(_networks(core.settings), at_once=at_once)
    core.closing.push_async_callback(outgoing.close)
    federation = core.settings.federation
    certificates = certificate_rules(
        verify=federation.verify_certificates, authorities=federation.certificate_authorities
    )
    discovery = Discovery(outgoing, ServiceRecords(), core.clock, certificates)
    return Servers(identity, discovery, outgoing, certificates)


def _networks(settings: Settings) -> tuple[IpNetwork, ...]:
    return _EVERYWHERE if settings.federation.allow_private_addresses else ()
