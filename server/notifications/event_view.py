"""One event as the conditions of push rules see it. What was found out once is known for everybody's rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from server.notifications.globs import word
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import client_event

Path = tuple[str, ...]

ABSENT: Final = object()
_BODY: Final = "body"
# What is sought in a body is sought in its beginning, and longer texts match no pattern: nobody's patterns are to keep
# the node busy.
_LOOKED_THROUGH: Final = 8_192


class EventView:
    """An event about to enter ``room``: the room is as it was before it."""

    __slots__ = ("_answers", "_json", "_lowered", "body", "event", "has_mentions", "room")

    def __init__(self, room: LiveRoom, event: Event) -> None:
        self.room = room
        self.event = event
        content = event.content
        body = content.get(_BODY)
        # The body in lower case; ``None`` where it is no text.
        self.body: str | None = body[:_LOOKED_THROUGH].lower() if isinstance(body, str) else None
        # Since then the text itself names nobody (spec: "contains_display_name" and others as of v1.7).
        self.has_mentions = "m.mentions" in content
        self._answers: dict[Test, bool] = {}
        self._json: dict[str, Any] | None = None
        self._lowered: dict[Path, str | None] = {}

    def holds(self, test: Test) -> bool:
        """Whether a condition holds; asked once however many rules have it."""
        answer = self._answers.get(test)
        if answer is None:
            answer = self._answers[test] = test(self)
        return answer

    def value(self, path: Path) -> object:
        """The property at a path, or ``ABSENT``."""
        if self._json is None:
            self._json = client_event(self.event)
        found: Any = self._json
        for name in path:
            if not isinstance(found, dict) or name not in found:
                return ABSENT
            found = found[name]
        return found

    def lowered(self, path: Path) -> str | None:
        """The text at a path in lower case; ``None`` where there is no text, or one too long for patterns."""
        if path not in self._lowered:
            value = self.value(path)
            fits = isinstance(value, str) and len(value) <= _LOOKED_THROUGH
            self._lowered[path] = str(value).lower() if fits else None
        return self._lowered[path]

    def names(self, user_id: str) -> bool:
        """Whether the body has the display name that a member has in this room."""
        if self.body is None:
            return False
        member = self.room.state.get(("m.room.member", user_id))
        name = member.content.get("displayname") if member is not None else None
        return isinstance(name, str) and name != "" and word(name.lower())(self.body)

    def sender_may_alert(self, kind: str) -> bool:
        """Whether the sender's power suffices for notifications of a kind (``room``)."""
        levels = self.room.levels()
        return levels.of_user(self.event.sender) >= levels.needed_to_notify(kind)


Test = Callable[[EventView], bool]


@lru_cache(maxsize=1_000)
def path_of(key: str) -> Path:
    """The names in a dotted key (spec, appendices: "Dot-separated property paths")."""
    names, name, characters = [], "", iter(key)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            name += following if following in (".", "\\") and following else "\\" + following
        elif character == ".":
            names.append(name)
            name = ""
        else:
            name += character
    return (*names, name)
