"""The words of broadcasts: a notice, its life, and what an association has done with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from federation.links.model import MAX_NAME, Category, NodeKind, checked_code
from server.association.circulars.model import Attachment
from server.foundation.errors import InvalidParam

Content = dict[str, Any]

# The event, and what the signed object in it calls itself.
BROADCAST: Final = "jp.kairan.broadcast"
NOTICE: Final = "jp.kairan.notice"

MAX_TITLE: Final = 80
MAX_TEXT: Final = 4_000
MAX_NOTE: Final = 500
MAX_REASON: Final = 300
MOST_AREAS: Final = 300
MOST_ATTACHMENTS: Final = 10
MOST_CHOICES: Final = 20
MAX_CHOICE: Final = 100
MAX_VALID_MS: Final = 400 * 86_400_000
_ID_LETTERS: Final = 40


class Kind(StrEnum):
    """What a broadcast asks of people."""

    NOTICE = "notice"
    SURVEY = "survey"
    SAFETY_CHECK = "safety_check"

    @property
    def label(self) -> str:
        """お知らせ …"""
        return {"notice": "お知らせ", "survey": "アンケート", "safety_check": "安否確認"}[self.value]


class Priority(StrEnum):
    """How urgent it is. An alert overtakes everything, and waits for no officer."""

    ORDINARY = "ordinary"
    IMPORTANT = "important"
    ALERT = "alert"

    @property
    def label(self) -> str:
        """ふつう, 重要, 緊急."""
        return {"ordinary": "ふつう", "important": "重要", "alert": "緊急"}[self.value]


class Stage(StrEnum):
    """The life of a notice at whoever wrote it."""

    SENT = "sent"
    CORRECTED = "corrected"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """送りました …"""
        return {"sent": "送りました", "corrected": "訂正しました", "closed": "締め切りました",
                "cancelled": "取り消しました"}[self.value]

    @property
    def is_over(self) -> bool:
        """Nothing follows."""
        return self in (Stage.CLOSED, Stage.CANCELLED)


class Standing(StrEnum):
    """What this node has done with a notice."""

    OWN = "own"
    ARRIVED = "arrived"
    HELD = "held"
    SHOWN = "shown"
    PASSED = "passed"
    DECLINED = "declined"

    @property
    def label(self) -> str:
        """For officers."""
        return {"own": "ここから送ったもの", "arrived": "届いています", "held": "役員の確認待ち",
                "shown": "回覧しました", "passed": "下へ伝えました", "declined": "回覧しませんでした"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a desk writes. Times in milliseconds since 1970; ``choices`` of a survey, ``drill`` of a safety check."""

    title: str
    text: str = ""
    areas: tuple[str, ...]
    category: Category = Category.ADMINISTRATION
    priority: Priority = Priority.ORDINARY
    kind: Kind = Kind.NOTICE
    office: str = ""
    for_officers: bool = False
    attachments: tuple[Attachment, ...] = ()
    expires_ts: int | None = None
    deadline: int | None = None
    choices: tuple[str, ...] = ()
    most: int = 1
    drill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One revision of a notice, as it is signed. ``origin`` is the server of whoever wrote it."""

    origin: str
    id: str
    revision: int
    stage: Stage
    from_name: str
    from_kind: NodeKind
    message: Message
    sent_ts: int
    changed_ts: int
    expires_ts: int
    reason: str = ""

    @property
    def key(self) -> str:
        """What names it everywhere."""
        return f"{self.origin}/{self.id}"

    @property
    def from_words(self) -> str:
        """Who says it: 金沢市 市民協働課."""
        return f"{self.from_name} {self.message.office}".strip()

    def check(self) -> None:
        """Raise ``InvalidParam`` where it cannot be sent, or where a stranger's cannot be taken."""
        said = self.message
        if not said.title.strip() or len(said.title) > MAX_TITLE or "\n" in said.title:
            raise InvalidParam(f"題名を1行で、1字から{MAX_TITLE}字で書いてください")
        if len(said.text) > MAX_TEXT:
            raise InvalidParam(f"本文は{MAX_TEXT}字までです。長いものはPDFにしてください")
        if said.kind is Kind.NOTICE and not said.text.strip() and not said.attachments:
            raise InvalidParam("本文を書くか、ファイルをつけてください")
        if not 1 <= len(said.areas) <= MOST_AREAS:
            raise InvalidParam("あて先の地域をえらんでください")
        for code in said.areas:
            checked_code(code)
        if len(said.attachments) > MOST_ATTACHMENTS or not all(_is_file(item) for item in said.attachments):
            raise InvalidParam(f"ファイルは{MOST_ATTACHMENTS}個までです。もう一度つけてください")
        if not self.sent_ts < self.expires_ts <= self.sent_ts + MAX_VALID_MS:
            raise InvalidParam("掲載の終わりを、これから400日までの日時にしてください")
        if len(self.from_name) > MAX_NAME or len(said.office) > MAX_NAME or len(self.reason) > MAX_REASON:
            raise InvalidParam("名前か理由が長すぎます")
        if not 1 <= len(self.id) <= _ID_LETTERS or not self.id.isalnum() or not self.id.isascii():
            raise InvalidParam("知らせの番号が正しくありません")
        _check_survey(said)

    def as_json(self) -> Content:
        """What is signed."""
        said = self.message
        told: Content = {
            "type": NOTICE, "origin": self.origin, "id": self.id, "revision": self.revision,
            "stage": self.stage.value, "kind": said.kind.value,
            "from": {"name": self.from_name, "kind": self.from_kind.value, "office": said.office},
            "title": said.title, "text": said.text, "category": said.category.value,
            "priority": said.priority.value,
            "audience": {"areas": list(said.areas), "people": "officers" if said.for_officers else "everyone"},
            "attachments": [item.as_json() for item in said.attachments],
            "sent_ts": self.sent_ts, "changed_ts": self.changed_ts, "expires_ts": self.expires_ts,
        }
        if said.deadline is not None:
            told["deadline"] = said.deadline
        if self.reason:
            told["reason"] = self.reason
        if said.kind is Kind.SURVEY:
            told["question"] = {"choices": list(said.choices), "most": said.most}
        if said.kind is Kind.SAFETY_CHECK:
            told["drill"] = said.drill
        return told

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Notice:
        """Read that; raises ``Refused``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        if value["type"] != NOTICE:
            raise ValueError("no notice")
        question, who, audience = value.get("question", {}), value["from"], value["audience"]
        deadline, expires = value.get("deadline"), int(value["expires_ts"])
        message = Message(
            title=str(value["title"]), text=str(value["text"]), areas=tuple(str(code) for code in audience["areas"]),
            category=Category(value["category"]), priority=Priority(value["priority"]), kind=Kind(value["kind"]),
            office=str(who.get("office", "")), for_officers=audience.get("people") == "officers",
            attachments=tuple(Attachment.from_json(item) for item in value.get("attachments", ())),
            expires_ts=expires, deadline=None if deadline is None else int(deadline),
            choices=tuple(str(item) for item in question.get("choices", ())), most=int(question.get("most", 1)),
            drill=bool(value.get("drill", False)),
        )
        notice = cls(
            origin=str(value["origin"]), id=str(value["id"]), revision=int(value["revision"]),
            stage=Stage(value["stage"]), from_name=str(who["name"]), from_kind=NodeKind(who["kind"]),
            message=message, sent_ts=int(value["sent_ts"]), changed_ts=int(value["changed_ts"]), expires_ts=expires,
            reason=str(value.get("reason", "")),
        )
        notice.check()
        return notice


def _is_file(item: Attachment) -> bool:
    return item.url.startswith("mxc://") and bool(item.name.strip()) and len(item.url) + len(item.name) < 600


def _check_survey(said: Message) -> None:
    if said.kind is not Kind.SURVEY:
        return
    if not 2 <= len(said.choices) <= MOST_CHOICES or not 1 <= said.most <= len(said.choices):
        raise InvalidParam(f"こたえを2つから{MOST_CHOICES}まで書いてください")
    if not all(item.strip() and len(item) <= MAX_CHOICE for item in said.choices):
        raise InvalidParam(f"こたえは、ひとつを1字から{MAX_CHOICE}字で書いてください")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A notice as this node keeps it: the newest revision as it was signed, and what became of it here."""

    notice: Notice
    signed: Content
    standing: Standing
    received_ts: int
    circular_id: str = ""
    twin_id: str = ""
    note: str = ""
    decided_by: str = ""
    decided_ts: int | None = None

    @property
    def key(self) -> str:
        """What names it everywhere."""
        return self.notice.key

    @property
    def is_own(self) -> bool:
        """Whether it was written here."""
        return self.standing is Standing.OWN

    def now(self, **changes: Any) -> Record:
        """Changed."""
        return replace(self, **changes)


def id_from(key: str, what: str) -> str:
    """The id of what a notice becomes here: always the same, so that nothing is made twice."""
    digest = hashlib.sha256(f"kairan {what} {key}".encode()).digest()
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(letters[byte % len(letters)] for byte in digest[:16])


def event_content(notice: Notice, signed: Content) -> Content:
    """The event in the room of a link; ``priority`` once more outside, so that an alert overtakes what waits."""
    mark = "【緊急】" if notice.message.priority is Priority.ALERT else ""
    return {
        "notice": signed, "priority": notice.message.priority.value,
        "body": f"{mark}{notice.from_words}：{notice.message.title}（{notice.stage.label}）",
    }
