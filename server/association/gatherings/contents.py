"""The event ``jp.kairan.gathering``: a key in an ``m.room.message`` (docs/events/jp.kairan.gathering.md).

What is read here came through a room, so nothing about it is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from server.association.gatherings.model import Gathering, Moment, Plan, State, checked_plan
from server.association.gatherings.words import body_of, notice_of
from server.association.members.model import Audience
from server.foundation.errors import Refused

KEY: Final = "jp.kairan.gathering"
NOTICE_KEY: Final = "jp.kairan.gathering.notice"

Content = dict[str, Any]


def message_content(gathering: Gathering, ics: str) -> Content:
    """The message that announces a gathering."""
    return {"msgtype": "m.text", "body": body_of(gathering), KEY: gathering_json(gathering, ics)}


def edit_content(gathering: Gathering, ics: str, original: str) -> Content:
    """The edit that shows its new state in place of the old one."""
    return {
        "msgtype": "m.text",
        "body": f"* {notice_of(gathering, '')}",
        "m.new_content": message_content(gathering, ics),
        "m.relates_to": {"rel_type": "m.replace", "event_id": original},
    }


def notice_content(gathering: Gathering, reason: str, day: Moment | None = None) -> Content:
    """Edits notify nobody; this message does. ``day``: one of a series that was called off."""
    return {
        "msgtype": "m.text",
        "body": notice_of(gathering, reason, day),
        NOTICE_KEY: {"id": gathering.id, "state": gathering.state.value},
    }


def gathering_json(gathering: Gathering, ics: str) -> Content:
    """The value of the key."""
    plan = gathering.plan
    return {
        "id": gathering.id, "title": plan.title, "start": plan.start.isoformat(), "end": plan.end.isoformat(),
        "all_day": plan.is_all_day, "place": plan.place, "description": plan.description,
        "audience": gathering.audience.as_json(), "state": gathering.state.value, "by": gathering.by,
        "name": gathering.name, "uid": gathering.uid, "sequence": gathering.sequence,
        **({"rule": plan.rule} if plan.rule else {}),
        **({"asks": True} if plan.asks else {}),
        **({"except_for": [item.isoformat() for item in plan.except_for]} if plan.except_for else {}),
        **({"called_off": [item.isoformat() for item in plan.called_off]} if plan.called_off else {}),
        **({"reason": gathering.reason} if gathering.reason else {}),
        "ics": ics,
    }


def read_gathering(content: Mapping[str, Any]) -> Gathering | None:
    """The gathering of an event's content, without what only the event itself knows; ``None`` where there is none."""
    value = _told(content).get(KEY)
    if not isinstance(value, dict):
        return None
    try:
        return _read(value)
    except (Refused, KeyError, TypeError, ValueError):
        return None


def tells_of_gathering(content: Mapping[str, Any]) -> bool:
    """Whether it is worth reading; called for every message of the node."""
    return KEY in content or ("m.new_content" in content and KEY in _told(content))


def is_edit(content: Mapping[str, Any]) -> bool:
    """Whether the event replaces another one."""
    relation = content.get("m.relates_to")
    return isinstance(relation, dict) and relation.get("rel_type") == "m.replace"


def _told(content: Mapping[str, Any]) -> Mapping[str, Any]:
    new = content.get("m.new_content") if is_edit(content) else None
    return new if isinstance(new, dict) else content


def _read(value: Content) -> Gathering:
    plan = Plan(
        _text(value, "title"), read_moment(value["start"]), read_moment(value["end"]), _text(value, "place"),
        _text(value, "description"), _text(value, "rule"),
        tuple(read_moment(item) for item in value.get("except_for", ())), asks=value.get("asks") is True,
        called_off=tuple(read_moment(item) for item in value.get("called_off", ())),
    )
    sequence = value.get("sequence", 0)
    if type(sequence) is not int:
        raise TypeError("sequence")
    names = [_text(value, key) for key in ("id", "by", "name", "uid")]
    if not all(names):
        raise ValueError("names")
    return Gathering(
        names[0], checked_plan(plan), Audience.from_json(value.get("audience")), State(value["state"]), names[1],
        names[2], names[3], sequence, reason=_text(value, "reason"),
    )


def _text(value: Content, key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise TypeError(key)
    return text


def read_moment(text: str) -> Moment:
    """A date, or a moment with a zone, in ISO 8601; raises ``ValueError`` or ``TypeError``."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
