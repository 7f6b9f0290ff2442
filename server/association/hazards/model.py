"""The words of hazard reports: what is dangerous, where, and how far it has been seen to. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.foundation.errors import InvalidParam

MAX_PLACE: Final = 100
MAX_TEXT: Final = 500


class HazardKind(StrEnum):
    """What is dangerous."""

    ROAD = "road"
    TREE = "tree"
    LIGHT = "light"
    WATER = "water"
    SLOPE = "slope"
    BUILDING = "building"
    ANIMAL = "animal"
    SNOW = "snow"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The word that people read."""
        return {
            "road": "道路・歩道", "tree": "木・枝", "light": "街灯", "water": "水路・川", "slope": "がけ・石垣",
            "building": "建物・へい", "animal": "動物", "snow": "雪・氷", "other": "そのほか",
        }[self.value]


class HazardState(StrEnum):
    """How far it has been seen to. A withdrawn one is gone from lists."""

    REPORTED = "reported"
    SEEN = "seen"
    FIXED = "fixed"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The word that people read."""
        return {"reported": "知らせを うけました", "seen": "役員が 見ました", "fixed": "なおりました",
                "withdrawn": "とりさげました"}[self.value]


NEXT: Final[Mapping[HazardState, frozenset[HazardState]]] = {
    HazardState.REPORTED: frozenset({HazardState.SEEN, HazardState.FIXED, HazardState.WITHDRAWN}),
    HazardState.SEEN: frozenset({HazardState.FIXED, HazardState.WITHDRAWN}),
    # It is broken again.
    HazardState.FIXED: frozenset({HazardState.SEEN, HazardState.WITHDRAWN}),
    HazardState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody has seen. ``photo`` is the address of a picture, or empty."""

    kind: HazardKind
    place: str
    text: str = ""
    photo: str = ""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A report. ``note`` is what the officers say to it; ``reporter`` an account; times in ms."""

    id: str
    room_id: str
    sight: Sight
    state: HazardState
    note: str
    reporter: str
    reported_ms: int
    changed_ms: int

    @property
    def is_shown(self) -> bool:
        """Whether lists have it."""
        return self.state is not HazardState.WITHDRAWN


def checked_sight(sight: Sight) -> Sight:
    """``sight`` as it is kept; raises ``InvalidParam``."""
    place, text = " ".join(sight.place.split()), sight.text.strip()
    if not 0 < len(place) <= MAX_PLACE:
        raise InvalidParam(f"場所を、1字から{MAX_PLACE}字で書いてください", field="place")
    if len(text) > MAX_TEXT:
        raise InvalidParam(f"説明は{MAX_TEXT}字までです", field="text")
    return Sight(sight.kind, place, text, sight.photo)
