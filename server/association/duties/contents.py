"""The event ``jp.kairan.duty``: a key in an ``m.room.message`` (docs/events/jp.kairan.duty.md); checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from server.association.duties.model import MAX_TURN, Duty, DutyPlan, Rhythm, checked_plan
from server.association.members.model import Audience

KEY: Final = "jp.kairan.duty"
_DAYS: Final = "月火水木金土日"

Content = dict[str, Any]


def message_content(duty: Duty) -> Content:
    """The message that tells of a duty."""
    return {"msgtype": "m.text", "body": body_of(duty), KEY: duty_json(duty)}


def edit_content(duty: Duty, original: str) -> Content:
    """The edit that shows its new state in place of the old one; edits notify nobody."""
    return {
        "msgtype": "m.text", "body": f"* {body_of(duty)}", "m.new_content": message_content(duty),
        "m.relates_to": {"rel_type": "m.replace", "event_id": original},
    }


def body_of(duty: Duty) -> str:
    """The readable body. Whose turn it is stands on the page and in calendars, not in a room's history."""
    plan = duty.plan
    if duty.is_over:
        return f"【当番】{plan.title}は、おわりになりました。"
    first = f"{plan.first.year}年{plan.first.month}月{plan.first.day}日({_DAYS[plan.first.weekday()]})"
    lines = [f"【当番】{plan.title}", f"{first}から、{plan.rhythm.label}（{len(plan.order)}世帯）"]
    lines += [plan.note] if plan.note else []
    return "\n".join([*lines, "順番は「当番」のページと、カレンダーのアプリで見られます。"])


def duty_json(duty: Duty) -> Content:
    """The value of the key."""
    plan = duty.plan
    return {
        "id": duty.id, "title": plan.title, "note": plan.note, "audience": plan.audience.as_json(),
        "order": list(plan.order), "first": plan.first.isoformat(), "rhythm": plan.rhythm.value, "days": plan.days,
        "last": plan.last and plan.last.isoformat(), "by": duty.by,
        "taken": {str(number): whose for number, whose in sorted(duty.taken.items())},
        "done": sorted(duty.done), "is_over": duty.is_over, "sequence": duty.sequence,
    }


def told_in(content: Mapping[str, Any]) -> Any:
    """The value of the key in a message or an edit, if it is there."""
    if KEY in content:
        return content[KEY]
    new = content.get("m.new_content")
    return new.get(KEY) if isinstance(new, dict) else None


def read_duty(value: Mapping[str, Any]) -> Duty:
    """A duty; raises ``Refused``, ``KeyError``, ``TypeError``, ``ValueError``."""
    order = tuple(_text(item) for item in value["order"])
    last = value["last"]
    plan = DutyPlan(
        _text(value["title"]), Audience.from_json(value["audience"]), order, date.fromisoformat(value["first"]),
        Rhythm(value["rhythm"]), _whole(value["days"]), _text(value["note"]),
        None if last is None else date.fromisoformat(last),
    )
    taken = {int(number): _text(whose) for number, whose in value["taken"].items() if 0 <= int(number) < MAX_TURN}
    duty_id, by = _text(value["id"]), _text(value["by"])
    if not duty_id:
        raise ValueError("id")
    done = frozenset(_whole(item) for item in value["done"])
    return Duty(duty_id, checked_plan(plan), by, taken, done, bool(value["is_over"]), _whole(value["sequence"]))


def turned_content(text: str, duty_id: str) -> Content:
    """What a household reads in its 窓口 when its turns have changed."""
    return {"msgtype": "m.text", "body": text, "jp.kairan.duty.notice": {"id": duty_id}}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("number")
    return value
