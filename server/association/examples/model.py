"""The words of good examples. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_NOTE: Final = 500


class Kind(StrEnum):
    """What can be a good example."""

    CIRCULAR = "circular"
    GATHERING = "gathering"


@dataclass(frozen=True, slots=True)
class Example:
    """Something recommended. ``officer`` is the account of whoever did so, at ``ts`` (ms)."""

    kind: Kind
    thing_id: str
    note: str
    officer: str
    ts: int
