"""桜町町内会: 60 households of made-up people in six blocks, who holds office, and who has an account."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from server.assembly import Node
from server.association.members.made_up_people import MadeUpHousehold, households
from server.association.members.model import Person, Role
from server.demo.settling import Row, give_accounts, take_in_roster

NAME: Final = "桜町町内会"
_BLOCKS: Final = ("1班", "2班", "3班", "4班", "5班", "6班")
_HOMES_A_BLOCK: Final = 10
_SEED: Final = "桜町"
# By household and person; in every block the second household leads it.
_OFFICES: Final = {
    (0, 0): "会長", (13, 0): "副会長", (25, 0): "会計", (37, 1): "デジタル担当", (48, 1): "書記", (30, 1): "補助",
}
_LEADER_OF_BLOCK: Final = 1
_PAPER_EVERY: Final = 5
_GROUPS: Final = ("子ども会", "防災部", "さくら体操")


@dataclass(frozen=True, slots=True)
class Login:
    """Whom one can be in the demo. ``role`` is what they are in the association."""

    localpart: str
    password: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Town:
    """The people whom the rest of the seeding needs. ``paper`` is somebody without an account."""

    logins: Sequence[Login]
    chair: Person
    officer: Person
    leader: Person
    resident: Person
    paper: Person


async def settle_town(node: Node, new_password: str) -> Town:
    """Roster, offices, groups, accounts. Everybody who is shown as a login gets ``new_password``."""
    await take_in_roster(node, list(roster()))
    persons = node.association.members.persons()
    town = _town(node, persons, new_password)
    names = {
        person.id: (login.localpart, login.password)
        for login, person in zip(town.logins, [town.chair, town.leader, town.resident], strict=True)
    }
    chance = random.Random(_SEED)  # noqa: S311 - nothing here is secret
    with_account = [person for person in persons if person.id in names or _has_account(node, person, chance)]
    await give_accounts(node, with_account, lambda _done: None, names)
    return _town(node, node.association.members.persons(), new_password)


def roster() -> Iterator[Row]:
    """The lines of the roster file."""
    found = households(_SEED)
    for number in range(len(_BLOCKS) * _HOMES_A_BLOCK):
        yield from _lines_of(number, next(home for home in found if _fits(number, home)))


def _fits(number: int, home: MadeUpHousehold) -> bool:
    """Whether there is somebody for the office that this household is to hold."""
    return all(place < len(home.persons) for house, place in _OFFICES if house == number)


def _lines_of(number: int, home: MadeUpHousehold) -> Iterator[Row]:
    for place, person in enumerate(home.persons):
        office = _OFFICES.get((number, place), "")
        if number % _HOMES_A_BLOCK == _LEADER_OF_BLOCK and place == 0:
            office = "班長"
        yield {
            "班": _BLOCKS[number // _HOMES_A_BLOCK], "世帯番号": str(number + 1), "世帯": home.family,
            "氏名": person.name, "ふりがな": person.kana, "役職": office,
            "連絡方法": "紙" if _is_on_paper(number) else "両方",
            "グループ": _GROUPS[(number + place) % len(_GROUPS)] if (number + 2 * place) % 4 == 0 else "",
        }


def _is_on_paper(number: int) -> bool:
    has_office = any(house == number for house, _ in _OFFICES) or number % _HOMES_A_BLOCK == _LEADER_OF_BLOCK
    return number % _PAPER_EVERY == 4 and not has_office


def _has_account(node: Node, person: Person, chance: random.Random) -> bool:
    """Paper households have none; elsewhere one person at least, and most of the others."""
    members = node.association.members
    home = members.household(person.household_id)
    if _is_on_paper(int(home.number) - 1):
        return False
    is_first = members.persons_at(home.id)[0].id == person.id
    return is_first or bool(members.roles_of(person.id)) or chance.random() < 0.7


def _town(node: Node, persons: Sequence[Person], password: str) -> Town:
    members = node.association.members
    chair = _first(members.register.with_role([Role.CHAIR]))
    leader = _first(members.register.with_role([Role.BLOCK_LEADER]))
    officer = _first(members.register.with_role([Role.OFFICER]))
    quiet = [person for person in persons if not members.roles_of(person.id)]
    paper = _first([item for item in quiet if _is_on_paper(int(members.household(item.household_id).number) - 1)])
    taken = {person.household_id for person in (chair, leader, officer, paper)}
    resident = _first([item for item in quiet if item.household_id not in taken])
    return Town(
        (
            Login("kaicho", password, chair.name, "会長"), Login("hancho", password, leader.name, "班長"),
            Login("jumin", password, resident.name, "住民"),
        ),
        chair, officer, leader, resident, paper,
    )


def _first(persons: Sequence[Person]) -> Person:
    if not persons:
        raise ValueError("the made-up roster lacks somebody")
    return persons[0]
