"""役員交代 (handover): who stops and who begins to hold an office on a chosen day. Values and pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.association.members.model import Role
from server.association.members.register import Register
from server.foundation.errors import Refused


class State(StrEnum):
    """The life of a handover. One that could not be carried out is ``STUCK``: nothing has changed."""

    DRAFTED = "drafted"
    DECIDED = "decided"
    DONE = "done"
    CANCELLED = "cancelled"
    STUCK = "stuck"

    @property
    def label(self) -> str:
        """The word that officers read."""
        return STATE_LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether something is still to come of it."""
        return self in (State.DRAFTED, State.DECIDED, State.STUCK)


STATE_LABELS: Final = {
    State.DRAFTED: "じゅんび中", State.DECIDED: "きまっています", State.DONE: "かわりました",
    State.CANCELLED: "とりやめました", State.STUCK: "できませんでした",
}
NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.DRAFTED: frozenset({State.DECIDED, State.CANCELLED}),
    State.DECIDED: frozenset({State.DRAFTED, State.DONE, State.STUCK, State.CANCELLED}),
    State.STUCK: frozenset({State.DRAFTED, State.CANCELLED}),
    State.DONE: frozenset(),
    State.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A person takes an office up (``gives``: they are given it), or gives it up."""

    person_id: str
    role: Role
    gives: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Times in ms since 1970; ``due_ts`` is midnight in Japan. ``trouble`` says why it is stuck."""

    id: str
    created_by: str
    created_ts: int
    due_ts: int
    state: State = State.DRAFTED
    done_ts: int | None = None
    trouble: str = ""
    changes: tuple[Change, ...] = ()

    def require(self, following: State) -> None:
        """Raise ``Refused`` (409) unless it may become ``following``."""
        if following not in NEXT[self.state]:
            raise Refused(f"この役員交代は、いま「{self.state.label}」です。", status=409)


Offices = dict[str, frozenset[Role]]


def offices_of(register: Register) -> Offices:
    """Who holds which offices now, in walking order."""
    return {person.id: register.roles_of(person.id) for person in register.with_role(Role)}


def offices_after(register: Register, changes: Iterable[Change]) -> Offices:
    """Who will hold which; whoever is not on the roster any more holds none."""
    held = offices_of(register)
    for change in changes:
        if register.has_person(change.person_id):
            before = held.get(change.person_id, frozenset())
            held[change.person_id] = before | {change.role} if change.gives else before - {change.role}
    return {person.id: held[person.id] for person in register.persons() if held.get(person.id)}


def effective(register: Register, changes: Iterable[Change]) -> list[Change]:
    """The changes that still change something."""
    return [
        change for change in changes
        if register.has_person(change.person_id)
        and (change.role in register.roles_of(change.person_id)) is not change.gives
    ]


def require_possible(register: Register, changes: Iterable[Change]) -> None:
    """Raise ``Refused`` where nothing would change, or nobody would be left who can hand on again: a chair with an
    account."""
    known = list(changes)
    if not effective(register, known):
        raise Refused("まだ だれも かわっていません。おわる人か、新しい人を えらんでください")
    chairs = [person_id for person_id, roles in offices_after(register, known).items() if Role.CHAIR in roles]
    if not chairs:
        raise Refused("会長がいなくなります。先に次の会長をきめてください")
    if not any(register.person(person_id).user_id for person_id in chairs):
        raise Refused("次の会長が まだ 登録していません。先に 招待カードを わたしてください")
