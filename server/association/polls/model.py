"""The words of a poll: what is asked, whose answer counts, and how a poll lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.association.members.model import Audience
from server.foundation.errors import InvalidParam
from server.rooms.numbered_answers import folded, number_of_key, numbers_in
from server.rooms.poll_events import Choice

Content = dict[str, Any]

MAX_QUESTION: Final = 340  # what Element allows; MSC3381 leaves it open
MAX_CHOICE: Final = 200
FEWEST_CHOICES: Final = 2
MOST_CHOICES: Final = 20  # MSC3381: clients cut off what is more


class State(StrEnum):
    """The life of a poll."""

    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


# Withdrawn is a resident's own poll whose question was deleted in the room.
NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.OPEN: frozenset({State.CLOSED, State.WITHDRAWN}),
    State.CLOSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


class Counting(StrEnum):
    """Who has a voice: every person, or every household once."""

    PERSON = "person"
    HOUSEHOLD = "household"

    @property
    def label(self) -> str:
        """The word for forms."""
        return {"person": "ひとりずつ", "household": "世帯ごと"}[self.value]

    @property
    def counter(self) -> str:
        """What stands behind a figure: 3人, 2世帯."""
        return {"person": "人", "household": "世帯"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an officer asks. Up to ``most`` choices may be taken; ``disclosed``: residents see figures before the end;
    ``deadline`` in milliseconds since 1970."""

    text: str
    choices: tuple[str, ...]
    audience: Audience
    most: int = 1
    disclosed: bool = True
    counting: Counting = Counting.PERSON
    deadline: int | None = None

    def check(self, now_ms: int) -> None:
        """Raise ``InvalidParam`` where it can be no poll."""
        if not 1 <= len(one_line(self.text)) <= MAX_QUESTION:
            raise InvalidParam(f"質問を1字から{MAX_QUESTION}字で書いてください", field="question")
        if not FEWEST_CHOICES <= len(self.choices) <= MOST_CHOICES:
            raise InvalidParam(f"こたえを{FEWEST_CHOICES}つから{MOST_CHOICES}まで書いてください", field="choices")
        if not all(1 <= len(one_line(choice)) <= MAX_CHOICE for choice in self.choices):
            raise InvalidParam(f"こたえは、ひとつを1字から{MAX_CHOICE}字で書いてください", field="choices")
        if len({folded(one_line(choice)) for choice in self.choices}) < len(self.choices):
            raise InvalidParam("同じこたえが2つあります", field="choices")
        if not 1 <= self.most <= len(self.choices):
            raise InvalidParam("選べる数が、選択肢の数に合いません")
        if self.deadline is not None and not now_ms < self.deadline < 2**53:
            raise InvalidParam("締め切りは、これからの日時にしてください", field="deadline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll. Times are milliseconds since 1970. A ``native`` one was made by a resident in a Matrix client."""

    id: str
    question: str
    choices: tuple[Choice, ...]
    most: int
    disclosed: bool
    audience: Audience
    issuer: str
    created_ts: int
    state: State = State.OPEN
    deadline: int | None = None
    closed_ts: int | None = None
    counting: Counting = Counting.PERSON
    native: bool = False

    def as_content(self) -> Content:
        """What the question carries beside its readable text (``docs/events/jp.kairan.poll.md``)."""
        content: Content = {
            "id": self.id, "question": self.question, "most": self.most, "counting": self.counting.value,
            "disclosed": self.disclosed, "choices": [{"id": choice.id, "text": choice.text} for choice in self.choices],
            "audience": self.audience.as_json(), "issuer": self.issuer, "created_ts": self.created_ts,
        }
        if self.deadline is not None:
            content["deadline"] = self.deadline
        return content

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Poll:
        """Read that; raises ``InvalidParam``, ``KeyError``, ``ValueError``, ``TypeError`` or ``AttributeError``."""
        deadline = content.get("deadline")
        return cls(
            id=str(content["id"]), question=str(content["question"]), most=int(content["most"]),
            choices=tuple(Choice(str(choice["id"]), str(choice["text"])) for choice in content["choices"]),
            disclosed=bool(content["disclosed"]), counting=Counting(content.get("counting", Counting.PERSON)),
            audience=Audience.from_json(content["audience"]), issuer=str(content["issuer"]),
            created_ts=int(content["created_ts"]), deadline=None if deadline is None else int(deadline),
        )

    @property
    def is_open(self) -> bool:
        """Whether it has not been ended. Its deadline may have come all the same: ``is_over_at``."""
        return self.state is State.OPEN

    def is_over_at(self, ts: int) -> bool:
        """Whether it takes no answer at this time."""
        return not self.is_open or (self.deadline is not None and ts > self.deadline)

    def end_at(self, ts: int) -> int:
        """The moment of its end if it is ended at ``ts``: what comes after the deadline never counts."""
        return ts if self.deadline is None else min(ts, self.deadline)

    def text_of(self, choice_id: str) -> str:
        """The words of a choice."""
        return next((choice.text for choice in self.choices if choice.id == choice_id), "")

    def texts_of(self, chosen: Sequence[str]) -> str:
        """The words of several choices, in the poll's order."""
        return "、".join(choice.text for choice in self.choices if choice.id in chosen)

    # ---- what an answer chooses ------------------------------------------------------------------------------------

    def chosen_natively(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """A native answer as it counts: cut to ``most``; nothing at all where it names what cannot be chosen, since
        clients show such a vote as taken back (MSC3381, spoiled votes)."""
        found = tuple(dict.fromkeys(chosen))[:self.most]
        return found if self._knows(found) else ()

    def chosen_on_a_form(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """An answer of a page; raises ``InvalidParam``."""
        found = tuple(dict.fromkeys(chosen))
        if not found or not self._knows(found):
            raise InvalidParam("その選択肢はありません")
        if len(found) > self.most:
            raise InvalidParam(f"選べるのは{self.most}つまでです")
        return found

    def chosen_by_numbers(self, numbers: Sequence[int]) -> tuple[str, ...] | None:
        """An answer by numbers; ``None`` where a number stands for nothing or there are too many."""
        distinct = tuple(dict.fromkeys(numbers))
        if not 1 <= len(distinct) <= self.most or not all(1 <= number <= len(self.choices) for number in distinct):
            return None
        return tuple(self.choices[number - 1].id for number in distinct)

    def chosen_by_text(self, text: str) -> tuple[str, ...] | None:
        """An answer by a message: its numbers, or exactly the words of a choice."""
        said = folded(text)
        exact = next((choice.id for choice in self.choices if folded(choice.text) == said), None)
        return (exact,) if exact is not None else self.chosen_by_numbers(numbers_in(text))

    def chosen_by_reaction(self, key: str) -> tuple[str, ...] | None:
        """An answer by a reaction with a number."""
        number = number_of_key(key)
        return None if number is None else self.chosen_by_numbers([number])

    def _knows(self, chosen: Sequence[str]) -> bool:
        known = {choice.id for choice in self.choices}
        return all(item in known for item in chosen)


def one_line(text: str) -> str:
    """``text`` without line breaks, so that no choice can look like two."""
    return " ".join(text.split())
