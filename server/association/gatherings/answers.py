"""Who comes to a gathering: what people may say, and how a reaction of any client is read. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """What somebody says to a gathering; a calendar app calls it PARTSTAT (RFC 5545 section 3.2.12)."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"

    @property
    def label(self) -> str:
        """行きます …"""
        return {"accepted": "行きます", "declined": "行きません", "tentative": "まだ わかりません"}[self.value]


# The first of each is what our own pages send.
SIGNS: Final[Mapping[Answer, tuple[str, ...]]] = {
    Answer.ACCEPTED: ("✅", "👍", "🙆", "⭕", "☑", "🙋"),
    Answer.DECLINED: ("❌", "👎", "🙅", "✖", "❎", "🙇"),
    Answer.TENTATIVE: ("❓", "🤔", "🔺", "❔"),
}
_MEANT: Final = {sign: answer for answer, signs in SIGNS.items() for sign in signs}
_INVISIBLE: Final = dict.fromkeys((0xFE0F, 0x200D, *range(0x1F3FB, 0x1F400)))


def answer_of(key: str) -> Answer | None:
    """What a reaction says, whatever colour the hand has; ``None`` where it says nothing about coming."""
    return _MEANT.get(key.translate(_INVISIBLE).removesuffix("♀").removesuffix("♂"))


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that stands. ``event_id`` is the reaction's."""

    gathering_id: str
    user_id: str
    answer: Answer
    said_ms: int
    event_id: str
    position: int


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """All answers of one account by gathering; ``position`` is where the last change of any of them stands."""

    position: int = 0
    by_gathering: Mapping[str, Said] = field(default_factory=dict)
    # Reactions that stand though a later one counts.
    older: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Where the last change of the answer to each gathering stands, also of one that was taken back.
    moved: Mapping[str, int] = field(default_factory=dict)

    def to(self, gathering_id: str) -> Answer | None:
        """What is answered to one gathering."""
        said = self.by_gathering.get(gathering_id)
        return None if said is None else said.answer
