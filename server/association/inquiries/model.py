"""The words of inquiries: what was asked, by whom, who has taken it, what was said. Values and pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from server.association.members.came_by import CameBy
from server.foundation.errors import InvalidParam, Refused

MAX_TEXT: Final = 3_000
MAX_ASKER: Final = 60
MOST_PHOTOS: Final = 6


class State(StrEnum):
    """The life of an inquiry, what waits longest first."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"

    @property
    def label(self) -> str:
        """まだ, 担当がいます, 回答ずみ."""
        return {"open": "まだ", "taken": "担当がいます", "answered": "回答ずみ"}[self.value]


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.OPEN: frozenset({State.TAKEN, State.ANSWERED}),
    # Another officer takes it over; or nobody has it any more.
    State.TAKEN: frozenset({State.TAKEN, State.OPEN, State.ANSWERED}),
    # Asked again, or answered once more.
    State.ANSWERED: frozenset({State.OPEN, State.TAKEN, State.ANSWERED}),
}


# An officer who is asked something has met somebody; an answer is fetched at the door.
ASKED_BY: Final[Mapping[CameBy, str]] = {
    CameBy.APP: "スマホ", CameBy.PAPER: "紙", CameBy.PHONE: "電話", CameBy.DOOR: "会って",
}


class Side(StrEnum):
    """Who speaks."""

    RESIDENT = "resident"
    OFFICERS = "officers"


@dataclass(frozen=True, slots=True)
class Photo:
    """A file in the media store (``mxc://…``) beside what was said."""

    url: str
    name: str
    mimetype: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said. ``id`` is that of the event, or of our own where it was said in no room.

    ``place`` orders the lines of an inquiry; ``room`` is where it was said first, empty for paper and telephone;
    ``author`` is an account: the resident, or the officer who has answered or written it down.
    """

    id: str
    inquiry_id: str
    place: int
    side: Side
    author: str
    text: str
    ts: int
    room: str = ""
    photo: Photo | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question and what followed. ``person_id`` is empty where somebody asked who is not on the roster; then
    ``asker`` says who. ``revision`` grows with everything that happens to it; ``thread`` is its message in 受付.
    """

    id: str
    person_id: str
    asker: str
    channel: CameBy
    state: State
    owner: str
    opened_ts: int
    asked_ts: int
    changed_ts: int
    revision: int = 0
    thread: str = ""

    @property
    def way_label(self) -> str:
        """How it was asked, as officers read it."""
        return ASKED_BY[self.channel]

    def moved(self, state: State, now_ms: int, owner: str | None = None) -> Inquiry:
        """Gone on to ``state``; raises ``Refused`` where its life does not go on so."""
        if state not in NEXT[self.state]:
            reason = f"「{self.state.label}」の質問は、「{state.label}」にできません"
            raise Refused(reason, code="M_BAD_STATE", status=409)
        return replace(
            self, state=state, owner=self.owner if owner is None else owner, changed_ts=now_ms,
            revision=self.revision + 1,
        )

    def asked_more(self, now_ms: int) -> Inquiry:
        """The resident has said something: whoever had it still has it; what was answered is open again."""
        state = State.TAKEN if self.owner and self.state is State.TAKEN else State.OPEN
        return replace(self, state=state, asked_ts=now_ms, changed_ts=now_ms, revision=self.revision + 1)

    def answered_by(self, officer: str, now_ms: int) -> Inquiry:
        """An officer has answered."""
        return replace(self, state=State.ANSWERED, owner=officer, changed_ts=now_ms, revision=self.revision + 1)


def checked_text(text: str, what: str = "本文") -> str:
    """``text`` as it is said; raises ``InvalidParam``."""
    text = text.strip()
    if not text or len(text) > MAX_TEXT:
        raise InvalidParam(f"{what}を、1字から{MAX_TEXT}字で書いてください", field="text")
    return text
