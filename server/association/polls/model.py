"""The words of a poll: question, choices, whose answer counts, how results add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.association.members.model import Audience
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam
from server.rooms.numbered_answers import number_of_key, numbers_in
from server.rooms.poll_events import Choice, start_content

Content = dict[str, Any]

# What marks the node's own messages: the question, and its result.
MARK: Final = "jp.kairan.poll"
RESULT: Final = "jp.kairan.poll.result"

MAX_QUESTION: Final = 340  # clients cut off what is longer (MSC3381 leaves it open; Element allows 340)
MAX_CHOICE: Final = 340
MOST_CHOICES: Final = 20


class State(StrEnum):
    """The life of a poll."""

    OPEN = "open"
    CLOSED = "closed"


NEXT: Final[Mapping[State, frozenset[State]]] = {State.OPEN: frozenset({State.CLOSED}), State.CLOSED: frozenset()}


class Channel(StrEnum):
    """How an answer came in."""

    APP = "app"
    PAPER = "paper"
    PHONE = "phone"
    DOOR = "door"

    @property
    def label(self) -> str:
        """The word for officers."""
        return {"app": "アプリ", "paper": "紙", "phone": "電話", "door": "訪問"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an officer asks. Up to ``most`` choices may be taken; ``deadline`` in milliseconds since 1970."""

    text: str
    choices: tuple[str, ...]
    audience: Audience
    most: int = 1
    disclosed: bool = True
    deadline: int | None = None

    def check(self, now_ms: int) -> None:
        """Raise ``InvalidParam`` where it can be no poll."""
        if not self.text.strip() or len(self.text) > MAX_QUESTION:
            raise InvalidParam(f"質問を1字から{MAX_QUESTION}字で書いてください")
        if not 2 <= len(self.choices) <= MOST_CHOICES:
            raise InvalidParam(f"選択肢を2つから{MOST_CHOICES}まで書いてください")
        if not all(choice.strip() and len(choice) <= MAX_CHOICE for choice in self.choices):
            raise InvalidParam("空の選択肢や長すぎる選択肢があります")
        if len({choice.strip() for choice in self.choices}) < len(self.choices):
            raise InvalidParam("同じ選択肢が2つあります")
        if not 1 <= self.most <= len(self.choices):
            raise InvalidParam("選べる数が、選択肢の数に合いません")
        if self.deadline is not None and self.deadline <= now_ms:
            raise InvalidParam("締め切りは、これからの日時にしてください")


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll. Times are milliseconds since 1970."""

    id: str
    question: str
    choices: tuple[Choice, ...]
    most: int
    disclosed: bool
    audience: Audience
    issuer: str
    state: State
    created_ts: int
    deadline: int | None = None
    closed_ts: int | None = None

    def as_content(self) -> Content:
        """What the question carries beside its readable text."""
        content: Content = {
            "id": self.id, "question": self.question, "most": self.most, "disclosed": self.disclosed,
            "choices": [{"id": choice.id, "text": choice.text} for choice in self.choices],
            "audience": self.audience.as_json(), "issuer": self.issuer, "created_ts": self.created_ts,
        }
        if self.deadline is not None:
            content["deadline"] = self.deadline
        return content

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Poll:
        """Read that; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        deadline = content.get("deadline")
        return cls(
            str(content["id"]), str(content["question"]),
            tuple(Choice(str(choice["id"]), str(choice["text"])) for choice in content["choices"]),
            int(content["most"]), bool(content["disclosed"]), Audience.from_json(content["audience"]),
            str(content["issuer"]), State.OPEN, int(content["created_ts"]), None if deadline is None else int(deadline),
        )

    def is_over_at(self, ts: int) -> bool:
        """Whether it takes no answer at this time."""
        return self.state is State.CLOSED or (self.deadline is not None and ts > self.deadline)

    def text_of(self, choice_id: str) -> str:
        """The words of a choice."""
        return next((choice.text for choice in self.choices if choice.id == choice_id), "")

    def checked(self, chosen: Sequence[str]) -> tuple[str, ...] | None:
        """A native answer as it counts: cut to ``most``; ``None`` where it names what cannot be chosen (MSC3381)."""
        known = {choice.id for choice in self.choices}
        found = tuple(dict.fromkeys(chosen))[:self.most]
        return found if all(item in known for item in found) else None

    def chosen_by_numbers(self, numbers: Sequence[int]) -> tuple[str, ...] | None:
        """An answer by numbers; ``None`` where a number stands for nothing or there are too many."""
        distinct = tuple(dict.fromkeys(numbers))
        if not distinct or len(distinct) > self.most or not all(1 <= item <= len(self.choices) for item in distinct):
            return None
        return tuple(self.choices[item - 1].id for item in distinct)

    def chosen_by_text(self, text: str) -> tuple[str, ...] | None:
        """An answer by a message: its numbers, or exactly the words of a choice."""
        said = text.strip()
        exact = next((choice.id for choice in self.choices if choice.text == said), None)
        return (exact,) if exact is not None else self.chosen_by_numbers(numbers_in(text))

    def chosen_by_reaction(self, key: str) -> tuple[str, ...] | None:
        """An answer by a reaction with a number."""
        number = number_of_key(key)
        return None if number is None else self.chosen_by_numbers([number])


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; nothing ``chosen`` is a vote taken back. ``place`` numbers a poll's answers as they came."""

    id: str
    person_id: str
    place: int
    ts: int
    chosen: tuple[str, ...]
    channel: Channel = Channel.APP
    entered_by: str = ""


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


def last_answers(answers: Sequence[Answer]) -> dict[str, Answer]:
    """By person, what counts: the last answer, unless it takes the vote back."""
    last = {answer.person_id: answer for answer in sorted(answers, key=lambda answer: answer.place)}
    return {person_id: answer for person_id, answer in last.items() if answer.chosen}


def household_answer(persons: Sequence[str], last: Mapping[str, Answer]) -> Answer | None:
    """One household, one voice: the answer of whoever stands first in the roster (the head) among those who have
    answered. ``persons`` in the order of the roster."""
    return next((last[person_id] for person_id in persons if person_id in last), None)


def tally_of(poll: Poll, answers: Sequence[Answer | None]) -> Tally:
    """Count one answer, or none, of each voter."""
    given = [answer for answer in answers if answer is not None]
    votes = {choice.id: sum(choice.id in answer.chosen for answer in given) for choice in poll.choices}
    return Tally(votes, len(given), len(answers))


def question_contents(poll: Poll) -> tuple[Content, Content]:
    """The question as a plain message with numbers and as a native poll. Both count as one."""
    lines = [f"【アンケート】{poll.question}"]
    lines += [f"{number} {choice.text}" for number, choice in enumerate(poll.choices, 1)]
    how = "番号を書いて送る、番号のリアクションをつける、下の投票をおす、のどれでも答えられます。"
    lines.append(how if poll.most == 1 else f"{how}（{poll.most}つまで。例：1、2）")
    if poll.deadline is not None:
        lines.append(f"締め切り：{tokyo_time(poll.deadline):%-m月%-d日 %H:%M}")
    message = {"msgtype": "m.text", "body": "\n".join(lines), MARK: poll.as_content()}
    native = start_content(poll.question, poll.choices, most=poll.most, disclosed=poll.disclosed)
    return message, {**native, MARK: {"id": poll.id}}


def result_content(poll: Poll, persons: Tally, households: Tally) -> Content:
    """The result for the room: figures only."""
    lines = [f"【アンケートの結果】{poll.question}"]
    lines += [
        f"{number} {choice.text}：{persons.votes[choice.id]}人（{households.votes[choice.id]}世帯）"
        for number, choice in enumerate(poll.choices, 1)
    ]
    lines.append(f"回答 {persons.answered}人・{households.answered}世帯、未回答 {persons.unanswered}人・"
                 f"{households.unanswered}世帯")
    told = {"id": poll.id, "persons": _as_content(persons), "households": _as_content(households)}
    return {"msgtype": "m.text", "body": "\n".join(lines), RESULT: told}


def _as_content(tally: Tally) -> Content:
    return {"votes": dict(tally.votes), "answered": tally.answered, "unanswered": tally.unanswered,
            "total": tally.total}
