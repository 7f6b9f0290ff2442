"""The words of the association: blocks, households, persons, groups, roles and what they may do, audiences.

Values and pure rules only. Names of people stand here and in tables, never in a room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.foundation.errors import InvalidParam


class Channel(StrEnum):
    """How a household gets its circulars (R19): never in neither way."""

    PAPER = "paper"
    DIGITAL = "digital"
    BOTH = "both"

    @property
    def label(self) -> str:
        """The word that officers read."""
        return {"paper": "紙", "digital": "デジタル", "both": "紙とデジタル"}[self.value]

    @property
    def has_paper(self) -> bool:
        """Whether a sheet of paper goes there."""
        return self is not Channel.DIGITAL


@dataclass(frozen=True, slots=True)
class Block:
    """A block (班); ``order`` is its place in the walk through the association."""

    id: str
    name: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class Household:
    """A household (世帯). ``number`` is the association's own number of it, empty where it keeps none."""

    id: str
    block_id: str
    name: str
    order: int = 0
    channel: Channel = Channel.BOTH
    number: str = ""

    @property
    def key(self) -> str:
        """What tells it from the other households of its block in a roster file."""
        return self.number or self.name


@dataclass(frozen=True, slots=True)
class Person:
    """A member. Only a name and a place in a household are needed; ``user_id`` is the Matrix account, if any."""

    id: str
    household_id: str
    name: str
    kana: str = ""
    user_id: str | None = None
    wants_paper: bool = False
    phone: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A group across blocks: 子ども会, 防災部, a hobby."""

    id: str
    name: str
    order: int = 0


class Role(StrEnum):
    """An office that a person holds. One person may hold several, and several persons may hold one."""

    CHAIR = "chair"
    OFFICER = "officer"
    BLOCK_LEADER = "block_leader"
    DIGITAL = "digital"
    HELPER = "helper"

    @property
    def label(self) -> str:
        """会長, 役員 …"""
        return ROLE_LABELS[self]


ROLE_LABELS: Final[dict[Role, str]] = {
    Role.CHAIR: "会長", Role.OFFICER: "役員", Role.BLOCK_LEADER: "班長", Role.DIGITAL: "デジタル担当",
    Role.HELPER: "補助",
}
# A helper registers people and is no officer (R104).
OFFICER_ROLES: Final = frozenset({Role.CHAIR, Role.OFFICER, Role.BLOCK_LEADER, Role.DIGITAL})


class Right(StrEnum):
    """What a role may allow."""

    SEE_ROSTER = "see the roster"
    EDIT_ROSTER = "edit the roster"
    INVITE = "hand out invitations"
    SIGN_IN_AGAIN = "sign people in on a new telephone"
    GIVE_ROLES = "give and take roles"
    POST_CIRCULARS = "post circulars"
    ASK_POLLS = "ask polls"
    RUN_SAFETY_CHECKS = "start and close safety checks"
    ENTER_ANSWERS = "enter answers for those without a phone"
    ENTER_ATTENDANCE = "write down who comes to gatherings"
    ARRANGE_GATHERINGS = "arrange gatherings"
    KEEP_FACILITIES = "look after facilities and their bookings"
    ARRANGE_DUTIES = "arrange duties and garbage days"
    READ_DESK = "read what residents ask the officers"
    MODERATE = "look after the board, groups and photos"
    SEE_ACCESS_LOG = "see who looked at the roster"


_EVERYTHING: Final = frozenset(Right)
RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.CHAIR: _EVERYTHING,
    Role.DIGITAL: _EVERYTHING - {Right.GIVE_ROLES},
    Role.OFFICER: _EVERYTHING - {Right.GIVE_ROLES, Right.EDIT_ROSTER, Right.SEE_ACCESS_LOG},
    # Only for their own blocks, see ``rights_in_block``.
    Role.BLOCK_LEADER: frozenset(),
    Role.HELPER: frozenset({Right.SEE_ROSTER, Right.INVITE, Right.ENTER_ATTENDANCE}),
}
BLOCK_LEADER_RIGHTS: Final = frozenset({
    Right.SEE_ROSTER, Right.INVITE, Right.POST_CIRCULARS, Right.ENTER_ANSWERS, Right.ENTER_ATTENDANCE,
    Right.ARRANGE_GATHERINGS, Right.ARRANGE_DUTIES,
})


def rights_of(roles: Iterable[Role]) -> frozenset[Right]:
    """What somebody with these roles may do in the whole association."""
    return frozenset().union(*(RIGHTS[role] for role in roles))


def rights_in_block(roles: Iterable[Role], *, is_own_block: bool) -> frozenset[Right]:
    """What somebody with these roles may do in one block: a block leader has more to say in their own."""
    held = frozenset(roles)
    leads = is_own_block and Role.BLOCK_LEADER in held
    return rights_of(held) | (BLOCK_LEADER_RIGHTS if leads else frozenset())


class AudienceKind(StrEnum):
    """How an audience is chosen."""

    EVERYONE = "everyone"
    BLOCKS = "blocks"
    GROUPS = "groups"
    OFFICERS = "officers"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom something is for. ``ids`` are those of blocks or groups, in their order and without doubles."""

    kind: AudienceKind
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As it is stored, and sent by forms: ``everyone``, ``officers``, ``blocks:a,b``, ``groups:c``."""
        return f"{self.kind.value}:{','.join(self.ids)}" if self.ids else self.kind.value

    @classmethod
    def parse(cls, text: str) -> Audience:
        """Read that text; raises ``InvalidParam``."""
        kind, _, ids = text.partition(":")
        return cls._checked(kind, ids.split(",") if ids else [])

    @classmethod
    def blocks(cls, ids: Iterable[str]) -> Audience:
        """The people of some blocks."""
        return cls._checked("blocks", list(ids))

    @classmethod
    def groups(cls, ids: Iterable[str]) -> Audience:
        """The members of some groups."""
        return cls._checked("groups", list(ids))

    def as_json(self) -> dict[str, Any]:
        """As an event carries it: ``{"kind": "blocks", "ids": [...]}``."""
        return {"kind": self.kind.value, **({"ids": list(self.ids)} if self.ids else {})}

    @classmethod
    def from_json(cls, value: object) -> Audience:
        """Read what an event carries; raises ``InvalidParam``."""
        if not isinstance(value, dict):
            raise InvalidParam("宛先の書き方が正しくありません")
        ids = value.get("ids", [])
        return cls._checked(value.get("kind"), ids if isinstance(ids, list) else [None])

    def describe(self, name_of: Callable[[str], str]) -> str:
        """In words: 全員, 役員, ``1班・3班``. ``name_of`` gives the name of a block or group."""
        if self.kind is AudienceKind.EVERYONE:
            return "全員"
        if self.kind is AudienceKind.OFFICERS:
            return "役員"
        return "・".join(name_of(item) for item in self.ids)

    @classmethod
    def _checked(cls, kind: object, ids: list[Any]) -> Audience:
        known = {item.value: item for item in AudienceKind}
        found = known.get(kind) if isinstance(kind, str) else None
        if found is None:
            raise InvalidParam("宛先は、全員・班・グループ・役員のどれかです", field="audience")
        if not all(isinstance(item, str) and item and "," not in item for item in ids):
            raise InvalidParam("宛先の書き方が正しくありません")
        if (found in (AudienceKind.BLOCKS, AudienceKind.GROUPS)) != bool(ids):
            raise InvalidParam("班やグループを宛先にするときは、その名前をえらんでください", field="audience")
        return cls(found, tuple(dict.fromkeys(ids)))


EVERYONE: Final = Audience(AudienceKind.EVERYONE)
OFFICERS: Final = Audience(AudienceKind.OFFICERS)


class Purpose(StrEnum):
    """What one of the association's rooms is for. Blocks and groups have one each, every resident a 窓口."""

    SPACE = "space"
    CIRCULARS = "circulars"
    BOARD = "board"
    DISASTER = "disaster"
    OFFICERS = "officers"
    RECEPTION = "reception"

    @property
    def label(self) -> str:
        """The name of the room in every Matrix client; the space is called like the association."""
        return PURPOSE_LABELS[self]


PURPOSE_LABELS: Final[dict[Purpose, str]] = {
    Purpose.SPACE: "町内会", Purpose.CIRCULARS: "回覧板", Purpose.BOARD: "掲示板", Purpose.DISASTER: "防災",
    Purpose.OFFICERS: "役員会", Purpose.RECEPTION: "受付",
}
DESK_NAME: Final = "窓口"


def effective_channel(household: Household, persons: Iterable[Person]) -> Channel:
    """How the household is really reached: nobody is digital before one of them has an account, and whoever asked
    for paper gets it."""
    people = list(persons)
    if not any(person.user_id for person in people):
        return Channel.PAPER
    if household.channel is Channel.DIGITAL and any(person.wants_paper for person in people):
        return Channel.BOTH
    return household.channel
