"""Messages of a liaison room as officers read them, also those of people in their own Matrix clients: who says what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from federation.liaison.model import LIAISON, MAX_NAME, MAX_TEXT, MAX_TITLE, Line
from server.foundation.ids import server_name_of
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.timeline import Entry

MESSAGE: Final = "m.room.message"
_EDIT: Final = "m.replace"
_THREAD: Final = "m.thread"
_FILES: Final = ("m.image", "m.file")
_MAX_CASE: Final = 40
# The first message of a case says its title, too.
_LONGEST: Final = MAX_TEXT + MAX_TITLE + 20


def line_of(entry: Entry, room: LiveRoom, nodes: Collection[str]) -> Line | None:
    """A message; ``nodes`` are the accounts of both nodes, who alone may say for whom they speak.

    ``None`` for what was taken back, and for what has no text.
    """
    event = entry.event
    content = _newest(entry)
    body = content.get("body")
    if not isinstance(body, str) or not body.strip():
        return None
    mark = event.content.get(LIAISON)
    mark = mark if isinstance(mark, dict) and event.sender in nodes else {}
    return Line(
        event.event_id, event.origin_server_ts, server_name_of(event.sender),
        _text(mark.get("by"), MAX_NAME) if event.sender in nodes else name_of(event.sender, room), body[:_LONGEST],
        case=_text(mark.get("case"), _MAX_CASE), file=_file_in(content),
    )


def is_in_the_open(event: Event) -> bool:
    """Whether something was said to all: no edit, and not in the thread of a case."""
    relates = event.content.get("m.relates_to")
    kind = relates.get("rel_type") if isinstance(relates, dict) else None
    return event.type == MESSAGE and kind not in (_EDIT, _THREAD)


def name_of(user_id: str, room: LiveRoom) -> str:
    """How somebody calls themselves in the room; their user id where they do not."""
    name = room.content("m.room.member", user_id).get("displayname")
    return name.strip()[:MAX_NAME] if isinstance(name, str) and name.strip() else user_id


def file_of(event: Event) -> tuple[str, str, str]:
    """Address (``mxc://…``), name and type of the file that a message is; empty for other messages."""
    content, url = event.content, _file_in(event.content)
    return (url, _text(content.get("body"), 200), _type_in(content)) if url else ("", "", "")


def _newest(entry: Entry) -> Mapping[str, Any]:
    """What the message says after its last edit."""
    edit = (entry.related or {}).get(_EDIT)
    content = edit.get("content") if isinstance(edit, dict) else None
    fresh = content.get("m.new_content") if isinstance(content, dict) else None
    return fresh if isinstance(fresh, dict) else entry.event.content


def _file_in(content: Mapping[str, Any]) -> str:
    url = content.get("url")
    is_file = content.get("msgtype") in _FILES and isinstance(url, str) and url.startswith("mxc://")
    return str(url) if is_file else ""


def _type_in(content: Mapping[str, Any]) -> str:
    info = content.get("info")
    return _text(info.get("mimetype"), 100) if isinstance(info, dict) else ""


def _text(value: object, most: int) -> str:
    return value[:most] if isinstance(value, str) else ""
