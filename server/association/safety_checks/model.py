"""The words of a safety check: what is asked, what can be answered, how people stand, how figures add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from server.association.members.came_by import CameBy
from server.association.members.model import Audience
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam
from server.rooms.poll_events import Choice, start_content

Content = dict[str, Any]

CHECK: Final = "jp.kairan.safety.check"
RESPONSE: Final = "jp.kairan.safety.response"
SUMMARY: Final = "jp.kairan.safety.summary"
# What marks the node's own messages: a question, a receipt for an answer, the result in 防災.
PROMPT: Final = "jp.kairan.safety.prompt"
RECEIVED: Final = "jp.kairan.safety.received"
RESULT: Final = "jp.kairan.safety.result"

DRILL_MARK: Final = "【訓練】"
MAX_COMMENT: Final = 1000
MAX_TITLE: Final = 100
MAX_PEOPLE: Final = 99


class State(StrEnum):
    """The life of a check."""

    ASKING = "asking"
    CLOSED = "closed"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.ASKING: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}


class Status(StrEnum):
    """What a person answers (R62): 無事, 連絡希望, 支援希望."""

    SAFE = "safe"
    CONTACT = "contact"
    HELP = "help"

    @property
    def label(self) -> str:
        """The words on the buttons."""
        return {"safe": "無事です", "contact": "連絡がほしい", "help": "助けがほしい"}[self.value]


CHOICES: Final = tuple(Choice(status.value, status.label) for status in Status)
# Most serious first.
SEVERITY: Final = (Status.HELP, Status.CONTACT, Status.SAFE)


class Standing(StrEnum):
    """Where a person stands in the table (R63). In the order in which officers look after them (R74)."""

    HELP = "help"
    CONTACT = "contact"
    NO_APP = "no_app"
    UNREAD = "unread"
    READ = "read"
    SAFE = "safe"

    @property
    def label(self) -> str:
        """The head of the column."""
        return {
            "help": "助けがほしい", "contact": "連絡がほしい", "no_app": "アプリなし（訪問・電話）", "unread": "未読",
            "read": "既読・未回答", "safe": "無事",
        }[self.value]

    @property
    def is_answer(self) -> bool:
        """Whether somebody who stands here has answered."""
        return self in (Standing.SAFE, Standing.CONTACT, Standing.HELP)


ORDER: Final = {standing: place for place, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True)
class Check:
    """One safety check. Times are milliseconds since 1970."""

    id: str
    title: str
    drill: bool
    audience: Audience
    issuer: str
    state: State
    started_ts: int
    closed_ts: int | None = None

    @property
    def shown_title(self) -> str:
        """The title, marked where it is a drill."""
        return f"{DRILL_MARK}{self.title}" if self.drill else self.title

    def as_content(self) -> Content:
        """The content of the state event."""
        content: Content = {
            "check_id": self.id, "title": self.title, "drill": self.drill, "audience": self.audience.as_json(),
            "issuer": self.issuer, "state": self.state.value, "started_ts": self.started_ts,
            "body": f"{self.shown_title}（安否確認）",
        }
        if self.closed_ts is not None:
            content["closed_ts"] = self.closed_ts
        return content

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Check:
        """Read that content; raises ``InvalidParam``, ``KeyError``, ``ValueError`` or ``TypeError``."""
        closed = content.get("closed_ts")
        return cls(
            str(content["check_id"]), str(content["title"]), bool(content["drill"]),
            Audience.from_json(content["audience"]), str(content["issuer"]), State(content["state"]),
            int(content["started_ts"]), None if closed is None else int(closed),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or with no ``status`` a remark; ``place`` numbers a person's answers from 1 in the order in which
    they came. ``entered_by`` is the officer who wrote it down for somebody."""

    id: str
    place: int
    ts: int
    status: Status | None
    comment: str = ""
    people: int | None = None
    geo_uri: str = ""
    channel: CameBy = CameBy.APP
    entered_by: str = ""


@dataclass(frozen=True, slots=True)
class Current:
    """What holds of several answers: the last one that says how somebody is, and what was written since."""

    status: Status | None = None
    ts: int | None = None
    comment: str = ""
    people: int | None = None
    geo_uri: str = ""
    channel: CameBy | None = None
    entered_by: str = ""
    place: int = 0


def current_of(answers: Sequence[Answer]) -> Current:
    """The last answer counts (change of mind is allowed); remarks after it stay with it."""
    last: Answer | None = None
    remarks: list[str] = []
    for answer in answers:
        if answer.status is not None:
            last, remarks = answer, []
        if answer.comment:
            remarks.append(answer.comment)
    comment = "\n".join(remarks)[-MAX_COMMENT:]
    if last is None:
        return Current(comment=comment)
    return Current(last.status, last.ts, comment, last.people, last.geo_uri, last.channel, last.entered_by,
                   last.place)


def standing_of(status: Status | None, *, has_read: bool, has_app: bool) -> Standing:
    """Where a person stands. Reading never counts as an answer."""
    if status is not None:
        return Standing(status.value)
    if not has_app:
        return Standing.NO_APP
    return Standing.READ if has_read else Standing.UNREAD


def standing_of_household(standings: Iterable[Standing]) -> Standing:
    """One row a household: its most serious answer; without any, the furthest that one of them has come."""
    found = set(standings)
    rank = (Standing.HELP, Standing.CONTACT, Standing.SAFE, Standing.READ, Standing.UNREAD)
    return next((standing for standing in rank if standing in found), Standing.NO_APP)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many stand where; the columns add up to ``total``."""

    counts: Mapping[Standing, int] = field(default_factory=dict)

    def of(self, standing: Standing) -> int:
        """One column."""
        return self.counts.get(standing, 0)

    @property
    def total(self) -> int:
        """All who are asked or visited."""
        return sum(self.counts.values())

    @property
    def answered(self) -> int:
        """All who have answered, whatever they said and by whatever way."""
        return sum(count for standing, count in self.counts.items() if standing.is_answer)

    def __add__(self, other: Figures) -> Figures:
        return Figures({standing: self.of(standing) + other.of(standing) for standing in Standing})

    def as_content(self) -> dict[str, int]:
        """As the summary event carries them."""
        return {"answered": self.answered, **{item.value: self.of(item) for item in Standing}, "total": self.total}

    def as_text(self) -> str:
        """One line for people."""
        said = f"無事 {self.of(Standing.SAFE)}、連絡希望 {self.of(Standing.CONTACT)}、支援希望 {self.of(Standing.HELP)}"
        parts = [f"回答 {self.answered}人（{said}）", f"既読・未回答 {self.of(Standing.READ)}人",
                 f"未読 {self.of(Standing.UNREAD)}人"]
        if self.of(Standing.NO_APP):
            parts.append(f"アプリなし・未確認 {self.of(Standing.NO_APP)}人")
        return "、".join([*parts, f"合計 {self.total}人"])


def prompt_contents(check: Check) -> tuple[Content, Content]:
    """The question as a plain message and as a poll. Both are one question, so nobody needs a client with polls."""
    mark = {PROMPT: {"check_id": check.id, "drill": check.drill}}
    kind = "これは訓練です。" if check.drill else ""
    lines = [f"{check.shown_title}（安否確認）", f"{kind}ご無事ですか。番号で答えてください。"]
    lines += [f"{number} {status.label}" for number, status in enumerate(Status, 1)]
    lines.append("下の投票をおす、「無事」や「1」と書いて送る、1️⃣ 2️⃣ 3️⃣ のリアクションをつける、のどれでも届きます。")
    lines.append("あとから変えることもできます。")
    message = {"msgtype": "m.text", "body": "\n".join(lines), **mark}
    question = f"{DRILL_MARK if check.drill else ''}ご無事ですか（安否確認）"
    return message, {**start_content(question, CHOICES, disclosed=False), **mark}


def received_content(check: Check, current: Current) -> Content:
    """The short notice to a resident: it has arrived, and what was understood."""
    mark = DRILL_MARK if check.drill else ""
    if current.status is None or current.ts is None:
        body = f"{mark}読みました。無事なら「1」、連絡がほしいときは「2」、助けがほしいときは「3」と送ってください。"
        return {"msgtype": "m.notice", "body": body, RECEIVED: {"check_id": check.id}}
    body = f"{mark}届きました {tokyo_time(current.ts):%H:%M}（{current.status.label}）"
    told = {"check_id": check.id, "status": current.status.value, "place": current.place}
    return {"msgtype": "m.notice", "body": body, RECEIVED: told}


def result_content(check: Check, figures: Figures) -> Content:
    """The result for everybody: figures only."""
    kind = "安否確認の訓練" if check.drill else "安否確認"
    body = f"{check.shown_title}：{kind}を終わりました。ご協力ありがとうございました。\n{figures.as_text()}"
    told = {"check_id": check.id, "drill": check.drill, "counts": figures.as_content()}
    return {"msgtype": "m.text", "body": body, RESULT: told}


def summary_content(check: Check, figures: Figures, at_ms: int) -> Content:
    """The content of the summary state event."""
    return {
        "check_id": check.id, "title": check.title, "drill": check.drill, "state": check.state.value,
        "counts": figures.as_content(), "ts": at_ms, "body": f"{check.shown_title}：{figures.as_text()}",
    }


def checked_title(title: str) -> str:
    """A title of one line; raises ``InvalidParam``."""
    plain = " ".join(title.split())
    if not plain or len(plain) > MAX_TITLE:
        raise InvalidParam(f"題名を1字から{MAX_TITLE}字で書いてください", field="title")
    return plain
