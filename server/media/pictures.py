"""A picture that a message carries: as an event tells of it and as tables keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.media.model import ANY_TYPE, bare_type

# What every telephone's browser shows, and of what the shelf makes small pictures.
PHOTO_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_MAX_NAME: Final = 200

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A file at ``url`` (``mxc://…``); ``size`` is in bytes."""

    url: str
    name: str = "写真"
    mimetype: str = ANY_TYPE
    size: int | None = None

    @property
    def is_photo(self) -> bool:
        """Whether browsers show it as a picture."""
        return self.mimetype in PHOTO_TYPES

    def as_json(self) -> Content:
        """As a key of ours and the tables carry it."""
        told: Content = {"url": self.url, "name": self.name, "mimetype": self.mimetype}
        return told if self.size is None else {**told, "size": self.size}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Picture:
        """Read that; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        url, name, kind, size = value["url"], value["name"], value["mimetype"], value.get("size")
        # No text of PostgreSQL contains NUL.
        if not all(isinstance(item, str) and "\0" not in item for item in (url, name, kind)) or not url.startswith("mxc://"):
            raise TypeError("picture")
        if size is not None and (type(size) is not int or size < 0):
            raise TypeError("size")
        return cls(url, name[:_MAX_NAME], bare_type(kind), size)

    def as_message(self, root: str = "") -> Content:
        """The message that shows it in every client; in the thread below ``root`` where that is given."""
        info: Content = {"mimetype": self.mimetype}
        if self.size is not None:
            info["size"] = self.size
        content: Content = {
            "msgtype": "m.image" if self.is_photo else "m.file", "body": self.name, "filename": self.name,
            "url": self.url, "info": info,
        }
        if root:
            content["m.relates_to"] = {
                "rel_type": "m.thread", "event_id": root, "is_falling_back": True, "m.in_reply_to": {"event_id": root},
            }
        return content


def picture_in(content: Mapping[str, Any]) -> Picture | None:
    """The file that anybody's message carries (``m.image``, ``m.file``), if it is one of ours to show."""
    if content.get("msgtype") not in ("m.image", "m.file"):
        return None
    info = content.get("info")
    info = info if isinstance(info, Mapping) else {}
    told = {
        "url": content.get("url"), "name": content.get("filename", content.get("body")) or "写真",
        "mimetype": info.get("mimetype", ANY_TYPE), "size": info.get("size"),
    }
    try:
        return Picture.from_json(told)
    except (TypeError, ValueError):
        return None
