"""The words of liaison rooms: cases, their life, and who is on duty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from server.foundation.errors import InvalidParam, Refused

Content = dict[str, Any]

# In the room of the link: which room is the liaison room. In messages of that: which case they belong to.
LIAISON: Final = "jp.kairan.liaison"
CASE: Final = "jp.kairan.liaison.case"
DUTY: Final = "jp.kairan.liaison.duty"
MAX_TITLE: Final = 80
MAX_TEXT: Final = 4_000
MAX_NAME: Final = 60


class CaseState(StrEnum):
    """The life of a case."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"

    @property
    def label(self) -> str:
        """For officers."""
        return {"open": "まだ", "taken": "担当しています", "answered": "回答しました"}[self.value]


NEXT: Final[Mapping[CaseState, frozenset[CaseState]]] = {
    CaseState.OPEN: frozenset({CaseState.TAKEN, CaseState.ANSWERED}),
    CaseState.TAKEN: frozenset({CaseState.OPEN, CaseState.ANSWERED}),
    CaseState.ANSWERED: frozenset({CaseState.OPEN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question between two nodes. ``root`` is its first message; ``opened_by`` and ``changed_by`` are servers,
    ``by`` who of them has changed it last, as they want to be called."""

    id: str
    title: str
    state: CaseState
    root: str
    opened_by: str
    opened_ts: int
    changed_by: str
    changed_ts: int
    by: str = ""

    def require_next(self, state: CaseState) -> None:
        """Raise ``Refused`` where the life of a case does not go on so."""
        if state not in NEXT[self.state]:
            raise Refused(f"「{self.state.label}」を「{state.label}」にはできません", code="M_BAD_STATE")

    def as_content(self) -> Content:
        """The content of the state event."""
        return {
            "case": self.id, "title": self.title, "state": self.state.value, "root": self.root,
            "opened_by": self.opened_by, "opened_ts": self.opened_ts, "changed_by": self.changed_by,
            "changed_ts": self.changed_ts, "by": self.by, "body": f"{self.title}（{self.state.label}）",
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Case:
        """Read that; raises ``KeyError``, ``ValueError`` or ``TypeError``."""
        return cls(
            id=str(content["case"]), title=str(content["title"])[:MAX_TITLE], state=CaseState(content["state"]),
            root=str(content["root"]), opened_by=str(content["opened_by"]), opened_ts=int(content["opened_ts"]),
            changed_by=str(content["changed_by"]), changed_ts=int(content["changed_ts"]),
            by=str(content.get("by", ""))[:MAX_NAME],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One message. ``server`` is the side that says it, ``by`` who of it; ``case`` the case to which it belongs,
    ``file`` the address (``mxc://…``) of the photo or paper that it is."""

    event_id: str
    ts: int
    server: str
    by: str
    text: str
    case: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who answers on one side, and until when (ms); ``None`` until somebody says otherwise."""

    server: str
    who: str
    until_ts: int | None = None


def checked(text: str, most: int, what: str) -> str:
    """A text of 1 to ``most`` characters; raises ``InvalidParam``."""
    plain = text.strip()
    if not 1 <= len(plain) <= most:
        raise InvalidParam(f"{what}を1字から{most}字で書いてください")
    return plain
