"""The words of groups: how somebody stands to one, what it keeps. Values and pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.association.members.model import Group, Person
from server.foundation.errors import InvalidParam
from server.media.pictures import Picture

MAX_ABOUT: Final = 500
MAX_WORDS: Final = 200
MOST_FILES: Final = 10


class Place(StrEnum):
    """How somebody stands to a group."""

    OUTSIDE = "outside"
    ASKING = "asking"
    LET_IN = "let_in"
    INSIDE = "inside"

    @property
    def label(self) -> str:
        """入っています …"""
        return {
            "outside": "", "asking": "返事を待っています", "let_in": "入れます", "inside": "入っています",
        }[self.value]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group as everybody may see it (R24): its name, what it is about, how many are in it."""

    group: Group
    about: str
    count: int
    place: Place
    leads: bool = False
    asking: int = 0


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who wants to be let in, and what they say."""

    person: Person
    words: str


@dataclass(frozen=True, slots=True)
class GroupFile:
    """Something in a group's folder."""

    event_id: str
    room_id: str
    sender: str
    file: Picture
    ts: int


@dataclass(frozen=True, slots=True)
class Inside:
    """A group as its members see it."""

    line: GroupLine
    members: Sequence[Person]
    leaders: Sequence[Person]
    asking: Sequence[Asking]
    papers: Sequence[GroupFile]
    photos: Sequence[GroupFile]


def checked_about(text: str) -> str:
    """What a group is about; raises ``InvalidParam``."""
    words = text.strip()
    if len(words) > MAX_ABOUT:
        raise InvalidParam(f"紹介は{MAX_ABOUT}字までです", field="about")
    return words
