"""The events of the gallery (docs/events/jp.kairan.gallery.md); what is read came through a room."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from server.association.gallery.model import Album
from server.media.pictures import Picture

ALBUM: Final = "jp.kairan.gallery.album"
PHOTO: Final = "jp.kairan.gallery.photo"
HIDDEN: Final = "jp.kairan.gallery.hidden"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

Content = dict[str, Any]


def album_content(album: Album) -> Content:
    """The message that begins an album."""
    lines = [f"【写真】{album.title}", *([album.note] if album.note else [])]
    mark = {"id": album.id, "title": album.title, "note": album.note, "gathering": album.gathering_id}
    return {"msgtype": "m.text", "body": "\n".join(lines), ALBUM: mark}


def photo_content(photo_id: str, picture: Picture, album: Album) -> Content:
    """A photo in the thread of its album. ``consent``: whoever brings it says that those in it agree."""
    return {**picture.as_message(album.event_id), PHOTO: {"id": photo_id, "album": album.id, "consent": True}}


def read_album(value: Mapping[str, Any]) -> Album:
    """An album; raises ``Refused``, ``KeyError``, ``TypeError``, ``ValueError``."""
    return Album(read_id(value["id"]), _text(value["title"]), _text(value.get("note", "")),
                 _text(value.get("gathering", ""))).checked()


def read_id(value: object) -> str:
    """An id that can stand in an address; raises ``ValueError``."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise ValueError("id")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("text")
    return value
