"""An answer of sliding sync, before a dialect writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from server.sync.sliding.extensions import Part, has_news
from server.sync.sliding.look import RoomNews


@dataclass(slots=True)
class Answer:
    """What a device is told. ``lists`` are the numbers of rooms in them."""

    pos: str = ""
    lists: Mapping[str, int] = field(default_factory=dict)
    rooms: dict[str, RoomNews] = field(default_factory=dict)
    extensions: dict[str, Part] = field(default_factory=dict)
    has_new_counts: bool = False

    @property
    def is_news(self) -> bool:
        """Whether it is worth telling at once."""
        return bool(self.rooms) or self.has_new_counts or has_news(self.extensions.values())
