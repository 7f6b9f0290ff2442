"""How many come to a gathering, household by household, whichever way they have said so. Pure rules.

- A person's word is their last one: a reaction, or what an officer has written down for them.
- What is written down for a household, with how many of it come, counts for everybody in it who has said nothing since.
- Whoever of them says later that they stay at home is taken off that number, unless there were more in the household
  than come; whoever says later that they come is among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.association.gatherings.answers import Answer, Said, latest


@dataclass(frozen=True, slots=True)
class Home:
    """One household: the persons of it who are asked, its written answer, and what they have said themselves."""

    household_id: str
    persons: tuple[str, ...]
    sheet: Said | None = None
    own: Mapping[str, Said] = field(default_factory=dict)

    def of(self, person_id: str) -> Said | None:
        """What holds for one person."""
        return latest(self.own.get(person_id), self.sheet)

    @property
    def last(self) -> Said | None:
        """The last word of anybody."""
        return latest(self.sheet, *self.own.values())

    @property
    def coming(self) -> int:
        """How many people come."""
        yes, no = self._later(Answer.ACCEPTED), self._later(Answer.DECLINED)
        if self.sheet is None or self.sheet.answer is not Answer.ACCEPTED:
            return yes
        left = max(self.sheet.people, len(self.persons)) - no
        return max(min(self.sheet.people, left), yes)

    @property
    def answer(self) -> Answer | None:
        """What the household says: it comes as soon as one of it does."""
        if self.coming:
            return Answer.ACCEPTED
        said = self.last
        return None if said is None else said.answer

    @property
    def is_written(self) -> bool:
        """Whether an officer has written down any of what holds."""
        return any(said is not None and said.is_written for said in map(self.of, self.persons))

    def _later(self, answer: Answer) -> int:
        since = -1 if self.sheet is None else self.sheet.position
        return sum(said.answer is answer and said.position > since for said in self.own.values())


@dataclass(frozen=True, slots=True)
class Figures:
    """``people`` come; ``homes`` are households by their answer, of ``total``; ``written`` of them told an officer."""

    people: int
    homes: Mapping[Answer, int]
    written: int
    total: int

    @property
    def unanswered(self) -> int:
        """Households that have said nothing."""
        return self.total - sum(self.homes.values())

    def as_content(self) -> dict[str, Any]:
        """As the room is told."""
        homes = {answer.value: count for answer, count in self.homes.items()}
        return {"people": self.people, "households": {**homes, "unanswered": self.unanswered}, "written": self.written}


def figures_of_homes(homes: Sequence[Home]) -> Figures:
    """All households together."""
    answers = [home.answer for home in homes]
    return Figures(
        sum(home.coming for home in homes), {answer: answers.count(answer) for answer in Answer},
        sum(home.is_written for home in homes), len(homes),
    )


def homes_of(asked: Mapping[str, Sequence[str]], person_of: Mapping[str, str], said: Iterable[Said]) -> list[Home]:
    """The households of one gathering in the order of ``asked`` (household id to the persons who are asked).

    ``person_of`` is who has which account. Whoever is not asked does not count.
    """
    sheets: dict[str, Said] = {}
    own: dict[str, Said] = {}
    for item in sorted(said, key=lambda word: word.position):
        if item.household_id:
            sheets[item.household_id] = item
        else:
            own[item.person_id or person_of.get(item.user_id, "")] = item
    return [
        Home(home, tuple(persons), sheets.get(home), {person: own[person] for person in persons if person in own})
        for home, persons in asked.items()
    ]
