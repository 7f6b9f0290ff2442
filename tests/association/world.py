"""A node without doors: everything that the association stands on, on a real SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.accounts.accounts import Accounts
from server.accounts.passwords import Passwords
from server.association.members.editor import MemberEditor
from server.association.members.group_rooms import group_projection
from server.association.members.members import Members
from server.association.members.model import Person, Role
from server.association.members.rooms import AssociationRooms, Style
from server.association.members.roster_exchange import RosterExchange
from server.foundation.clock import Clock
from server.foundation.signatures import SigningKey
from server.rooms.accept_event import EventAcceptor
from server.rooms.create_room import RoomCreator
from server.rooms.history import History
from server.rooms.live_room import LiveRoom
from server.rooms.membership import Membership
from server.rooms.ports import NoPeers
from server.rooms.room_versions import room_version
from server.rooms.rooms import Rooms
from server.rooms.send_event import EventSender, Identity
from server.rooms.visibility import Sights
from server.storage.database import Database
from server.storage.position_store import open_positions
from server.storage.streams import StreamPositions
from tests.empty_database import empty_database
from tests.fakes.clock import FakeClock

SERVER = "sakura.example"
_START_MS = 1_704_093_009_000


@dataclass(slots=True)
class World:
    """One node. ``node`` is the user id of its own account; tests act in its name where no officer is needed."""

    database: Database
    clock: Clock
    positions: StreamPositions
    accounts: Accounts
    rooms: Rooms
    acceptor: EventAcceptor
    sender: EventSender
    creator: RoomCreator
    membership: Membership
    history: History
    members: Members
    editor: MemberEditor
    association: AssociationRooms
    exchange: RosterExchange

    @property
    def node(self) -> str:
        return self.members.node_user_id

    async def live(self, room_id: str | None) -> LiveRoom:
        assert room_id is not None
        return await self.rooms.get(room_id)

    async def person(
        self, name: str, block: str = "1班", roles: Iterable[Role] = (), *, account: bool = True
    ) -> Person:
        """A person in a household of their own, with an account unless told otherwise."""
        known = {item.name: item for item in self.members.blocks()}
        place = known.get(block) or await self.editor.add_block(self.node, block)
        home = await self.editor.add_household(self.node, place.id, name, number=f"{len(self.members.households())}")
        person = await self.editor.add_person(self.node, home.id, name)
        for role in roles:
            await self.editor.give_role(self.node, person.id, role)
        if account:
            user_id = await self.accounts.create_user(None, None, name)
            async with self.editor.editing() as edit:
                edit.account(person.id, user_id)
        return self.members.person(person.id)


@asynccontextmanager
async def world(
    file: Path, *, version: str = "12", clock: Clock | None = None, name: str = "桜町町内会", set_up: bool = True
) -> AsyncIterator[World]:
    """Open a node on ``file``; a second one on the same file is the node after a restart."""
    # A restart takes a minute; in version 12 the same node cannot make two rooms alike in the same millisecond.
    clock = clock or FakeClock(_START_MS + (60_000 if file.exists() else 0))
    async with empty_database(file) as database:
        found = await _build(database, clock, version, name)
        if set_up:
            await found.association.open()
        yield found


async def _build(database: Database, clock: Clock, version: str, name: str) -> World:
    positions = await open_positions(database)
    rooms = Rooms(database, positions, clock, SERVER)
    await rooms.open()
    acceptor = EventAcceptor(rooms, positions)
    key = SigningKey.from_seed("test", bytes(32))
    sender = EventSender(database, rooms, acceptor, clock, Identity(SERVER, key))
    creator = RoomCreator(database, sender)
    accounts = Accounts(database, positions, clock, SERVER, passwords=Passwords(4))
    await accounts.open()
    membership = Membership(database, rooms, sender, accounts, NoPeers())
    history = History(database, rooms, Sights(database), positions, NoPeers())
    members = Members(database, clock, SERVER)
    await members.open()
    acceptor.project(group_projection(members), ["m.room.member"])

    async def follow_profile(user_id: str, _field: str, _profile: dict[str, object]) -> None:
        await membership.follow_profile(user_id)

    accounts.on_profile_change(follow_profile)
    editor = MemberEditor(database, clock, members)
    association = AssociationRooms(database, members, accounts, creator, sender, Style(name, room_version(version)))
    editor.on_change(association.follow)
    return World(
        database, clock, positions, accounts, rooms, acceptor, sender, creator, membership, history, members, editor,
        association, RosterExchange(clock, members, editor),
    )
