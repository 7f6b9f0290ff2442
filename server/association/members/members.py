"""The members service: what features and doors ask about people. Everything is answered from memory, without SQL."""

from __future__ import annotations

import asyncio
from typing import Final

from server.association.members.access_log_store import Look, add_look, looks
from server.association.members.members_store import load_register
from server.association.members.model import (
    OFFICER_ROLES,
    Audience,
    AudienceKind,
    Block,
    Channel,
    Group,
    Household,
    Person,
    Purpose,
    Right,
    Role,
    effective_channel,
    rights_in_block,
    rights_of,
)
from server.association.members.register import Register
from server.association.members.room_book import RoomBook, block_key, group_key
from server.association.members.rooms_store import load_rooms
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden
from server.foundation.ids import random_letters
from server.storage.database import Database, Writes

NODE_LOCALPART: Final = "kairan"
_MAX_LOOK_CHARACTERS: Final = 200


class Members:
    """Who belongs to the association. ``await open()`` once before use.

    ``register`` and ``rooms`` are what is committed; only ``MemberEditor`` and ``AssociationRooms`` change them.
    """

    def __init__(self, database: Database, clock: Clock, server_name: str) -> None:
        self._database = database
        self._clock = clock
        self.node_user_id = f"@{NODE_LOCALPART}:{server_name}"
        self.register = Register()
        self.rooms = RoomBook()

    async def open(self) -> None:
        """Load the roster and the list of rooms."""
        self.register = await load_register(self._database)
        self.rooms = await load_rooms(self._database)

    # ---- people ----------------------------------------------------------------------------------------------------

    def person_of_user(self, user_id: str) -> Person | None:
        """Whose account this is."""
        return self.register.of_user(user_id)

    def person(self, person_id: str) -> Person:
        """One person; raises ``NotFound``."""
        return self.register.person(person_id)

    def persons(self) -> list[Person]:
        """All persons in walking order."""
        return self.register.persons()

    def household(self, household_id: str) -> Household:
        """One household; raises ``NotFound``."""
        return self.register.household(household_id)

    def households(self) -> list[Household]:
        """All households in walking order."""
        return self.register.households()

    def persons_at(self, household_id: str) -> list[Person]:
        """The persons of one household."""
        return self.register.at_home(household_id)

    def block(self, block_id: str) -> Block:
        """One block; raises ``NotFound``."""
        return self.register.block(block_id)

    def block_of(self, person_id: str) -> Block:
        """The block in which a person lives; raises ``NotFound``."""
        return self.register.block_of(person_id)

    def blocks(self) -> list[Block]:
        """All blocks in walking order."""
        return self.register.blocks()

    def group(self, group_id: str) -> Group:
        """One group; raises ``NotFound``."""
        return self.register.group(group_id)

    def groups(self) -> list[Group]:
        """All groups."""
        return self.register.groups()

    def groups_of(self, person_id: str) -> list[Group]:
        """The groups of a person."""
        return self.register.groups_of(person_id)

    def audience(self, audience: Audience) -> list[Person]:
        """The persons of an audience in walking order, each once; raises ``NotFound`` for a block or group that is
        gone."""
        return self.register.audience(audience)

    def describe(self, audience: Audience) -> str:
        """An audience in words; raises ``NotFound`` like ``audience``."""
        blocks = {block.id: block.name for block in self.blocks()}
        groups = {group.id: group.name for group in self.groups()}
        return audience.describe(lambda item: blocks.get(item) or groups.get(item) or "（なくなった宛先）")

    def is_in(self, user_id: str, audience: Audience) -> bool:
        """Whether the audience reaches this account."""
        person = self.person_of_user(user_id)
        if person is None or audience.kind is AudienceKind.EVERYONE:
            return person is not None
        if audience.kind is AudienceKind.OFFICERS:
            return bool(self.roles_of(person.id) & OFFICER_ROLES)
        if audience.kind is AudienceKind.BLOCKS:
            return self.household(person.household_id).block_id in audience.ids
        return any(group.id in audience.ids for group in self.groups_of(person.id))

    def channel_of(self, household_id: str) -> Channel:
        """How the household is really reached: see ``effective_channel``."""
        return effective_channel(self.household(household_id), self.persons_at(household_id))

    # ---- rights ----------------------------------------------------------------------------------------------------

    def roles_of(self, person_id: str) -> frozenset[Role]:
        """The roles of a person."""
        return self.register.roles_of(person_id)

    def roles_of_user(self, user_id: str) -> frozenset[Role]:
        """The roles of whoever has this account."""
        person = self.person_of_user(user_id)
        return frozenset() if person is None else self.roles_of(person.id)

    def offices_of(self, person_id: str) -> str:
        """The roles of a person in words: 会長・班長."""
        held = self.roles_of(person_id)
        return "・".join(role.label for role in Role if role in held)

    def is_officer(self, user_id: str) -> bool:
        """Whether the account belongs to an officer (会長, 役員, 班長, デジタル担当) or is the node's own."""
        return user_id == self.node_user_id or bool(self.roles_of_user(user_id) & OFFICER_ROLES)

    def may(self, user_id: str, right: Right, block_id: str | None = None) -> bool:
        """Whether an account may do something: everywhere, or only in one block if ``block_id`` is given."""
        if user_id == self.node_user_id:
            return True
        person = self.person_of_user(user_id)
        if person is None:
            return False
        roles = self.roles_of(person.id)
        if block_id is None:
            return right in rights_of(roles)
        return right in rights_in_block(roles, is_own_block=self.block_of(person.id).id == block_id)

    def blocks_with(self, user_id: str, right: Right) -> list[Block]:
        """The blocks in which an account may do something."""
        return [block for block in self.blocks() if self.may(user_id, right, block.id)]

    def require(self, user_id: str, right: Right, block_id: str | None = None) -> None:
        """Raise ``Forbidden`` unless ``may``."""
        if not self.may(user_id, right, block_id):
            raise Forbidden("この操作は、担当の役員だけができます", detail=right.value)

    def may_for(self, user_id: str, right: Right, audience: Audience) -> bool:
        """Whether the account may do something for this audience: in each of its blocks, or for all."""
        if audience.kind is AudienceKind.BLOCKS:
            return all(self.may(user_id, right, block_id) for block_id in audience.ids)
        return self.may(user_id, right)

    def require_for(self, user_id: str, right: Right, audience: Audience) -> None:
        """Raise ``Forbidden`` unless ``may_for``, ``NotFound`` for a block that is gone."""
        if audience.kind is AudienceKind.BLOCKS:
            for block_id in audience.ids:
                self.require(user_id, right, self.block(block_id).id)
        else:
            self.require(user_id, right)

    # ---- rooms -----------------------------------------------------------------------------------------------------

    def hall_room(self, purpose: Purpose) -> str:
        """One of the association's rooms; raises ``NotFound`` before they are set up."""
        return self.rooms.hall(purpose)

    def block_room(self, block_id: str) -> str | None:
        """The room of a block."""
        return self.rooms.find(block_key(block_id))

    def group_room(self, group_id: str) -> str | None:
        """The room of a group."""
        return self.rooms.find(group_key(group_id))

    def desk_room_of(self, person_id: str) -> str | None:
        """A resident's own 窓口; ``None`` for somebody without an account."""
        return self.rooms.desk_of(person_id)

    def person_of_desk_room(self, room_id: str) -> Person | None:
        """Whose 窓口 this room is."""
        person_id = self.rooms.person_of_desk(room_id)
        return self.register.person(person_id) if person_id and self.register.has_person(person_id) else None

    def rooms_for(self, audience: Audience, among_all: Purpose = Purpose.CIRCULARS) -> list[str]:
        """The rooms in which something for ``audience`` is said; for everyone it is ``among_all``.

        Raises ``NotFound`` where there is no such room.
        """
        return self.rooms.rooms_for(audience, among_all)

    # ---- who looked ------------------------------------------------------------------------------------------------

    async def log_look(self, viewer: str, what: str) -> None:
        """Keep that ``viewer`` looked at ``what`` of the roster: a page, a block, a file; never a person's name."""
        writes = Writes()
        look = Look(random_letters(16), self._clock.now_ms(), viewer, what[:_MAX_LOOK_CHARACTERS])
        add_look(writes, look)
        await asyncio.shield(self._database.submit(writes))

    async def looks(self, viewer: str, limit: int = 200) -> list[Look]:
        """Who looked lately, newest first. Every member may ask (R117; own your data)."""
        if self.person_of_user(viewer) is None:
            self.require(viewer, Right.SEE_ACCESS_LOG)
        return await looks(self._database, limit)
