"""The words of a circular: what it carries, the states of its life, how far it has come with people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from server.association.members.model import Audience
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam, Refused

Content = dict[str, Any]

MARK: Final = "jp.kairan.circular"
ATTACHMENT: Final = "jp.kairan.circular.attachment"
OPENED: Final = "jp.kairan.circular.opened"
ACKNOWLEDGING_KEYS: Final = frozenset({"✅", "👍", "☑", "🙆"})

MAX_TITLE: Final = 100
# Twice in an event of 64 kB, three bytes a letter; what is longer comes as a PDF.
MAX_TEXT: Final = 5000
MAX_REASON: Final = 500
MOST_ATTACHMENTS: Final = 20
_SKIN_TONES: Final = dict.fromkeys(range(0x1F3FB, 0x1F400))


class State(StrEnum):
    """The life of a circular, in the association's words."""

    GOING_ROUND = "going_round"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"

    @property
    def label(self) -> str:
        """回覧中, 訂正 …"""
        return {
            "going_round": "回覧中", "corrected": "訂正あり", "withdrawn": "取り消し", "returned": "回覧おわり",
        }[self.value]


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.GOING_ROUND: frozenset({State.CORRECTED, State.WITHDRAWN, State.RETURNED}),
    State.CORRECTED: frozenset({State.CORRECTED, State.WITHDRAWN, State.RETURNED}),
    State.RETURNED: frozenset({State.CORRECTED, State.WITHDRAWN}),
    State.WITHDRAWN: frozenset(),
}


def require_next(before: State, after: State) -> None:
    """Raise ``Refused`` where the life of a circular does not go on so."""
    if after not in NEXT[before]:
        raise Refused(f"「{before.label}」の回覧は、「{after.label}」にできません", code="M_BAD_STATE")


class Category(StrEnum):
    """What a circular is about; residents may choose what makes their telephone ring (R7)."""

    NOTICE = "notice"
    DISASTER = "disaster"
    GATHERING = "gathering"
    GARBAGE = "garbage"
    CHILDREN = "children"
    WELFARE = "welfare"
    CITY = "city"
    OTHER = "other"

    @property
    def label(self) -> str:
        """お知らせ, 防災・防犯 …"""
        return {
            "notice": "お知らせ", "disaster": "防災・防犯", "gathering": "行事", "garbage": "ごみ・清掃",
            "children": "子ども・学校", "welfare": "福祉・健康", "city": "市から", "other": "その他",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the media store (``mxc://…``)."""

    url: str
    name: str
    mimetype: str = "application/octet-stream"
    size: int | None = None

    @property
    def is_image(self) -> bool:
        """Whether clients show it as a picture."""
        return self.mimetype.startswith("image/")

    def as_json(self) -> Content:
        """As events and the table carry it."""
        told: Content = {"url": self.url, "name": self.name, "mimetype": self.mimetype}
        return told if self.size is None else {**told, "size": self.size}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Attachment:
        """Read that; raises ``KeyError``, ``ValueError`` or ``TypeError``."""
        size = value.get("size")
        return cls(str(value["url"]), str(value["name"]), str(value["mimetype"]), None if size is None else int(size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an officer writes. ``deadline`` in milliseconds since 1970, ``upstream`` the broadcast that it repeats.

    What is important rings also where circulars are muted.
    """

    title: str
    text: str
    audience: Audience
    category: Category = Category.NOTICE
    deadline: int | None = None
    attachments: tuple[Attachment, ...] = ()
    upstream: str = ""
    is_important: bool = False

    def check(self) -> None:
        """Raise ``InvalidParam`` where it cannot be sent."""
        if not self.title.strip() or len(self.title) > MAX_TITLE or "\n" in self.title:
            raise InvalidParam(f"題名を1行で、1字から{MAX_TITLE}字で書いてください", field="title")
        if len(self.text) > MAX_TEXT:
            raise InvalidParam(f"本文は{MAX_TEXT}字までです。長いものはPDFにしてください", field="text")
        if not self.text.strip() and not self.attachments:
            raise InvalidParam("本文を書くか、ファイルをつけてください", field="text")
        if len(self.attachments) > MOST_ATTACHMENTS:
            raise InvalidParam(f"ファイルは{MOST_ATTACHMENTS}個までです")
        if any(not item.url.startswith("mxc://") or not item.name.strip() for item in self.attachments):
            raise InvalidParam("ファイルをもう一度つけてください")


@dataclass(frozen=True, slots=True)
class Circular:
    """One circular. Times are milliseconds since 1970; ``revision`` counts from 1."""

    id: str
    title: str
    text: str
    category: Category
    audience: Audience
    issuer: str
    state: State
    revision: int
    created_ts: int
    changed_ts: int
    deadline: int | None = None
    attachments: tuple[Attachment, ...] = ()
    reason: str = ""
    upstream: str = ""
    is_important: bool = False

    def state_at(self, now_ms: int) -> State:
        """The state as it is shown: past its deadline a circular has come back."""
        going = self.state in (State.GOING_ROUND, State.CORRECTED)
        return State.RETURNED if going and self.deadline is not None and now_ms > self.deadline else self.state

    def as_mark(self) -> Content:
        """What the message carries beside its readable text. A withdrawn circular says no more what it said."""
        mark: Content = {
            "id": self.id, "title": self.title, "category": self.category.value, "audience": self.audience.as_json(),
            "deadline": self.deadline, "issuer": self.issuer, "state": self.state.value, "revision": self.revision,
            "created_ts": self.created_ts, "changed_ts": self.changed_ts,
        }
        if self.upstream:
            mark["upstream"] = self.upstream
        if self.reason:
            mark["reason"] = self.reason
        if self.is_important:
            mark["important"] = True
        if self.state is not State.WITHDRAWN:
            mark |= {"text": self.text, "attachments": [item.as_json() for item in self.attachments]}
        return mark

    @classmethod
    def from_mark(cls, mark: Mapping[str, Any]) -> Circular:
        """Read that; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        deadline = mark.get("deadline")
        return cls(
            str(mark["id"]), str(mark["title"]), str(mark.get("text", "")), Category(mark["category"]),
            Audience.from_json(mark["audience"]), str(mark["issuer"]), State(mark["state"]), int(mark["revision"]),
            int(mark["created_ts"]), int(mark["changed_ts"]), None if deadline is None else int(deadline),
            tuple(Attachment.from_json(item) for item in mark.get("attachments", ())), str(mark.get("reason", "")),
            str(mark.get("upstream", "")), mark.get("important") is True,
        )


def readable_body(circular: Circular) -> str:
    """The circular for a client that knows nothing of circulars."""
    if circular.state is State.WITHDRAWN:
        lines = [f"【回覧・取り消し】{circular.title}", "この回覧は取り消されました。", circular.reason]
        return "\n".join(line for line in lines if line)
    head = {State.CORRECTED: "【回覧・訂正】", State.RETURNED: "【回覧・おわり】"}.get(circular.state, "【回覧】")
    lines = [head + ("【大切】" if circular.is_important else "") + circular.title]
    if circular.reason:
        lines.append(f"（{circular.reason}）")
    if circular.text:
        lines += ["", circular.text]
    foot = []
    if circular.deadline is not None:
        foot.append(f"期限：{tokyo_time(circular.deadline):%Y年%-m月%-d日}")
    if circular.attachments:
        foot.append("ファイル：" + "、".join(item.name for item in circular.attachments))
    foot.append("読んだら ✅ をつけてください。")
    return "\n".join([*lines, "", *foot])


def message_content(circular: Circular) -> Content:
    """The message in each room of the audience."""
    return {"msgtype": "m.text", "body": readable_body(circular), MARK: circular.as_mark()}


def edit_content(circular: Circular, event_id: str) -> Content:
    """The edit that brings a room's message to this revision."""
    return {
        "msgtype": "m.text", "body": f"* {readable_body(circular).splitlines()[0]}",
        "m.new_content": message_content(circular),
        "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
    }


def attachment_content(circular: Circular, item: Attachment, root: str) -> Content:
    """A file in the thread below the message."""
    info: Content = {"mimetype": item.mimetype}
    if item.size is not None:
        info["size"] = item.size
    return {
        "msgtype": "m.image" if item.is_image else "m.file", "body": item.name, "filename": item.name, "url": item.url,
        "info": info, ATTACHMENT: {"id": circular.id, "url": item.url},
        "m.relates_to": {
            "rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root}},
    }


def is_acknowledging(key: str) -> bool:
    """Whether a reaction says: I have read it and agree to have done so."""
    return key.replace("\ufe0f", "").translate(_SKIN_TONES) in ACKNOWLEDGING_KEYS


class Progress(StrEnum):
    """How far a circular has come with a person or a household, the furthest first."""

    ACKNOWLEDGED = "acknowledged"
    OPENED = "opened"
    SEEN = "seen"
    PAPER = "paper"
    NOT_YET = "not_yet"

    @property
    def label(self) -> str:
        """The head of the column."""
        return {
            "acknowledged": "確認した", "opened": "開いた", "seen": "見た", "paper": "紙・電話で届けた",
            "not_yet": "まだ",
        }[self.value]


def furthest(found: Iterable[Progress]) -> Progress:
    """A household is where the furthest of its people is."""
    reached = set(found)
    return next((progress for progress in Progress if progress in reached), Progress.NOT_YET)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are how far; all add up to ``total``."""

    counts: Mapping[Progress, int] = field(default_factory=dict)

    @classmethod
    def of_all(cls, found: Iterable[Progress]) -> Counts:
        """Count them."""
        counts: dict[Progress, int] = {}
        for progress in found:
            counts[progress] = counts.get(progress, 0) + 1
        return cls(counts)

    def of(self, progress: Progress) -> int:
        """One column."""
        return self.counts.get(progress, 0)

    @property
    def total(self) -> int:
        """Everybody whom the circular is for."""
        return sum(self.counts.values())

    @property
    def reached(self) -> int:
        """Everybody who has it in one way or another."""
        return self.total - self.of(Progress.NOT_YET)
