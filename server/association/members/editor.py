"""Changing the roster: blocks, households, persons, groups, roles. Every verb names who does it and checks the right.

Rooms follow after the commit (``on_change``); should the node stop in between, they are put right at the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from server.association.members.edit import Edit, RosterChange
from server.association.members.members import Members
from server.association.members.model import Block, Channel, Group, Household, Person, Right, Role
from server.association.members.names import checked_name, checked_text, folded
from server.association.members.roster_words import is_one_name
from server.foundation.clock import Clock
from server.foundation.errors import InvalidParam, Refused
from server.foundation.ids import random_letters
from server.storage.database import Conflict, Database, Writes

OnChange = Callable[[RosterChange], Awaitable[None]]


class MemberEditor:
    """Verbs that change who belongs to the association. ``officer`` is a user id."""

    def __init__(self, database: Database, clock: Clock, members: Members) -> None:
        self._database = database
        self._clock = clock
        self._members = members
        self._turn = asyncio.Lock()
        self._listeners: list[OnChange] = []

    def on_change(self, listener: OnChange) -> None:
        """Await ``listener`` after each committed change, before it is answered."""
        self._listeners.append(listener)

    # ---- blocks ----------------------------------------------------------------------------------------------------

    async def add_block(self, officer: str, name: str) -> Block:
        """Add a block at the end of the walk; raises ``Refused`` where the name is taken."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            blocks = self._members.blocks()
            block = Block(new_id(), checked_name(name, "班の名前"), next_order(item.order for item in blocks))
            self._require_free(block.name, [item.name for item in blocks], "班")
            edit.block(block)
        return block

    async def change_block(
        self, officer: str, block_id: str, *, name: str | None = None, order: int | None = None
    ) -> None:
        """Rename a block, or give it another place in the walk."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            block = self._members.block(block_id)
            if name is not None:
                others = [item.name for item in self._members.blocks() if item.id != block_id]
                block = replace(block, name=checked_name(name, "班の名前"))
                self._require_free(block.name, others, "班")
            edit.block(replace(block, order=block.order if order is None else order))

    async def remove_block(self, officer: str, block_id: str) -> None:
        """Remove a block in which nobody lives."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            self._members.block(block_id)
            if any(home.block_id == block_id for home in self._members.households()):
                raise Refused("世帯がのこっている班は消せません")
            edit.drop_block(block_id)

    # ---- households ------------------------------------------------------------------------------------------------

    async def add_household(
        self, officer: str, block_id: str, name: str, *, number: str = "", channel: Channel = Channel.BOTH
    ) -> Household:
        """Add a household at the end of its block."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            block = self._members.block(block_id)
            orders = [home.order for home in self._members.households() if home.block_id == block.id]
            home = Household(
                new_id(), block.id, checked_name(name, "世帯の名前"), next_order(orders), channel,
                checked_text(number, "世帯番号", "number"),
            )
            self._require_free_key(home)
            edit.household(home)
        return home

    async def change_household(
        self, officer: str, household_id: str, *, block_id: str | None = None, name: str | None = None,
        number: str | None = None, order: int | None = None,
    ) -> None:
        """Correct a household, or move it to another block."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            old = self._members.household(household_id)
            home = replace(
                old,
                block_id=old.block_id if block_id is None else self._members.block(block_id).id,
                name=old.name if name is None else checked_name(name, "世帯の名前"),
                number=old.number if number is None else checked_text(number, "世帯番号", "number"),
                order=old.order if order is None else order,
            )
            self._require_free_key(home)
            edit.household(home)

    async def set_channel(self, officer: str, household_id: str, channel: Channel) -> None:
        """Choose paper, digital or both for a household. Somebody of the household may do that, too."""
        home = self._members.household(household_id)
        person = self._members.person_of_user(officer)
        if person is None or person.household_id != household_id:
            self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            home = self._members.household(household_id)
            edit.household(replace(home, channel=channel))

    async def remove_household(self, officer: str, household_id: str) -> None:
        """Remove a household that has no persons any more."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            self._members.household(household_id)
            if self._members.persons_at(household_id):
                raise Refused("人がのこっている世帯は消せません")
            edit.drop_household(household_id)

    # ---- persons ---------------------------------------------------------------------------------------------------

    async def add_person(
        self, officer: str, household_id: str, name: str, *, kana: str = "", phone: str = "", wants_paper: bool = False
    ) -> Person:
        """Add a person to a household; a name is enough (R113)."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            self._members.household(household_id)
            at_home = self._members.persons_at(household_id)
            person = Person(
                new_id(), household_id, checked_name(name, "氏名"), checked_text(kana, "ふりがな", "kana"), None,
                wants_paper, checked_text(phone, "電話", "phone"), next_order(item.order for item in at_home),
            )
            self._require_free(person.name, [item.name for item in at_home], "人")
            edit.person(person)
        return person

    async def change_person(
        self, officer: str, person_id: str, *, household_id: str | None = None, name: str | None = None,
        kana: str | None = None, phone: str | None = None, wants_paper: bool | None = None,
    ) -> None:
        """Correct a person, or move them to another household."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            old = self._members.person(person_id)
            person = replace(
                old,
                household_id=old.household_id if household_id is None else self._members.household(household_id).id,
                name=old.name if name is None else checked_name(name, "氏名"),
                kana=old.kana if kana is None else checked_text(kana, "ふりがな", "kana"),
                phone=old.phone if phone is None else checked_text(phone, "電話", "phone"),
                wants_paper=old.wants_paper if wants_paper is None else wants_paper,
            )
            others = [item.name for item in self._members.persons_at(person.household_id) if item.id != person.id]
            self._require_free(person.name, others, "人")
            edit.person(person)

    # ---- groups and roles ------------------------------------------------------------------------------------------

    async def add_group(self, officer: str, name: str) -> Group:
        """Add a group."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            group = self._new_group(name)
            edit.group(group)
        return group

    async def found_group(self, name: str, leader_id: str, also: Callable[[Group, Writes], None]) -> Group:
        """Add a group with who looks after it, and ``also`` in the same commit. Whether somebody may is asked by the
        caller (``groups/proposals.py``)."""
        async with self.editing() as edit:
            group, leader = self._new_group(name), self._members.person(leader_id)
            edit.group(group)
            edit.in_group(group.id, leader.id, inside=True)
            edit.leader(group.id, leader.id, leads=True)
            also(group, edit.writes)
        return group

    def _new_group(self, name: str) -> Group:
        groups = self._members.groups()
        group = Group(new_id(), checked_group_name(name), next_order(item.order for item in groups))
        self._require_free(group.name, [item.name for item in groups], "グループ")
        return group

    async def rename_group(self, officer: str, group_id: str, name: str) -> None:
        """Give a group another name."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            group = replace(self._members.group(group_id), name=checked_group_name(name))
            others = [item.name for item in self._members.groups() if item.id != group_id]
            self._require_free(group.name, others, "グループ")
            edit.group(group)

    async def remove_group(self, officer: str, group_id: str) -> None:
        """Remove a group; its members leave its room."""
        self._members.require(officer, Right.EDIT_ROSTER)
        self._members.group(group_id)
        async with self.editing() as edit:
            edit.drop_group(group_id)

    async def set_in_group(self, officer: str, group_id: str, person_id: str, *, inside: bool) -> None:
        """Put a person into a group, or take them out; who is out does not look after it either."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            group, person = self._members.group(group_id), self._members.person(person_id)
            edit.in_group(group.id, person.id, inside=inside)
            if not inside:
                edit.leader(group.id, person.id, leads=False)

    async def set_leader(self, officer: str, group_id: str, person_id: str, *, leads: bool) -> None:
        """Let a person look after a group, or no more; whoever does is in it."""
        self._members.require(officer, Right.EDIT_ROSTER)
        async with self.editing() as edit:
            group, person = self._members.group(group_id), self._members.person(person_id)
            if leads and group not in self._members.groups_of(person.id):
                edit.in_group(group.id, person.id, inside=True)
            edit.leader(group.id, person.id, leads=leads)

    async def give_role(self, officer: str, person_id: str, role: Role) -> None:
        """Give a role to a person."""
        self._members.require(officer, Right.GIVE_ROLES)
        async with self.editing() as edit:
            edit.give_role(self._members.person(person_id).id, role, self._clock.now_ms())

    async def take_role(self, officer: str, person_id: str, role: Role) -> None:
        """Take a role from a person; the last chair stays until there is another one."""
        self._members.require(officer, Right.GIVE_ROLES)
        async with self.editing() as edit:
            chairs = [person.id for person in self._members.register.with_role([Role.CHAIR])]
            if role is Role.CHAIR and chairs == [person_id]:
                raise Refused("会長がいなくなります。先に次の会長をきめてください")
            edit.take_role(self._members.person(person_id).id, role)

    # ---- what they have in common ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def editing(self) -> AsyncIterator[Edit]:
        """Nobody else changes the roster while the block decides; its edit is committed at the end, then rooms follow.

        For verbs beside this class (import, erasing), which have checked the right themselves.
        """
        async with self._turn:
            edit = Edit(self._members.register)
            yield edit
            if not edit.writes.rows:
                return
            change = await self._commit(edit)
        await self.tell(change)

    async def _commit(self, edit: Edit) -> RosterChange:
        change = edit.seal()
        try:
            await asyncio.shield(self._database.submit(edit.writes))
        except Conflict:
            raise Refused("ほかの人が同時に変えました。もう一度おねがいします", status=409) from None
        return change

    async def tell(self, change: RosterChange) -> None:
        """Let the rooms follow a change that was committed with other rows."""
        for listener in self._listeners:
            await listener(change)

    def _require_free(self, name: str, taken: list[str], what: str) -> None:
        if folded(name) in {folded(item) for item in taken}:
            raise Refused(f"同じ名前の{what}があります", status=409, field="name")

    def _require_free_key(self, home: Household) -> None:
        others = [item for item in self._members.households() if item.block_id == home.block_id and item.id != home.id]
        if folded(home.key) in {folded(item.key) for item in others}:
            raise Refused("同じ班に同じ世帯があります。世帯番号で区別してください", status=409, field="number")


def checked_group_name(text: str) -> str:
    """A name that can stand in a list of groups; raises ``InvalidParam``."""
    name = checked_name(text, "グループの名前")
    if not is_one_name(name):
        raise InvalidParam("グループの名前に「、」や「／」は使えません", field="name")
    return name


def new_id() -> str:
    """A name for a row that says nothing about anybody."""
    return random_letters(12)


def next_order(orders: Iterable[int]) -> int:
    """The place after all of ``orders``."""
    return max(orders, default=0) + 1
