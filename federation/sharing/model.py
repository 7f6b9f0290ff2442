"""The words of sharing: what can be shared, what both sides agree to, a share and its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from federation.links.codes import state_of
from federation.links.model import MAX_NAME, NodeKind, Party
from server.foundation.errors import InvalidParam

Content = dict[str, Any]

# The state event of a share, one for each side (the state key is whoever says it); and the type of its room.
SHARING: Final = "jp.kairan.sharing"
# The key in a message by which a thing is told.
SHARED: Final = "jp.kairan.shared"
MOST_FACILITIES: Final = 30
MAX_ID: Final = 64


class Subject(StrEnum):
    """What two neighbours may share."""

    CALENDAR = "calendar"
    FACILITIES = "facilities"
    HAZARDS = "hazards"
    BOARD = "board"

    @property
    def label(self) -> str:
        """What people read."""
        return {
            "calendar": "行事", "facilities": "集会所など", "hazards": "危険の知らせ", "board": "共同の掲示板",
        }[self.value]

    @property
    def in_words(self) -> str:
        """What exactly is shown to the other side, and what is not."""
        return {
            "calendar": "行事：みんなあての行事の 名前・日時・場所・中止。説明や、だれが来るかは 伝わりません。",
            "facilities": "集会所など：名前・場所・開いている時間・空いているかどうか。"
                          "だれが何に使うかは 伝わりません。相手の住民は 予約を お願いでき、持ち主の役員が きめます。",
            "hazards": "危険の知らせ：種類・場所・説明・写真・いまの状態。だれが知らせたかは 伝わりません。",
            "board": "共同の掲示板：両方の住民が 自分から入る 部屋。"
                     "入った人の 名前と 書いたことは、相手の住民にも見えます。",
        }[self.value]


class Kind(StrEnum):
    """A kind of thing that is told in the room of a share."""

    GATHERING = "gathering"
    FACILITY = "facility"
    HAZARD = "hazard"
    # Somebody of ours asks for a facility of theirs; and what became of it.
    REQUEST = "request"
    ANSWER = "answer"

    @property
    def subject(self) -> Subject:
        """Under which subject it was agreed."""
        return {
            Kind.GATHERING: Subject.CALENDAR, Kind.HAZARD: Subject.HAZARDS,
        }.get(self, Subject.FACILITIES)

    @property
    def most(self) -> int:
        """So many of them are kept of one neighbour."""
        return {
            Kind.GATHERING: 200, Kind.FACILITY: MOST_FACILITIES, Kind.HAZARD: 100, Kind.REQUEST: 60, Kind.ANSWER: 200,
        }[self]


@dataclass(frozen=True, slots=True)
class Opened:
    """A facility that is opened to the neighbour."""

    id: str
    name: str

    def __post_init__(self) -> None:
        if not (0 < len(self.id) <= MAX_ID and 0 < len(self.name.strip()) <= MAX_NAME):
            raise InvalidParam("集会所などの名前が読めません")

    def as_json(self) -> Content:
        """As events and tables carry it."""
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True)
class Terms:
    """What one side shows: the subjects, and of facilities which."""

    subjects: frozenset[Subject]
    facilities: tuple[Opened, ...] = ()

    def __post_init__(self) -> None:
        if not self.subjects:
            raise InvalidParam("分け合うものを 1つ以上えらんでください")
        if len(self.facilities) > MOST_FACILITIES:
            raise InvalidParam(f"集会所などは{MOST_FACILITIES}までです")
        if self.facilities and Subject.FACILITIES not in self.subjects:
            raise InvalidParam("集会所などを 分け合うことが えらばれていません")

    def has(self, kind: Kind) -> bool:
        """Whether things of this kind were agreed."""
        return kind.subject in self.subjects

    def opens(self, facility_id: str) -> bool:
        """Whether a facility is among those that are opened."""
        return any(item.id == facility_id for item in self.facilities)

    def as_json(self) -> Content:
        """As events and tables carry it."""
        return {
            "subjects": sorted(item.value for item in self.subjects),
            "facilities": [item.as_json() for item in self.facilities],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """Read that; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        facilities = tuple(Opened(str(item["id"]), str(item["name"])) for item in value.get("facilities", ()))
        return cls(frozenset(Subject(item) for item in value["subjects"]), facilities)

    def in_words(self) -> list[str]:
        """What is shared, one sentence a line, for both before they agree."""
        lines = []
        for subject in Subject:
            if subject in self.subjects:
                lines.append(subject.in_words)
        if Subject.FACILITIES in self.subjects:
            names = "、".join(item.name for item in self.facilities)
            lines.append(f"見せる集会所など：{names or 'ありません'}")
        return lines


OUR_WORDS: Final = (
    "住民の名前、住所、名簿は 伝わりません。",
    "どちらからでも いつでも おわりにできます。おわりにすると、相手のところから すぐに消えます。",
)


class ShareState(StrEnum):
    """The life of a share."""

    AGREEING = "agreeing"
    IN_FORCE = "in_force"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """For officers."""
        return {"agreeing": "相手を待っています", "in_force": "分け合っています", "ended": "おわりました"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What we share with one neighbour. ``given`` is what we show, ``taken`` what they do; ``is_ours``: we have made
    the room. ``space_id`` is the neighbour's space, whose members may enter the board. ``name`` is the neighbour's as
    the officers have read it when they agreed.
    """

    room_id: str
    server: str
    user_id: str
    name: str
    kind: NodeKind
    is_ours: bool
    given: Terms
    taken: Terms
    state: ShareState
    begun_ts: int
    changed_ts: int
    space_id: str = ""
    board_id: str = ""
    reason: str = ""

    @property
    def is_in_force(self) -> bool:
        """Whether anything may go between the two."""
        return self.state is ShareState.IN_FORCE

    def shares(self, subject: Subject) -> bool:
        """Whether a subject was agreed by both."""
        return subject in self.given.subjects and subject in self.taken.subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCode:
    """A code as the issuer's list shows it; the code itself is nowhere but with the neighbour."""

    hash: str
    number: str
    name: str
    terms: Terms
    issuer: str
    created_ts: int
    expires_ts: int
    used_by: str = ""
    room_id: str = ""
    withdrawn_ts: int | None = None

    def state_at(self, now_ms: int) -> str:
        """See ``codes.state_of``."""
        return state_of(self.used_by, self.withdrawn_ts, self.expires_ts, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOffer:
    """What a code offers, before anybody has agreed."""

    party: Party
    terms: Terms
    expires_ts: int

    def in_words(self) -> list[str]:
        """For the officers who decide."""
        who = f"相手：{self.party.name}（{self.party.kind.label}・{self.party.server}）"
        return [who, "相手が 見せるもの：", *self.terms.in_words(), *OUR_WORDS]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that is told. ``value`` is what it is; ``None``: it is gone."""

    kind: Kind
    id: str
    value: Content | None
    body: str
