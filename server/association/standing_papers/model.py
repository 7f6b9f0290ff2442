"""The words of standing papers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_TEXT: Final = 5000


class Kind(StrEnum):
    """What a paper is about; there is one of each."""

    SHELTERS = "shelters"
    TELEPHONES = "telephones"
    GARBAGE = "garbage"
    FEES = "fees"
    RULES = "rules"
    OTHER = "other"

    @property
    def label(self) -> str:
        """What stands on its folder."""
        return {
            "shelters": "避難所", "telephones": "電話番号", "garbage": "ごみの 出しかた", "fees": "会費",
            "rules": "きまり（規約）", "other": "そのほか",
        }[self.value]


@dataclass(frozen=True, slots=True)
class StandingPaper:
    """One paper. ``revision`` counts from 1, at 0 nobody has written it yet; ``changed_ts`` in ms since 1970."""

    kind: Kind
    text: str = ""
    revision: int = 0
    changed_by: str = ""
    changed_ts: int = 0
