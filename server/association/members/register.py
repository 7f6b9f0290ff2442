"""The roster (名簿) in memory, so that features ask about people without SQL. It holds only what is committed."""

from __future__ import annotations

from collections.abc import Iterable

from server.association.members.model import (
    OFFICER_ROLES,
    Audience,
    AudienceKind,
    Block,
    Group,
    Household,
    Person,
    Role,
)
from server.foundation.errors import NotFound


class Register:
    """All members. Changed by ``MemberEditor`` after its commits, by nobody else."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}
        self._households: dict[str, Household] = {}
        self._persons: dict[str, Person] = {}
        self._groups: dict[str, Group] = {}
        self._roles: dict[str, frozenset[Role]] = {}
        self._members_of_group: dict[str, set[str]] = {}
        self._leaders_of_group: dict[str, set[str]] = {}
        self._by_user: dict[str, str] = {}
        self._walk: list[Household] | None = None
        self._in_order: list[Person] | None = None
        self._at_home: dict[str, list[Person]] = {}

    # ---- one of them ---------------------------------------------------------------------------------------------

    def block(self, block_id: str) -> Block:
        """One block; raises ``NotFound``."""
        if block_id not in self._blocks:
            raise NotFound("その班は名簿にありません")
        return self._blocks[block_id]

    def household(self, household_id: str) -> Household:
        """One household; raises ``NotFound``."""
        if household_id not in self._households:
            raise NotFound("その世帯は名簿にありません")
        return self._households[household_id]

    def person(self, person_id: str) -> Person:
        """One person; raises ``NotFound``."""
        if person_id not in self._persons:
            raise NotFound("その人は名簿にありません")
        return self._persons[person_id]

    def group(self, group_id: str) -> Group:
        """One group; raises ``NotFound``."""
        if group_id not in self._groups:
            raise NotFound("そのグループは名簿にありません")
        return self._groups[group_id]

    def has_person(self, person_id: str) -> bool:
        """Whether the person is still on the roster."""
        return person_id in self._persons

    def of_user(self, user_id: str) -> Person | None:
        """Whose account this is."""
        person_id = self._by_user.get(user_id)
        return None if person_id is None else self._persons.get(person_id)

    def block_of(self, person_id: str) -> Block:
        """The block in which a person lives."""
        return self.block(self.household(self.person(person_id).household_id).block_id)

    def roles_of(self, person_id: str) -> frozenset[Role]:
        """The roles of a person."""
        return self._roles.get(person_id, frozenset())

    def groups_of(self, person_id: str) -> list[Group]:
        """The groups of a person."""
        return [group for group in self.groups() if person_id in self._members_of_group.get(group.id, ())]

    # ---- all of them ---------------------------------------------------------------------------------------------

    def blocks(self) -> list[Block]:
        """All blocks in walking order."""
        return sorted(self._blocks.values(), key=lambda block: (block.order, block.name))

    def groups(self) -> list[Group]:
        """All groups in their order."""
        return sorted(self._groups.values(), key=lambda group: (group.order, group.name))

    def households(self) -> list[Household]:
        """All households in walking order: block by block, door by door."""
        if self._walk is None:
            place = {block.id: number for number, block in enumerate(self.blocks())}
            self._walk = sorted(
                self._households.values(),
                key=lambda home: (place.get(home.block_id, len(place)), home.order, home.number, home.name),
            )
        return list(self._walk)

    def persons(self) -> list[Person]:
        """All persons in walking order."""
        if self._in_order is None:
            self._in_order = [person for home in self.households() for person in self.at_home(home.id)]
        return list(self._in_order)

    def at_home(self, household_id: str) -> list[Person]:
        """The persons of one household, in their order."""
        return sorted(self._at_home.get(household_id, ()), key=lambda person: (person.order, person.name))

    def members_of_group(self, group_id: str) -> list[Person]:
        """The members of a group in walking order."""
        chosen = self._members_of_group.get(group_id, set())
        return [person for person in self.persons() if person.id in chosen]

    def leaders_of_group(self, group_id: str) -> list[Person]:
        """Who looks after a group, in walking order: members of it only."""
        named = self._leaders_of_group.get(group_id, set())
        return [person for person in self.members_of_group(group_id) if person.id in named] if named else []

    def with_role(self, roles: Iterable[Role]) -> list[Person]:
        """Who holds one of ``roles``, in walking order."""
        wanted = frozenset(roles)
        holders = {person_id for person_id, held in self._roles.items() if wanted & held}
        return [person for person in self.persons() if person.id in holders] if holders else []

    def audience(self, audience: Audience) -> list[Person]:
        """The persons of an audience in walking order, each once; raises ``NotFound`` for a block or group that is
        gone."""
        if audience.kind is AudienceKind.EVERYONE:
            return self.persons()
        if audience.kind is AudienceKind.OFFICERS:
            return self.with_role(OFFICER_ROLES)
        if audience.kind is AudienceKind.BLOCKS:
            blocks = {self.block(block_id).id for block_id in audience.ids}
            return [person for person in self.persons() if self.household(person.household_id).block_id in blocks]
        chosen = {item for group_id in audience.ids for item in self._members_of_group.get(self.group(group_id).id, ())}
        return [person for person in self.persons() if person.id in chosen]

    # ---- changing ------------------------------------------------------------------------------------------------

    def put_block(self, block: Block) -> None:
        """Enter or replace a block."""
        self._blocks[block.id] = block
        self._forget_order()

    def put_household(self, household: Household) -> None:
        """Enter or replace a household."""
        self._households[household.id] = household
        self._forget_order()

    def put_person(self, person: Person) -> None:
        """Enter or replace a person."""
        self._take_out(person.id)
        self._persons[person.id] = person
        self._at_home.setdefault(person.household_id, []).append(person)
        if person.user_id is not None:
            self._by_user[person.user_id] = person.id
        self._in_order = None

    def put_group(self, group: Group) -> None:
        """Enter or replace a group."""
        self._groups[group.id] = group

    def set_roles(self, person_id: str, roles: Iterable[Role]) -> None:
        """Replace the roles of a person."""
        self._roles[person_id] = frozenset(roles)

    def set_in_group(self, group_id: str, person_id: str, *, inside: bool) -> None:
        """Put a person into a group, or take them out."""
        members = self._members_of_group.setdefault(group_id, set())
        if inside:
            members.add(person_id)
        else:
            members.discard(person_id)

    def set_leader(self, group_id: str, person_id: str, *, leads: bool) -> None:
        """Say whether a person looks after a group."""
        leaders = self._leaders_of_group.setdefault(group_id, set())
        if leads:
            leaders.add(person_id)
        else:
            leaders.discard(person_id)

    def drop_block(self, block_id: str) -> None:
        """Take an empty block out."""
        self._blocks.pop(block_id, None)
        self._forget_order()

    def drop_household(self, household_id: str) -> None:
        """Take an empty household out."""
        self._households.pop(household_id, None)
        self._at_home.pop(household_id, None)
        self._forget_order()

    def drop_person(self, person_id: str) -> None:
        """Take a person out, with roles and groups."""
        self._take_out(person_id)
        self._persons.pop(person_id, None)
        self._roles.pop(person_id, None)
        for members in (*self._members_of_group.values(), *self._leaders_of_group.values()):
            members.discard(person_id)
        self._in_order = None

    def drop_group(self, group_id: str) -> None:
        """Take a group out."""
        self._groups.pop(group_id, None)
        self._members_of_group.pop(group_id, None)
        self._leaders_of_group.pop(group_id, None)

    def _take_out(self, person_id: str) -> None:
        known = self._persons.get(person_id)
        if known is None:
            return
        self._at_home[known.household_id] = [
            person for person in self._at_home.get(known.household_id, []) if person.id != person_id
        ]
        if known.user_id is not None:
            self._by_user.pop(known.user_id, None)

    def _forget_order(self) -> None:
        self._walk = self._in_order = None
