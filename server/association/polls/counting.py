"""Which answer counts, and how answers add up. Pure rules.

- A person's answer is their last one. A number as a reaction is laid beside what was chosen before where several
  choices may be taken, and takes its place where only one may.
- What is written down for a household (a sheet of paper) counts for everybody in it who has said nothing since.
- A household's answer is the latest one given by a person of it or on paper for it.
- An empty answer takes back what the same person (or the same sheet) had said. What was said after the end is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from server.association.members.came_by import CameBy
from server.association.polls.model import Counting, Poll


class Voice(NamedTuple):
    """Whose answer it is: a person's or a household's."""

    unit: Counting
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; ``place`` numbers a poll's answers as they came. ``adds``: a reaction, which may stand beside others.
    ``entered_by`` is the officer who wrote it down for somebody."""

    id: str
    voice: Voice
    place: int
    ts: int
    chosen: tuple[str, ...]
    adds: bool = False
    channel: CameBy = CameBy.APP
    entered_by: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """By time, as MSC3381 has it; in the same millisecond as they came."""
        return self.ts, self.place


@dataclass(frozen=True, slots=True)
class Voter:
    """One person of the audience and where they live."""

    person_id: str
    household_id: str
    block_id: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes by choice id; ``answered`` and ``unanswered`` add up to ``total``."""

    votes: Mapping[str, int]
    answered: int
    total: int

    @property
    def unanswered(self) -> int:
        """Who has not said anything."""
        return self.total - self.answered

    def as_content(self) -> dict[str, Any]:
        """As the result carries it."""
        return {"votes": dict(self.votes), "answered": self.answered, "unanswered": self.unanswered,
                "total": self.total}


@dataclass(frozen=True, slots=True)
class Count:
    """A poll counted both ways; the answers are those that hold, by person and by household."""

    persons: Tally
    households: Tally
    of_person: Mapping[str, Answer]
    of_household: Mapping[str, Answer]

    def tally(self, unit: Counting) -> Tally:
        """One of the two."""
        return self.persons if unit is Counting.PERSON else self.households


def standing_answers(poll: Poll, answers: Iterable[Answer]) -> dict[Voice, Answer]:
    """What holds of everybody's answers; one that chooses nothing stands where something was taken back."""
    found: dict[Voice, Answer] = {}
    for answer in sorted(answers, key=lambda item: item.order):
        if poll.closed_ts is None or answer.ts <= poll.closed_ts:
            before = found.get(answer.voice)
            found[answer.voice] = replace(answer, chosen=_laid_upon(poll, answer, before))
    return found


def _laid_upon(poll: Poll, answer: Answer, before: Answer | None) -> tuple[str, ...]:
    if not answer.adds or before is None:
        return answer.chosen
    kept = tuple(choice for choice in before.chosen if choice not in answer.chosen)
    return (kept + answer.chosen)[-poll.most:]


def answer_of_person(voter: Voter, standing: Mapping[Voice, Answer]) -> Answer | None:
    """What holds for one person: their own word or their household's sheet, whichever is later."""
    own = standing.get(Voice(Counting.PERSON, voter.person_id))
    sheet = standing.get(Voice(Counting.HOUSEHOLD, voter.household_id))
    if sheet is not None and not sheet.chosen:
        sheet = None  # a sheet taken back is as if it had never come
    last = max((answer for answer in (own, sheet) if answer is not None), key=lambda item: item.order, default=None)
    return last if last is not None and last.chosen else None


def answer_of_household(voters: Sequence[Voter], standing: Mapping[Voice, Answer]) -> Answer | None:
    """What holds for one household: the latest word of any of ``voters``, who live there, or of its sheet."""
    voices = [Voice(Counting.PERSON, voter.person_id) for voter in voters]
    voices += [Voice(Counting.HOUSEHOLD, home) for home in {voter.household_id for voter in voters}]
    given = [standing[voice] for voice in voices if voice in standing and standing[voice].chosen]
    return max(given, key=lambda item: item.order, default=None)


def tally(poll: Poll, answers: Iterable[Answer], total: int) -> Tally:
    """Count the answers that hold, at most one a voter, of ``total`` voters."""
    given = list(answers)
    votes = {choice.id: sum(choice.id in answer.chosen for answer in given) for choice in poll.choices}
    return Tally(votes, len(given), total)


def count(poll: Poll, voters: Sequence[Voter], answers: Iterable[Answer]) -> Count:
    """Count a poll per person and per household. Who is not among ``voters`` does not count."""
    standing = standing_answers(poll, answers)
    homes: dict[str, list[Voter]] = {}
    for voter in voters:
        homes.setdefault(voter.household_id, []).append(voter)
    of_person = _present({voter.person_id: answer_of_person(voter, standing) for voter in voters})
    of_household = _present({home: answer_of_household(people, standing) for home, people in homes.items()})
    persons = {voter.person_id for voter in voters}
    return Count(tally(poll, of_person.values(), len(persons)), tally(poll, of_household.values(), len(homes)),
                 of_person, of_household)


def _present(found: Mapping[str, Answer | None]) -> dict[str, Answer]:
    return {key: answer for key, answer in found.items() if answer is not None}
