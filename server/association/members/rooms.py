"""The association's rooms: made on the first start, and following the roster ever after.

Only verbs that the public Matrix API has as well are used, in the name of the node's own account. Every step can be
repeated: what a stop of the node has left undone is in tables (``rooms_due``, ``association_rooms.linked``) and is
done at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from server.accounts.accounts import Accounts
from server.association.members.edit import RosterChange
from server.association.members.members import NODE_LOCALPART, Members
from server.association.members.model import Purpose
from server.association.members.places import Places
from server.association.members.room_book import AssociationRoom
from server.association.members.room_plans import (
    RoomSpec,
    child_content,
    hall_plan,
    power_levels,
    stewards,
    wanted_specs,
)
from server.association.members.rooms_store import drop_due, drop_room, load_due, put_room
from server.rooms.create_room import RoomCreator
from server.rooms.room_versions import RoomVersion
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Style:
    """What the association is called, and of which version its rooms are."""

    name: str
    version: RoomVersion


class AssociationRooms:
    """Keeps the rooms as the roster says. ``await open()`` after ``Members.open()``; wire ``follow`` to the editor."""

    def __init__(
        self, database: Database, members: Members, accounts: Accounts, creator: RoomCreator, sender: EventSender,
        style: Style,
    ) -> None:
        self._database = database
        self._members = members
        self._accounts = accounts
        self._creator = creator
        self._sender = sender
        self._style = style
        self._places = Places(database, members, accounts, creator, sender, style.version)
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """Make the node's account and all rooms that are missing, and do what was left undone. Cheap when all is
        done."""
        await self._ensure_account()
        await self.ensure()
        due = await load_due(self._database)
        if due:
            await self._set_levels()
            await self._settle(due)

    async def follow(self, change: RosterChange) -> None:
        """A listener of the editor: rooms come and go, people come and go."""
        if change.rooms:
            await self.ensure()
        for person_id in change.renamed:
            await self._rename(person_id)
        if change.offices:
            await self._set_levels()
        if change.persons:
            await self._settle(dict.fromkeys(change.persons, change.mark))

    async def ensure(self) -> None:
        """Make rooms that are missing, show them in the space, rename them, and give up those of nobody."""
        async with self._making:
            specs = wanted_specs(self._style.name, self._members.register)
            for spec in specs:
                known = self._members.rooms.get(spec.key) or await self._make(spec)
                if not known.is_linked:
                    known = await self._link(spec, known)
                if known.name != spec.name:
                    await self._call(spec, known)
            wanted = {spec.key for spec in specs}
            for room in self._members.rooms.rooms():
                if room.key not in wanted and not room.key.startswith("desk:"):
                    await self._retire(room)

    # ---- rooms -----------------------------------------------------------------------------------------------------

    async def _ensure_account(self) -> None:
        if not await self._accounts.user_exists(self._members.node_user_id):
            await self._accounts.create_user(NODE_LOCALPART, None, self._style.name)

    async def _make(self, spec: RoomSpec) -> AssociationRoom:
        node = self._members.node_user_id
        plan = hall_plan(
            spec, node=node, version=self._style.version, users=stewards(self._members.register, spec.key),
            space_id=self._members.rooms.find(Purpose.SPACE.value) if spec.key != Purpose.SPACE.value else None,
            profile=await self._accounts.member_profile(node),
        )
        made: list[AssociationRoom] = []

        def also(room_id: str, writes: Writes) -> None:
            made.append(AssociationRoom(spec.key, room_id, spec.name, spec.key == Purpose.SPACE.value))
            self._keep(writes, made[0])

        await self._creator.create(plan, also=also)
        return made[0]

    async def _link(self, spec: RoomSpec, room: AssociationRoom) -> AssociationRoom:
        space_id = self._members.hall_room(Purpose.SPACE)
        content = child_content(spec, self._sender.identity.server_name)
        await self._sender.send(Draft(space_id, self._members.node_user_id, "m.space.child", content, room.room_id))
        return await self._store(replace(room, is_linked=True))

    async def _call(self, spec: RoomSpec, room: AssociationRoom) -> None:
        node = self._members.node_user_id
        await self._sender.send(Draft(room.room_id, node, "m.room.name", {"name": spec.name}, ""))
        await self._store(replace(room, name=spec.name))
        if spec.key == Purpose.SPACE.value:
            await self._accounts.profiles.set(node, "displayname", spec.name)

    async def _retire(self, room: AssociationRoom) -> None:
        """The block or group is gone: out of the space, and everybody out of the room."""
        space_id, node = self._members.hall_room(Purpose.SPACE), self._members.node_user_id
        await self._sender.send(Draft(space_id, node, "m.space.child", {}, room.room_id))
        await self._places.empty(room.room_id)
        writes = Writes()
        drop_room(writes, room.key)
        writes.after_commit.append(lambda: self._members.rooms.drop(room.key))
        await asyncio.shield(self._database.submit(writes))

    async def _store(self, room: AssociationRoom) -> AssociationRoom:
        writes = Writes()
        self._keep(writes, room)
        await asyncio.shield(self._database.submit(writes))
        return room

    def _keep(self, writes: Writes, room: AssociationRoom) -> None:
        put_room(writes, room)
        writes.after_commit.append(lambda: self._members.rooms.enter(room))

    # ---- people ----------------------------------------------------------------------------------------------------

    async def _settle(self, due: dict[str, str]) -> None:
        """Bring these persons into the rooms where they belong, and out of the others; then strike them off."""
        failed = await self._places.settle(due)
        writes = Writes()
        for person_id, mark in due.items():
            if person_id not in failed:
                drop_due(writes, person_id, mark)
        if writes.rows:
            await asyncio.shield(self._database.submit(writes))

    async def _set_levels(self) -> None:
        """Who became an officer may write where officers write, and who is none any more may not."""
        for spec in wanted_specs(self._style.name, self._members.register):
            await self._set_levels_of(spec)

    async def _set_levels_of(self, spec: RoomSpec) -> None:
        room_id = self._members.rooms.find(spec.key)
        if room_id is None:
            return
        room = await self._sender.rooms.get(room_id)
        node = self._members.node_user_id
        users = stewards(self._members.register, spec.key)
        content = power_levels(spec, room.version, node, users)
        if room.content("m.room.power_levels") != content:
            await self._sender.send(Draft(room_id, node, "m.room.power_levels", content, ""))

    async def _rename(self, person_id: str) -> None:
        if not self._members.register.has_person(person_id):
            return
        person = self._members.person(person_id)
        if person.user_id is not None:
            await self._accounts.profiles.set(person.user_id, "displayname", person.name)
