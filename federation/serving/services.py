"""What the doors for other servers stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from federation.identity.event_signatures import EventReader
from federation.identity.key_ring import KeyRing
from federation.identity.servers import OwnIdentity, Servers
from federation.outbound.delivery import Delivery
from federation.outbound.far_media import HttpFarMedia
from federation.outbound.far_moments import FarMoments
from federation.outbound.far_rooms import FarRooms
from federation.outbound.questions import Questions
from federation.serving.answered import AnsweredTransactions
from federation.serving.intake import Intake
from federation.serving.messages import Messages
from server.accounts.accounts import Accounts
from server.foundation.clock import Clock
from server.foundation.errors import NotFound
from server.http.room_services import RoomServices
from server.outbox.outbox import Outbox
from server.rooms.arrivals import Arrivals
from server.rooms.backfill import Backfill
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.moment_store import events_by_time
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
    questions: Questions
    far_media: HttpFarMedia
    # Whether people without an account may see the list of public rooms.
    shows_its_list: bool
    messages: Messages
    moments: FarMoments
    answered: AnsweredTransactions = field(default_factory=AnsweredTransactions)
    intake: Intake = field(default_factory=Intake)

    async def event_near(self, room: LiveRoom, ts: int, *, backwards: bool) -> Event:
        """The event of a room that is nearest to a moment; raises ``NotFound``."""
        place = (ts, 2**62 if backwards else -(2**62))
        rows = await events_by_time(self.database, room, place, backwards=backwards)
        found = await self.receiver.forks.events(room, [row[0] for row in rows[:1]])
        for item in found.values():
            return item.event
        raise NotFound("There is no event of that time")

