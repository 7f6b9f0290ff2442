"""One change of the roster, big or small: its rows, and what memory learns when they are committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from server.association.members import members_store as store
from server.association.members.model import Block, Group, Household, Person, Role
from server.association.members.register import Register
from server.association.members.rooms_store import put_due
from server.foundation.ids import random_letters
from server.storage.database import Writes


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What a committed change means for rooms: persons whose rooms may differ now (they are noted as due under
    ``mark``), those among them who have another name, whether rooms themselves come, go or are called otherwise, and
    whether offices change hands.
    """

    mark: str
    persons: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    rooms: bool = False
    offices: bool = False


class Edit:
    """Gathers changes; memory follows after the commit of ``writes``, in the same order."""

    def __init__(self, register: Register, writes: Writes | None = None) -> None:
        self.writes = writes if writes is not None else Writes()
        self._register = register
        self._persons: set[str] = set()
        self._renamed: set[str] = set()
        self._rooms = False
        self._offices = False

    def seal(self) -> RosterChange:
        """No more changes: note whose rooms must follow, and say what is going to be different. Call it once."""
        has_roles = any(self._register.roles_of(person_id) for person_id in self._persons)
        change = RosterChange(
            random_letters(8), frozenset(self._persons), frozenset(self._renamed), self._rooms,
            self._offices or has_roles,
        )
        for person_id in change.persons:
            put_due(self.writes, person_id, change.mark)
        return change

    def block(self, block: Block) -> None:
        """Enter or replace a block."""
        store.put_block(self.writes, block)
        self._rooms = True
        self._then(lambda: self._register.put_block(block))

    def household(self, home: Household) -> None:
        """Enter or replace a household."""
        store.put_household(self.writes, home)
        self._persons |= {person.id for person in self._register.at_home(home.id)}
        self._then(lambda: self._register.put_household(home))

    def person(self, person: Person) -> None:
        """Enter a person, or replace everything but the account."""
        store.put_person(self.writes, person)
        self._persons.add(person.id)
        if self._register.has_person(person.id) and self._register.person(person.id).name != person.name:
            self._renamed.add(person.id)
        self._then(lambda: self._put_person(person))

    def account(self, person_id: str, user_id: str | None) -> None:
        """Say whose account it is."""
        store.set_account(self.writes, person_id, user_id)
        self._persons.add(person_id)
        self._then(lambda: self._set_account(person_id, user_id))

    def group(self, group: Group) -> None:
        """Enter or replace a group."""
        store.put_group(self.writes, group)
        self._rooms = True
        self._then(lambda: self._register.put_group(group))

    def in_group(self, group_id: str, person_id: str, *, inside: bool) -> None:
        """Put a person into a group, or take them out."""
        (store.enter_group if inside else store.leave_group)(self.writes, group_id, person_id)
        self._persons.add(person_id)
        self._then(lambda: self._register.set_in_group(group_id, person_id, inside=inside))

    def leader(self, group_id: str, person_id: str, *, leads: bool) -> None:
        """Let a person look after a group, or no more."""
        store.set_leader(self.writes, group_id, person_id, leads=leads)
        self._offices = True
        self._then(lambda: self._register.set_leader(group_id, person_id, leads=leads))

    def give_role(self, person_id: str, role: Role, ts: int) -> None:
        """Give a role."""
        store.give_role(self.writes, person_id, role, ts)
        self._offices = True
        self._persons.add(person_id)
        self._then(lambda: self._set_roles(person_id, lambda held: held | {role}))

    def take_role(self, person_id: str, role: Role) -> None:
        """Take a role."""
        store.take_role(self.writes, person_id, role)
        self._persons.add(person_id)
        self._then(lambda: self._set_roles(person_id, lambda held: held - {role}))

    def drop_block(self, block_id: str) -> None:
        """Remove an empty block."""
        store.drop_block(self.writes, block_id)
        self._rooms = True
        self._then(lambda: self._register.drop_block(block_id))

    def drop_household(self, household_id: str) -> None:
        """Remove an empty household."""
        store.drop_household(self.writes, household_id)
        self._then(lambda: self._register.drop_household(household_id))

    def drop_person(self, person_id: str) -> None:
        """Erase a person."""
        store.drop_person(self.writes, person_id)
        self._persons.add(person_id)
        self._then(lambda: self._register.drop_person(person_id))

    def drop_group(self, group_id: str) -> None:
        """Remove a group."""
        store.drop_group(self.writes, group_id)
        self._persons |= {person.id for person in self._register.members_of_group(group_id)}
        self._rooms = True
        self._then(lambda: self._register.drop_group(group_id))

    def _then(self, apply: Callable[[], None]) -> None:
        self.writes.after_commit.append(apply)

    def _put_person(self, person: Person) -> None:
        # The account may have been attached while this change was on its way.
        known = self._register.person(person.id) if self._register.has_person(person.id) else person
        self._register.put_person(replace(person, user_id=known.user_id))

    def _set_account(self, person_id: str, user_id: str | None) -> None:
        if self._register.has_person(person_id):
            self._register.put_person(replace(self._register.person(person_id), user_id=user_id))

    def _set_roles(self, person_id: str, changed: Callable[[frozenset[Role]], frozenset[Role]]) -> None:
        self._register.set_roles(person_id, changed(self._register.roles_of(person_id)))
