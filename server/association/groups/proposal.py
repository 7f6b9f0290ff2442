"""The words of a group that a resident wants to found. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.association.groups.model import checked_about
from server.association.members.editor import checked_group_name
from server.foundation.errors import InvalidParam

# State event in the space: whether residents may propose groups (docs/events/jp.kairan.gallery.md).
RULES: Final = "jp.kairan.group.rules"
MAX_REASON: Final = 300


class Category(StrEnum):
    """What kind of group it is."""

    SPORT = "sport"
    HOBBY = "hobby"
    CHILDREN = "children"
    WELFARE = "welfare"
    SAFETY = "safety"
    OTHER = "other"

    @property
    def label(self) -> str:
        """運動・体操 …"""
        return {
            "sport": "運動・体操", "hobby": "趣味・学び", "children": "子ども・子育て", "welfare": "健康・助け合い",
            "safety": "防災・見守り", "other": "そのほか",
        }[self.value]


class State(StrEnum):
    """The life of a proposal."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.WAITING: frozenset({State.APPROVED, State.DECLINED, State.WITHDRAWN}),
    State.APPROVED: frozenset(),
    State.DECLINED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a resident says of the group: its name, what it is for, what kind it is."""

    name: str
    about: str
    category: Category


@dataclass(frozen=True, slots=True)
class Proposal:
    """A wish and what has become of it. Times in ms since 1970; ``user_id`` is who would look after the group."""

    id: str
    user_id: str
    wish: Wish
    state: State
    asked_ts: int
    decided_by: str = ""
    decided_ts: int = 0
    reason: str = ""
    group_id: str = ""


def checked_wish(name: str, about: str, category: str) -> Wish:
    """What a form says; raises ``InvalidParam``."""
    kinds = {item.value: item for item in Category}
    words = checked_about(about)
    if not words:
        raise InvalidParam("何をする サークルか、書いてください。", field="about")
    if category not in kinds:
        raise InvalidParam("種類を えらんでください。")
    return Wish(checked_group_name(name), words, kinds[category])


def may_propose(rules: Mapping[str, Any]) -> bool:
    """What the officers allow; residents may as long as nothing else was said."""
    return rules.get("propose") is not False
