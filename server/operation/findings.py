"""What somebody who looks a node over finds, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How something is."""

    GOOD = "ok"
    DOUBTFUL = "look"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do if it is not good."""

    state: State
    what: str
    to_do: str = ""

    def lines(self) -> list[str]:
        """As the operator reads it."""
        return [f"[{self.state.value:>4}] {self.what}"] + ([f"       -> {self.to_do}"] if self.to_do else [])


def good(what: str) -> Finding:
    """Nothing to do."""
    return Finding(State.GOOD, what)


def bad(what: str, to_do: str) -> Finding:
    """It does not work so."""
    return Finding(State.BAD, what, to_do)


def doubtful(what: str, to_do: str) -> Finding:
    """It works, but not for long, or not for all."""
    return Finding(State.DOUBTFUL, what, to_do)
