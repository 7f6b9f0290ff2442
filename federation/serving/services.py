"""What the doors for other servers stand on."""

from __future__ import annotations

from dataclasses import dataclass

from federation.identity.event_signatures import EventReader
from federation.identity.key_ring import KeyRing
from federation.identity.servers import OwnIdentity, Servers
from federation.outbound.delivery import Delivery
from federation.outbound.far_rooms import FarRooms
from server.accounts.accounts import Accounts
from server.foundation.clock import Clock
from server.http.room_services import RoomServices
from server.outbox.outbox import Outbox
from server.rooms.arrivals import Arrivals
from server.rooms.backfill import Backfill
from server.rooms.receive_event import EventReceiver
from server.storage.database import Database


@dataclass(frozen=True, slots=True)
class Federation:
    """Everything that talks to other servers."""

    identity: OwnIdentity
    servers: Servers
    key_ring: KeyRing
    reader: EventReader
    receiver: EventReceiver
    arrivals: Arrivals
    backfill: Backfill
    far_rooms: FarRooms
    delivery: Delivery
    outbox: Outbox
    rooms: RoomServices
    accounts: Accounts
    database: Database
    clock: Clock

