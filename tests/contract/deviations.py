"""Where the node differs from the specification's files on purpose, or they are wrong: with reason and source."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).with_name("deviations.toml")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as the specification has it."""

    operation: str
    side: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.operation}, {self.side}{f' at {self.where}' if self.where else ''}: {self.message[:400]}"


@dataclass(frozen=True, slots=True)
class Deviation:
    """An exception: which faults it covers (three regular expressions), and why."""

    side: str
    operation: str
    where: str
    message: str
    reason: str
    source: str

    def covers(self, fault: Fault) -> bool:
        """Whether ``fault`` is this exception."""
        return fault.side == self.side and all(
            re.fullmatch(pattern, text, re.DOTALL)
            for pattern, text in (
                (self.operation, fault.operation), (self.where, fault.where), (self.message, fault.message),
            )
        )


@cache
def deviations() -> tuple[Deviation, ...]:
    """The whole table."""
    entries = tomllib.loads(TABLE.read_text("utf-8")).get("deviation", [])
    return tuple(Deviation(**{"where": ".*", "message": ".*", **entry}) for entry in entries)


def allowed(fault: Fault) -> bool:
    """Whether the table covers ``fault``."""
    return any(deviation.covers(fault) for deviation in deviations())
