"""Bringing people into the rooms where they belong, without asking them, and out of those where they do not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final

from server.accounts.accounts import Accounts
from server.association.members.members import Members
from server.association.members.model import DESK_NAME, Person, Purpose
from server.association.members.room_book import AssociationRoom, desk_key
from server.association.members.room_plans import desk_plan, wanted_keys
from server.association.members.rooms_store import put_room
from server.foundation.errors import NotFound, Refused
from server.rooms.create_room import RoomCreator
from server.rooms.live_room import LiveRoom
from server.rooms.membership_store import memberships_of
from server.rooms.room_versions import RoomVersion
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

logger = logging.getLogger(__name__)

# Few enough that others get their turn in between, enough that they share a commit.
_AT_ONCE: Final = 16
_MUST_STAY: Final = frozenset(
    item.value for item in (Purpose.SPACE, Purpose.CIRCULARS, Purpose.DISASTER, Purpose.OFFICERS, Purpose.RECEPTION)
)
_M_DIRECT: Final = "m.direct"

Content = dict[str, Any]


class Places:
    """Who is in which of the association's rooms."""

    def __init__(
        self, database: Database, members: Members, accounts: Accounts, creator: RoomCreator, sender: EventSender,
        version: RoomVersion,
    ) -> None:
        self._database = database
        self._members = members
        self._accounts = accounts
        self._creator = creator
        self._sender = sender
        self._version = version
        self._desks_underway: set[str] = set()

    async def settle(self, person_ids: Iterable[str]) -> set[str]:
        """Give each of these persons with an account the 窓口 and the rooms of their place in the association.

        Answers the ids of those with whom it went wrong. What is right already costs nothing and makes no event.
        """
        register = self._members.register
        persons = [register.person(item) for item in person_ids if register.has_person(item)]
        here = [person for person in persons if person.user_id is not None]
        known = [person for person in here if self._members.desk_room_of(person.id) is not None]
        failed = await self._make_desks([person for person in here if person not in known])
        for person in known:
            await self._leave_others(person)
        by_key: dict[str, list[Person]] = {}
        for person in here:
            for key in wanted_keys(register, person):
                by_key.setdefault(key, []).append(person)
        for key, those in by_key.items():
            failed |= await self._bring(key, those)
        return failed

    async def empty(self, room_id: str) -> None:
        """Everybody but the node's account leaves a room."""
        room = await self._sender.rooms.get(room_id)
        node = self._members.node_user_id
        await self._sender.send_many([
            Draft(room_id, node, "m.room.member", {"membership": "leave"}, user_id)
            for user_id in sorted(room.joined) if user_id != node
        ])

    # ---- the resident's own line -----------------------------------------------------------------------------------

    async def _make_desks(self, persons: Sequence[Person]) -> set[str]:
        failed: set[str] = set()
        profile = await self._accounts.member_profile(self._members.node_user_id)

        async def make(person: Person) -> None:
            try:
                await self._make_desk(person, profile)
            except Refused as refusal:
                logger.error("A person's own room could not be made: %s", refusal)
                failed.add(person.id)

        for start in range(0, len(persons), _AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for person in persons[start:start + _AT_ONCE]:
                    group.create_task(make(person))
        return failed

    async def _make_desk(self, person: Person, profile: Content) -> None:
        if person.id in self._desks_underway or person.user_id is None:
            return
        self._desks_underway.add(person.id)
        try:
            user_id = person.user_id
            plan = desk_plan(
                node=self._members.node_user_id, version=self._version, user_id=user_id, profile=profile,
                user_profile=await self._accounts.member_profile(user_id),
            )
            direct = await self._direct_rooms(user_id)
            await self._creator.create(
                plan, also=lambda room_id, writes: self._keep_desk(writes, person, room_id, direct)
            )
        finally:
            self._desks_underway.discard(person.id)

    def _keep_desk(self, writes: Writes, person: Person, room_id: str, direct: Content) -> None:
        """Rows in the commit that makes the room: whose it is, and that clients show it as a direct chat."""
        room = AssociationRoom(desk_key(person.id), room_id, DESK_NAME, True)
        put_room(writes, room)
        writes.after_commit.append(lambda: self._members.rooms.enter(room))
        node = self._members.node_user_id
        known = direct.get(node)
        rooms = [*(known if isinstance(known, list) else []), room_id]
        if person.user_id is not None:
            self._accounts.account_data.add(writes, person.user_id, "", _M_DIRECT, {**direct, node: rooms})

    async def _direct_rooms(self, user_id: str) -> Content:
        if not self._accounts.account_data.last_position(user_id):
            return {}  # a fresh account: nothing to read
        try:
            return await self._accounts.account_data.get(user_id, "", _M_DIRECT)
        except NotFound:
            return {}

    # ---- the rooms of many -----------------------------------------------------------------------------------------

    async def _leave_others(self, person: Person) -> None:
        """Out of the rooms of another block, of a group left, of an office laid down."""
        if person.user_id is None:
            return
        wanted = set(wanted_keys(self._members.register, person))
        node = self._members.node_user_id
        for place in await memberships_of(self._database, person.user_id):
            room = self._members.rooms.of_id(place.room_id)
            if room is None or place.membership not in ("join", "invite"):
                continue
            if room.key not in wanted and room.key != desk_key(person.id):
                content = {"membership": "leave"}
                await self._sender.send(Draft(room.room_id, node, "m.room.member", content, person.user_id))

    async def _bring(self, key: str, persons: Sequence[Person]) -> set[str]:
        room_id = self._members.rooms.find(key)
        if room_id is None:
            return {person.id for person in persons}
        room = await self._sender.rooms.get(room_id)
        coming = [person for person in persons if self._comes(room, key, person)]
        drafts = [draft for person in coming for draft in await self._drafts(room, person)]
        try:
            await self._sender.send_many(drafts)
        except Refused:
            return await self._bring_one_by_one(room, coming)
        return set()

    async def _bring_one_by_one(self, room: LiveRoom, persons: Sequence[Person]) -> set[str]:
        """One person whom the rules keep out must not keep out the others."""
        failed = set()
        for person in persons:
            try:
                room = await self._sender.rooms.get(room.room_id)
                await self._sender.send_all(room, await self._drafts(room, person))
            except Refused as refusal:
                logger.error("Somebody could not be brought into a room: %s", refusal)
                failed.add(person.id)
        return failed

    def _comes(self, room: LiveRoom, key: str, person: Person) -> bool:
        """Whether the person is to be brought in: not twice, not if banned, and not if they have left on their own
        where they may."""
        member = room.member(person.user_id or "")
        if member is None:
            return True
        membership = member.content.get("membership")
        left_alone = membership == "leave" and member.sender == person.user_id and key not in _MUST_STAY
        return membership not in ("join", "ban") and not left_alone

    async def _drafts(self, room: LiveRoom, person: Person) -> list[Draft]:
        user_id = person.user_id or ""
        if room.membership(user_id) == "join":
            return []
        join: Content = {"membership": "join", **await self._accounts.member_profile(user_id)}
        if room.join_rule == "restricted":
            # Members of the space may come; the node's account vouches (room version 8, rule 4.3.5).
            join["join_authorised_via_users_server"] = self._members.node_user_id
            return [Draft(room.room_id, user_id, "m.room.member", join, user_id)]
        invite = Draft(room.room_id, self._members.node_user_id, "m.room.member", {"membership": "invite"}, user_id)
        asked = [] if room.membership(user_id) == "invite" else [invite]
        return [*asked, Draft(room.room_id, user_id, "m.room.member", join, user_id)]
