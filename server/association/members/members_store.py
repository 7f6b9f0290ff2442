"""Tables ``blocks``, ``households``, ``persons``, ``roles``, ``member_groups``, and who is in them and leads them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, bindparam, delete, select, update

from server.association.members.model import Block, Channel, Group, Household, Person, Role
from server.association.members.register import Register
from server.storage.database import Database, Writes, metadata
from server.storage.upsert import upsert

blocks: Final = Table(
    "blocks", metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("place", BigInteger, nullable=False),
)
households: Final = Table(
    "households", metadata,
    Column("id", Text, primary_key=True),
    Column("block_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
)
persons: Final = Table(
    "persons", metadata,
    Column("id", Text, primary_key=True),
    Column("household_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kana", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("wants_paper", Integer, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("user_id", Text, unique=True),
)
roles: Final = Table(
    "roles", metadata,
    Column("person_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("since_ts", BigInteger, nullable=False),
)
member_groups: Final = Table(
    "member_groups", metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("place", BigInteger, nullable=False),
)
group_members: Final = Table(
    "group_members", metadata,
    Column("group_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
)
group_leaders: Final = Table(
    "group_leaders", metadata,
    Column("group_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
)

_PUT_BLOCK: Final = upsert(blocks)
_PUT_HOUSEHOLD: Final = upsert(households)
# Whose account it is has a verb of its own; a correction of a name must not undo it.
_PUT_PERSON: Final = upsert(
    persons, replace=("household_id", "name", "kana", "phone", "wants_paper", "place")
)
_ATTACH: Final = update(persons).where(persons.c.id == bindparam("who")).values(user_id=bindparam("account"))
_PUT_GROUP: Final = upsert(member_groups)
_GIVE_ROLE: Final = upsert(roles, replace=())
_TAKE_ROLE: Final = delete(roles).where(roles.c.person_id == bindparam("who"), roles.c.role == bindparam("which"))
_ENTER_GROUP: Final = upsert(group_members, replace=())
_LEAVE_GROUP: Final = delete(group_members).where(
    group_members.c.group_id == bindparam("which"), group_members.c.person_id == bindparam("who")
)
_NAME_LEADER: Final = upsert(group_leaders, replace=())
_UNNAME_LEADER: Final = delete(group_leaders).where(
    group_leaders.c.group_id == bindparam("which"), group_leaders.c.person_id == bindparam("who")
)
_DROP_LEADER: Final = delete(group_leaders).where(group_leaders.c.person_id == bindparam("who"))
_DROP_LEADERS: Final = delete(group_leaders).where(group_leaders.c.group_id == bindparam("which"))
_DROP_BLOCK: Final = delete(blocks).where(blocks.c.id == bindparam("which"))
_DROP_HOUSEHOLD: Final = delete(households).where(households.c.id == bindparam("which"))
_DROP_PERSON: Final = delete(persons).where(persons.c.id == bindparam("who"))
_DROP_ROLES: Final = delete(roles).where(roles.c.person_id == bindparam("who"))
_DROP_FROM_GROUPS: Final = delete(group_members).where(group_members.c.person_id == bindparam("who"))
_EMPTY_GROUP: Final = delete(group_members).where(group_members.c.group_id == bindparam("which"))
_DROP_GROUP: Final = delete(member_groups).where(member_groups.c.id == bindparam("which"))


async def load_register(database: Database) -> Register:
    """The whole roster."""
    register = Register()
    for row in await database.fetch_all(select(blocks)):
        register.put_block(Block(row.id, row.name, row.place))
    for row in await database.fetch_all(select(households)):
        register.put_household(
            Household(row.id, row.block_id, row.name, row.place, Channel(row.channel), row.number)
        )
    for row in await database.fetch_all(select(persons)):
        register.put_person(_as_person(row))
    for row in await database.fetch_all(select(member_groups)):
        register.put_group(Group(row.id, row.name, row.place))
    for row in await database.fetch_all(select(group_members)):
        register.set_in_group(row.group_id, row.person_id, inside=True)
    for row in await database.fetch_all(select(group_leaders)):
        register.set_leader(row.group_id, row.person_id, leads=True)
    for row in await database.fetch_all(select(roles)):
        register.set_roles(row.person_id, register.roles_of(row.person_id) | {Role(row.role)})
    return register


def put_block(writes: Writes, block: Block) -> None:
    """Store a block."""
    writes.add(_PUT_BLOCK, {"id": block.id, "name": block.name, "place": block.order})


def put_household(writes: Writes, home: Household) -> None:
    """Store a household."""
    writes.add(_PUT_HOUSEHOLD, {
        "id": home.id, "block_id": home.block_id, "name": home.name, "number": home.number, "place": home.order,
        "channel": home.channel.value,
    })


def put_person(writes: Writes, person: Person) -> None:
    """Store a person; the account of somebody who is there already stays as it is."""
    writes.add(_PUT_PERSON, {
        "id": person.id, "household_id": person.household_id, "name": person.name, "kana": person.kana,
        "phone": person.phone, "wants_paper": int(person.wants_paper), "place": person.order,
        "user_id": person.user_id,
    })


def set_account(writes: Writes, person_id: str, user_id: str | None) -> None:
    """Store whose account it is."""
    writes.add(_ATTACH, {"who": person_id, "account": user_id})


def put_group(writes: Writes, group: Group) -> None:
    """Store a group."""
    writes.add(_PUT_GROUP, {"id": group.id, "name": group.name, "place": group.order})


def give_role(writes: Writes, person_id: str, role: Role, ts: int) -> None:
    """Store that a person holds a role since ``ts``; an older date stays."""
    writes.add(_GIVE_ROLE, {"person_id": person_id, "role": role.value, "since_ts": ts})


def take_role(writes: Writes, person_id: str, role: Role) -> None:
    """Store that a person holds a role no more."""
    writes.add(_TAKE_ROLE, {"who": person_id, "which": role.value})


def enter_group(writes: Writes, group_id: str, person_id: str) -> None:
    """Store that a person belongs to a group."""
    writes.add(_ENTER_GROUP, {"group_id": group_id, "person_id": person_id})


def leave_group(writes: Writes, group_id: str, person_id: str) -> None:
    """Store that a person belongs to a group no more."""
    writes.add(_LEAVE_GROUP, {"which": group_id, "who": person_id})


def set_leader(writes: Writes, group_id: str, person_id: str, *, leads: bool) -> None:
    """Store whether a person looks after a group."""
    if leads:
        writes.add(_NAME_LEADER, {"group_id": group_id, "person_id": person_id})
    else:
        writes.add(_UNNAME_LEADER, {"which": group_id, "who": person_id})


def drop_block(writes: Writes, block_id: str) -> None:
    """Remove an empty block."""
    writes.add(_DROP_BLOCK, {"which": block_id})


def drop_household(writes: Writes, household_id: str) -> None:
    """Remove an empty household."""
    writes.add(_DROP_HOUSEHOLD, {"which": household_id})


def drop_person(writes: Writes, person_id: str) -> None:
    """Remove everything that these tables know of a person."""
    writes.add(_DROP_ROLES, {"who": person_id})
    writes.add(_DROP_FROM_GROUPS, {"who": person_id})
    writes.add(_DROP_LEADER, {"who": person_id})
    writes.add(_DROP_PERSON, {"who": person_id})


def drop_group(writes: Writes, group_id: str) -> None:
    """Remove a group; its members stay members of the association."""
    writes.add(_EMPTY_GROUP, {"which": group_id})
    writes.add(_DROP_LEADERS, {"which": group_id})
    writes.add(_DROP_GROUP, {"which": group_id})


def _as_person(row: Any) -> Person:
    return Person(
        row.id, row.household_id, row.name, row.kana, row.user_id, bool(row.wants_paper), row.phone, row.place
    )
