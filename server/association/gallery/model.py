"""The words of the gallery: albums, photos, objections. Values and pure rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from server.foundation.errors import InvalidParam
from server.media.pictures import Picture

MAX_TITLE: Final = 60
MAX_NOTE: Final = 500
MAX_REASON: Final = 500
MOST_AT_ONCE: Final = 20


class State(StrEnum):
    """The life of a photo: hidden while officers decide, withdrawn by whoever brought it, removed by officers."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Album:
    """Photos that belong together. ``gathering_id``: of which gathering they are, if of one."""

    id: str
    title: str
    note: str = ""
    gathering_id: str = ""
    author: str = ""
    event_id: str = ""
    created_ms: int = 0
    is_removed: bool = False

    def checked(self) -> Album:
        """As it is kept; raises ``InvalidParam``."""
        title, note = " ".join(self.title.split()), self.note.strip()
        if not title or len(title) > MAX_TITLE or len(note) > MAX_NOTE:
            words = f"アルバムの名前を{MAX_TITLE}字まで、説明を{MAX_NOTE}字までで書いてください"
            raise InvalidParam(words, field="title")
        return replace(self, title=title, note=note)


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of an album. ``position`` is its place among them."""

    id: str
    album_id: str
    event_id: str
    uploader: str
    picture: Picture
    state: State = State.SHOWN
    closed_by: str = ""
    reason: str = ""
    ts: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class Objection:
    """Somebody does not want a photo to be shown. ``decision``: empty while officers have not decided."""

    id: str
    photo_id: str
    user_id: str
    reason: str
    ts: int
    decision: str = ""
    decided_by: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class AlbumLine:
    """An album in the list: how many photos are shown, and the first of them."""

    album: Album
    count: int
    cover: Photo | None


def checked_photos(pictures: tuple[Picture, ...], *, has_consent: bool) -> None:
    """Raise ``InvalidParam`` where these cannot be shown."""
    if not has_consent:
        raise InvalidParam("写っている人の了解について、しるしをつけてください")
    if not pictures or len(pictures) > MOST_AT_ONCE:
        raise InvalidParam(f"写真を1枚から{MOST_AT_ONCE}枚えらんでください")
    if not all(item.is_photo for item in pictures):
        raise InvalidParam("写真（JPEG・PNG）だけを、のせられます")


def checked_reason(text: str) -> str:
    """Why; raises ``InvalidParam``."""
    words = text.strip()
    if len(words) > MAX_REASON:
        raise InvalidParam(f"理由は{MAX_REASON}字までです")
    return words
