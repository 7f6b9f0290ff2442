"""Who comes to a gathering: what people may say, and how a reaction of any client is read. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from server.association.members.came_by import CameBy


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
    """One answer that stands: a reaction of ``user_id``, or what an officer (``entered_by``) has written down for a
    person or, with how many ``people`` come, for a household. ``event_id`` is the reaction's, or a number of ours.
    """

    gathering_id: str
    user_id: str
    answer: Answer
    said_ms: int
    event_id: str
    position: int
    person_id: str = ""
    household_id: str = ""
    people: int = 1
    came_by: CameBy = CameBy.APP
    entered_by: str = ""

    @property
    def is_written(self) -> bool:
        """Whether it came on paper, by telephone or at the door."""
        return self.came_by is not CameBy.APP


def latest(*said: Said | None) -> Said | None:
    """What counts of several words: the last one, as all changes of the node are ordered."""
    return max((item for item in said if item is not None), key=lambda item: item.position, default=None)


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """All answers of one person by gathering; ``position`` is where the last change of any of them stands."""

    position: int = 0
    by_gathering: Mapping[str, Said] = field(default_factory=dict)
    # All reactions that stand, also those over which a later word counts.
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Where the last change of the answer to each gathering stands, also of one that was taken back.
    moved: Mapping[str, int] = field(default_factory=dict)

    def to(self, gathering_id: str) -> Answer | None:
        """What is answered to one gathering."""
        said = self.by_gathering.get(gathering_id)
        return None if said is None else said.answer
