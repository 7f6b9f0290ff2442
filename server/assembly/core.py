"""What everything else of a node is built upon, once it is there. Builders take it; ``node.py`` makes it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from server.accounts.accounts import Accounts
from server.assembly.late_parts import LateParts
from server.config import Settings
from server.foundation.clock import Clock
from server.foundation.tasks import Tasks
from server.http.room_services import RoomServices
from server.rooms.accept_event import EventAcceptor
from server.storage.database import Database


@dataclass(frozen=True, slots=True)
class Core:
    """What the association is built upon."""

    settings: Settings
    clock: Clock
    database: Database
    accounts: Accounts
    services: RoomServices
    acceptor: EventAcceptor
    tasks: Tasks
    # What is opened late is closed with the node.
    closing: AsyncExitStack
    late: LateParts = field(default_factory=LateParts)
