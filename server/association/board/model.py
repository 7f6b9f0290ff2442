"""The words of the board: posts by category, comments, what is given away, what officers allow. Values and rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from server.foundation.errors import Forbidden, InvalidParam
from server.media.pictures import Picture

MAX_TITLE: Final = 60
MAX_TEXT: Final = 4_000
MAX_PLACE: Final = 100
MAX_COMMENT: Final = 2_000
MAX_NOTE: Final = 300
MAX_REASON: Final = 500
MOST_PHOTOS: Final = 8
# So many neighbours who find the same thing wrong hide it on the pages until an officer has looked.
REPORTS_THAT_HIDE: Final = 3


class Category(StrEnum):
    """What a post is about; officers may keep each for themselves (R15). What is dangerous is a hazard report."""

    NEWS = "news"
    QUESTION = "question"
    GIVE = "give"
    LOST = "lost"
    TALK = "talk"

    @property
    def label(self) -> str:
        """できごと, 質問・困りごと …"""
        return {
            "news": "できごと", "question": "質問・困りごと", "give": "譲ります", "lost": "さがしもの",
            "talk": "おしゃべり",
        }[self.value]


class State(StrEnum):
    """The life of a post. Only what is given away is ever promised or handed over."""

    OPEN = "open"
    PROMISED = "promised"
    HANDED_OVER = "handed_over"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        """What stands beside something that is given away."""
        return {
            "open": "募集中", "promised": "決まりました", "handed_over": "ゆずりました", "removed": "けしました",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Rules:
    """What officers allow: questions without a name; posts only after their yes; categories that are theirs alone."""

    anonymous: bool = False
    approve: bool = False
    officers_only: frozenset[Category] = frozenset()

    def require_open(self, category: Category) -> None:
        """Raise ``Forbidden`` where residents may not write."""
        if category in self.officers_only:
            raise Forbidden("ここには、役員だけが書けます")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What somebody writes."""

    category: Category
    title: str
    text: str
    place: str = ""
    photos: tuple[Picture, ...] = ()

    def checked(self) -> Writing:
        """As it is kept; raises ``InvalidParam``."""
        title, place, text = " ".join(self.title.split()), " ".join(self.place.split()), self.text.strip()
        if not title or len(title) > MAX_TITLE:
            raise InvalidParam(f"題名を1字から{MAX_TITLE}字で書いてください", field="title")
        if len(text) > MAX_TEXT or len(place) > MAX_PLACE:
            raise InvalidParam(f"本文は{MAX_TEXT}字、場所は{MAX_PLACE}字までです", field="text")
        if not text and not self.photos:
            raise InvalidParam("本文を書くか、写真をつけてください", field="text")
        if len(self.photos) > MOST_PHOTOS or not all(item.is_photo for item in self.photos):
            raise InvalidParam(f"写真は{MOST_PHOTOS}枚までです")
        return replace(self, title=title, place=place, text=text)


@dataclass(frozen=True, slots=True)
class Post:
    """Something on the board. ``author`` is whoever has said it in the room: for an anonymous one the node's account.

    ``position`` is where its message stands in the order of this node; ``closed_by`` and ``reason``: its removal.
    """

    id: str
    event_id: str
    author: str
    writing: Writing
    state: State = State.OPEN
    is_anonymous: bool = False
    created_ms: int = 0
    position: int = 0
    revision: int = 0
    closed_by: str = ""
    reason: str = ""

    @property
    def is_gift(self) -> bool:
        """Whether something is given away."""
        return self.writing.category is Category.GIVE

    @property
    def is_removed(self) -> bool:
        """Whether it is gone for readers."""
        return self.state is State.REMOVED


@dataclass(frozen=True, slots=True)
class Comment:
    """Something that was said below a post. ``by_author``: by whoever has asked without a name."""

    event_id: str
    post_event: str
    author: str
    text: str
    photo: Picture | None = None
    by_author: bool = False
    is_removed: bool = False
    created_ms: int = 0
    position: int = 0
    closed_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody would like to have what is given away."""

    post_id: str
    user_id: str
    event_id: str
    note: str
    is_granted: bool
    position: int


class Standing(StrEnum):
    """How a post that needs an officer's yes stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that waits for an officer's yes, and what they have said."""

    id: str
    author: str
    writing: Writing
    is_anonymous: bool
    ts: int
    standing: Standing = Standing.WAITING
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer has decided about something that was reported: ``keep`` or ``remove``; about what is in no post
    (``post_id`` is empty, ``event_id`` perhaps a room or a person): ``done`` or ``unimportant``."""

    id: str
    event_id: str
    post_id: str
    officer: str
    action: str
    reason: str
    ts: int


@dataclass(frozen=True, slots=True)
class Reported:
    """What neighbours find wrong: how many, what they say, since when (ms)."""

    event_id: str
    reporters: frozenset[str]
    reasons: tuple[str, ...]
    since: int
    post: Post | None = None
    comment: Comment | None = None


@dataclass(slots=True)
class Page:
    """A stretch of the list; ``next`` is where the following one begins."""

    posts: list[Post] = field(default_factory=list)
    comments: dict[str, int] = field(default_factory=dict)
    next: str = ""


def checked_line(text: str, what: str, most: int, *, needed: bool = True) -> str:
    """Words of a person; raises ``InvalidParam``."""
    words = text.strip()
    if len(words) > most or (needed and not words):
        raise InvalidParam(f"{what}を{most}字までで書いてください")
    return words
