"""The polls of a year: how many have answered each, and by which way. Reading only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.association.members.came_by import CameBy
from server.association.members.members import Members
from server.association.members.model import Right
from server.association.polls import polls_store as store
from server.association.polls.counting import Answer, count
from server.association.polls.model import Counting, Poll, State
from server.association.polls.results import PollResults
from server.storage.database import Database

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class PollFigures:
    """One poll: of ``total`` voices (persons or households) those that answered, in sum and by channel."""

    poll: Poll
    total: int
    answered: int
    by_channel: Mapping[CameBy, int]


@dataclass(frozen=True, slots=True)
class PollYear:
    """A year: its polls, and who has answered any of them in the app (ids of persons)."""

    figures: Sequence[PollFigures]
    active: frozenset[str]


async def polls_between(
    database: Database, members: Members, results: PollResults, officer: str, first_ms: int, last_ms: int
) -> PollYear:
    """The polls asked in a time, oldest first. Raises ``Forbidden``."""
    members.require(officer, Right.ASK_POLLS)
    found = await store.polls_in(database, [State.OPEN, State.CLOSED], _MOST, last_ms)
    figures, active = [], set()
    for poll in reversed([poll for poll in found if poll.created_ts >= first_ms]):
        answers = await store.answers_of(database, poll.id)
        counted = count(poll, await results.voters(poll), answers)
        is_home = poll.counting is Counting.HOUSEHOLD
        given = (counted.of_household if is_home else counted.of_person).values()
        tally = counted.households if is_home else counted.persons
        figures.append(PollFigures(poll, tally.total, tally.answered, _by_channel(given)))
        active |= {answer.voice.id for answer in answers
                   if answer.channel is CameBy.APP and answer.voice.unit is Counting.PERSON}
    return PollYear(figures, frozenset(active))


def _by_channel(answers: Iterable[Answer]) -> dict[CameBy, int]:
    found = dict.fromkeys(CameBy, 0)
    for answer in answers:
        found[answer.channel] += 1
    return found
