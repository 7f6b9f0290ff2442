"""The checks that are going on, in memory: who was asked where, and what they have answered so far.

The projection may neither wait nor read, so all that it must know is here. It holds what is accepted; a commit that
fails takes its part back (``Writes.on_failure``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.association.safety_checks.model import Answer, Check, Current, State, current_of


@dataclass(slots=True)
class Prompt:
    """One person in one check. ``room_id`` is their 窓口, ``None`` for somebody without an account."""

    check_id: str
    person_id: str
    household_id: str
    block_id: str
    room_id: str | None
    message_event: str | None = None
    poll_event: str | None = None
    # Stream position of the question: who has read up to it has seen it.
    position: int = 0
    has_read: bool = False
    # The poll has been ended in the room.
    ended: bool = False
    # The place of the last answer for which the resident got their receipt.
    confirmed: int = 0
    # The place of the last answer ever, also one that was taken back.
    last_place: int = 0
    answers: list[Answer] = field(default_factory=list)

    @property
    def is_asked(self) -> bool:
        """Whether both messages stand in the room."""
        return self.message_event is not None and self.poll_event is not None

    def current(self) -> Current:
        """What holds now."""
        return current_of(self.answers)


@dataclass(slots=True)
class OpenCheck:
    """A check with its prompts by person."""

    check: Check
    room_id: str
    prompts: dict[str, Prompt] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether answers are taken."""
        return self.check.state is State.ASKING

    def unasked(self) -> list[Prompt]:
        """Who has a 窓口 and no question in it yet."""
        return [prompt for prompt in self.prompts.values() if prompt.room_id is not None and not prompt.is_asked]

    def unended(self) -> list[Prompt]:
        """Whose poll still looks open in their client."""
        return [prompt for prompt in self.prompts.values() if prompt.poll_event is not None and not prompt.ended]

    def owed(self) -> list[Prompt]:
        """Whose newest answer has got no receipt."""
        return [prompt for prompt in self.prompts.values() if is_owed(prompt)]


def is_owed(prompt: Prompt) -> bool:
    """Whether the resident has answered by the app and not been told that it has arrived."""
    current = prompt.current()
    return (
        prompt.room_id is not None and current.status is not None and not current.entered_by
        and current.place > prompt.confirmed
    )


class OpenChecks:
    """All checks that take answers, and those whose polls are still being ended."""

    def __init__(self) -> None:
        self._checks: dict[str, OpenCheck] = {}
        self._by_room: dict[str, list[Prompt]] = {}

    def __iter__(self) -> Iterator[OpenCheck]:
        return iter(list(self._checks.values()))

    def get(self, check_id: str) -> OpenCheck | None:
        """A check that is going on."""
        return self._checks.get(check_id)

    def enter(self, going: OpenCheck) -> None:
        """A check that has begun."""
        self._checks[going.check.id] = going
        for prompt in going.prompts.values():
            self._enter_room(prompt)

    def add(self, prompt: Prompt) -> None:
        """Somebody more: a person who joined the roster later and whose answer was written down."""
        self._checks[prompt.check_id].prompts[prompt.person_id] = prompt
        self._enter_room(prompt)

    def drop(self, check_id: str) -> None:
        """A check that is over in every room."""
        going = self._checks.pop(check_id, None)
        for prompt in going.prompts.values() if going else ():
            if prompt.room_id is not None:
                left = [item for item in self._by_room.get(prompt.room_id, []) if item is not prompt]
                if left:
                    self._by_room[prompt.room_id] = left
                else:
                    self._by_room.pop(prompt.room_id, None)

    def in_room(self, room_id: str) -> list[Prompt]:
        """The prompts of a 窓口; empty (and quick) for every other room."""
        return self._by_room.get(room_id, [])

    def prompt_of(self, room_id: str, check_id: str) -> Prompt | None:
        """The prompt of one check in a 窓口."""
        return next((prompt for prompt in self.in_room(room_id) if prompt.check_id == check_id), None)

    def meant_by(self, room_id: str, target: str | None) -> Prompt | None:
        """What an answer is about: the question it points to, or else the most pressing one that is asked there.

        The real thing comes before a drill, the newer check before the older one.
        """
        open_ones = [prompt for prompt in self.in_room(room_id) if self._takes_answers(prompt)]
        if target is not None:
            for prompt in open_ones:
                if target in (prompt.message_event, prompt.poll_event):
                    return prompt
        return max(open_ones, key=self._pressing, default=None)

    def asked_by(self, room_id: str, event_id: str) -> Prompt | None:
        """The prompt whose question is the event ``event_id``, while it takes answers."""
        for prompt in self.in_room(room_id):
            if event_id in (prompt.message_event, prompt.poll_event):
                return prompt if self._takes_answers(prompt) else None
        return None

    def _takes_answers(self, prompt: Prompt) -> bool:
        return self._checks[prompt.check_id].is_open and prompt.message_event is not None

    def _pressing(self, prompt: Prompt) -> tuple[bool, int]:
        check = self._checks[prompt.check_id].check
        return (not check.drill, check.started_ts)

    def _enter_room(self, prompt: Prompt) -> None:
        if prompt.room_id is not None:
            self._by_room.setdefault(prompt.room_id, []).append(prompt)
