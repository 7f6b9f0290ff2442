"""The default push rules (spec: "Predefined Rules"), judged once for a whole room.

Nearly everybody keeps the defaults, and nearly every event means the same to all members: it notifies, or it does
not. Only mentions differ from member to member. So an event is judged once, and the exceptions are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from server.rooms.event import Event
from server.rooms.live_room import LiveRoom

_COUNTED: Final = frozenset({
    "m.room.message", "m.room.encrypted", "m.call.invite", "m.room.tombstone",
    "org.matrix.msc3381.poll.start", "m.poll.start",
})


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an event counts as unread for all but its sender, and for whom it is a highlight."""

    notifies: bool
    highlights_all: bool = False
    highlights: frozenset[str] = frozenset()


SILENT: Final = Judgement(False)


def judge(room: LiveRoom, event: Event) -> Judgement:
    """What the default rules say of ``event``."""
    if event.type not in _COUNTED or (event.state_key is not None and event.type != "m.room.tombstone"):
        return SILENT
    content = event.content
    if content.get("msgtype") == "m.notice" or _is_edit(content):
        return SILENT
    if event.type == "m.room.tombstone":
        return Judgement(True, highlights_all=True)
    mentions = content.get("m.mentions")
    if isinstance(mentions, dict):
        return Judgement(True, _alerts_room(room, event, mentions), _mentioned(mentions))
    return _judge_text(room, event)


def _is_edit(content: dict[str, Any]) -> bool:
    relates = content.get("m.relates_to")
    return isinstance(relates, dict) and relates.get("rel_type") == "m.replace"


def _alerts_room(room: LiveRoom, event: Event, mentions: dict[str, Any]) -> bool:
    return mentions.get("room") is True and _may_alert(room, event.sender)


def _may_alert(room: LiveRoom, sender: str) -> bool:
    levels = room.levels()
    return levels.of_user(sender) >= levels.needed_to_notify()


def _mentioned(mentions: dict[str, Any]) -> frozenset[str]:
    named = mentions.get("user_ids")
    return frozenset(item for item in named if isinstance(item, str)) if isinstance(named, list) else frozenset()


def _judge_text(room: LiveRoom, event: Event) -> Judgement:
    """Clients from before ``m.mentions``: the name in the text, ``@room`` in the text."""
    body = event.content.get("body")
    if event.type != "m.room.message" or not isinstance(body, str):
        return Judgement(True)
    text = body.lower()
    alerts = "@room" in text and bool(_word("@room").search(text)) and _may_alert(room, event.sender)
    return Judgement(True, alerts, frozenset(_named(room, text)))


def _named(room: LiveRoom, text: str) -> Iterable[str]:
    for user_id in room.joined_here:
        localpart = user_id[1:].partition(":")[0]
        if localpart in text and _word(localpart).search(text):
            yield user_id
            continue
        member = room.state.get(("m.room.member", user_id))
        name = member.content.get("displayname") if member else None
        if isinstance(name, str) and name and name.lower() in text and _word(name.lower()).search(text):
            yield user_id


@lru_cache(maxsize=4_000)
def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(^|\W){re.escape(name)}(\W|$)")
