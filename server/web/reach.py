"""Whom news reaches by itself, and whom not."""

from __future__ import annotations

from dataclasses import dataclass

from server.association.members.members import Members
from server.association.members.model import Channel, Household, Person
from server.notifications.pushers import Pushers


@dataclass(frozen=True, slots=True)
class Unreached:
    """A household in which no telephone rings, and its people."""

    block: str
    household: Household
    persons: tuple[Person, ...]


def unreached(members: Members, pushers: Pushers) -> list[Unreached]:
    """Households that want no paper and where nobody has a browser or an app that is told, in walking order."""
    found = []
    for home in members.households():
        persons = tuple(members.persons_at(home.id))
        if home.channel is not Channel.PAPER and persons and not any(rings(pushers, person) for person in persons):
            found.append(Unreached(members.block(home.block_id).name, home, persons))
    return found


def rings(pushers: Pushers, person: Person) -> bool:
    """Whether a telephone or browser of theirs is told of news."""
    return person.user_id is not None and bool(pushers.of(person.user_id))
