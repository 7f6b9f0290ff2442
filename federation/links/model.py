"""The words of linking: kinds of nodes, areas, categories, what both sides agree to (terms), links and their life."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from federation.links.codes import state_of
from server.foundation.errors import InvalidParam

Content = dict[str, Any]

# The state event of a link, one for each side; the state key is whoever says it.
LINK: Final = "jp.kairan.link"
ROOM_TYPE: Final = "jp.kairan.link"
MAX_NAME: Final = 60
MOST_AREAS: Final = 200
_LEVELS: Final = 6
_AREA: Final = re.compile(r"[0-9]{5,6}(/[a-z0-9][a-z0-9_-]{0,31}){0,5}\Z")


class NodeKind(StrEnum):
    """What a node serves."""

    CITY = "city"
    FEDERATION = "federation"
    ASSOCIATION = "association"

    @property
    def label(self) -> str:
        """市, 連合会, 町内会."""
        return {"city": "市", "federation": "連合会", "association": "町内会"}[self.value]

    @property
    def may_invite(self) -> frozenset[NodeKind]:
        """Whom a node of this kind may have below itself."""
        below = {
            NodeKind.CITY: frozenset({NodeKind.FEDERATION, NodeKind.ASSOCIATION}),
            NodeKind.FEDERATION: frozenset({NodeKind.ASSOCIATION}),
        }
        return below.get(self, frozenset())


class Category(StrEnum):
    """What a broadcast is about; a link says which of them it carries."""

    ADMINISTRATION = "administration"
    DISASTER = "disaster"
    SECURITY = "security"
    GARBAGE = "garbage"
    WELFARE = "welfare"
    HEALTH = "health"
    CHILDREN = "children"
    GATHERING = "gathering"
    OTHER = "other"

    @property
    def label(self) -> str:
        """行政, 防災 …"""
        return {
            "administration": "行政", "disaster": "防災", "security": "防犯", "garbage": "ごみ", "welfare": "福祉",
            "health": "健康", "children": "子育て", "gathering": "行事", "other": "その他",
        }[self.value]


class Told(StrEnum):
    """A kind of figures that goes up. That a notice has arrived is told in any case."""

    REACH = "reach"
    ANSWERS = "answers"
    SAFETY = "safety"

    @property
    def label(self) -> str:
        """What the officers read before they agree."""
        return {
            "reach": "回覧が届いた・見た・開いた・確認した人数", "answers": "アンケートの回答の数",
            "safety": "安否確認の人数（無事・連絡希望・支援希望・未回答）",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Area:
    """A municipality (全国地方公共団体コード) or a part of it, in the city's own codes: ``17201/morinosato/sakura``."""

    code: str
    name: str

    def __post_init__(self) -> None:
        if not _AREA.match(self.code):
            raise InvalidParam(f"地域のコードは 17201/morinosato のように書いてください：{self.code[:80]}")
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise InvalidParam(f"地域の名前を1字から{MAX_NAME}字で書いてください")

    @property
    def level(self) -> int:
        """1 for the municipality, 2 for what is right below it …"""
        return self.code.count("/") + 1

    def as_json(self) -> Content:
        """As events and tables carry it."""
        return {"code": self.code, "name": self.name}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Area:
        """Read that; raises ``InvalidParam``, ``KeyError`` or ``TypeError``."""
        return cls(str(value["code"]), str(value["name"]))


def is_within(code: str, wider: str) -> bool:
    """Whether an area is another one or lies in it."""
    return code == wider or code.startswith(wider + "/")


def touches(areas: Iterable[str], audience: Iterable[str]) -> bool:
    """Whether something for ``audience`` leads to one of ``areas``: one lies in the other."""
    wanted = list(audience)
    return any(is_within(area, item) or is_within(item, area) for area in areas for item in wanted)


def covers(audience: Iterable[str], areas: Iterable[str]) -> bool:
    """Whether something for ``audience`` is for the people of one of ``areas``."""
    wanted = list(audience)
    return any(is_within(area, item) for area in areas for item in wanted)


def checked_code(code: str) -> str:
    """An area code; raises ``InvalidParam``."""
    return Area(code, "-").code


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What two nodes share: which broadcasts come down for which areas, which figures go up."""

    kind: NodeKind
    name: str
    areas: tuple[Area, ...]
    categories: frozenset[Category] = frozenset(Category)
    told: frozenset[Told] = frozenset(Told)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME or "\n" in self.name:
            raise InvalidParam(f"名前を1行で、1字から{MAX_NAME}字で書いてください")
        if not 1 <= len(self.areas) <= MOST_AREAS:
            raise InvalidParam(f"地域を1つから{MOST_AREAS}までえらんでください")
        if not self.categories:
            raise InvalidParam("お知らせの分野を1つ以上えらんでください")

    @property
    def codes(self) -> list[str]:
        """The codes of the areas."""
        return [area.code for area in self.areas]

    def is_no_more_than(self, offered: Terms) -> bool:
        """Whether nothing is taken that was not offered. Who accepts may take less, and call itself what it likes."""
        return (
            self.kind is offered.kind and set(self.codes) <= set(offered.codes)
            and self.categories <= offered.categories and self.told <= offered.told
        )

    def as_json(self) -> Content:
        """As events and tables carry it."""
        return {
            "kind": self.kind.value, "name": self.name, "areas": [area.as_json() for area in self.areas],
            "categories": sorted(item.value for item in self.categories),
            "figures": sorted(item.value for item in self.told),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """Read that; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        return cls(
            kind=NodeKind(value["kind"]), name=str(value["name"]),
            areas=tuple(Area.from_json(item) for item in value["areas"]),
            categories=frozenset(Category(item) for item in value["categories"]),
            told=frozenset(Told(item) for item in value["figures"]),
        )

    def in_words(self) -> list[str]:
        """What is shared, one sentence a line, for both before they agree."""
        names = "、".join(area.name for area in self.areas[:20])
        categories = "、".join(item.label for item in Category if item in self.categories)
        lines = [f"届くお知らせ：{names}あての {categories}"]
        lines += [f"伝える人数：{item.label}" for item in Told if item in self.told]
        lines.append("伝わるのは人数だけです。名前、住所、だれが答えたかは伝わりません。")
        lines.append("この つながりは、どちらからでも いつでも終わりにできます。")
        return lines


class LinkState(StrEnum):
    """The life of a link."""

    AGREEING = "agreeing"
    IN_FORCE = "in_force"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """For officers."""
        return {"agreeing": "つないでいます", "in_force": "つながっています", "ended": "終わりました"}[self.value]


class Direction(StrEnum):
    """Where the other one stands, as seen from here."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link with one other node. ``name`` and ``kind`` are the other's; ``terms`` those of whoever is below;
    ``mandates`` (of one above) say for whom else it may pass notices on."""

    room_id: str
    direction: Direction
    server: str
    user_id: str
    name: str
    kind: NodeKind
    terms: Terms
    offered: Terms
    state: LinkState
    begun_ts: int
    changed_ts: int
    mandates: tuple[Content, ...] = ()
    reason: str = ""

    @property
    def is_in_force(self) -> bool:
        """Whether anything may go over it."""
        return self.state is LinkState.IN_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRecord:
    """An invitation code as the issuer's list shows it; the code itself is nowhere but on the paper."""

    hash: str
    number: str
    terms: Terms
    issuer: str
    created_ts: int
    expires_ts: int
    used_by: str = ""
    used_ts: int | None = None
    room_id: str = ""
    withdrawn_ts: int | None = None

    def state_at(self, now_ms: int) -> str:
        """See ``codes.state_of``."""
        return state_of(self.used_by, self.withdrawn_ts, self.expires_ts, now_ms)


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a link as it shows itself."""

    server: str
    user_id: str
    name: str
    kind: NodeKind

    def as_json(self) -> Content:
        """As requests carry it."""
        return {"server": self.server, "user_id": self.user_id, "name": self.name, "kind": self.kind.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Party:
        """Read that; raises ``KeyError`` or ``ValueError``."""
        return cls(str(value["server"]), str(value["user_id"]), str(value["name"])[:MAX_NAME], NodeKind(value["kind"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What an invitation code offers, before anybody has agreed. ``above``: whose notices the other passes on."""

    party: Party
    terms: Terms
    expires_ts: int
    above: Sequence[str] = field(default_factory=tuple)

    def in_words(self) -> list[str]:
        """For the officers who decide."""
        lines = [f"相手：{self.party.name}（{self.party.kind.label}・{self.party.server}）"]
        if self.above:
            lines.append(f"この相手を通して届くもの：{'、'.join(self.above)} のお知らせ")
        return [*lines, *self.terms.in_words()]
