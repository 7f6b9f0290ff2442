"""The events of garbage days (docs/events/jp.kairan.garbage.md); nothing is believed before it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from server.association.garbage.model import MAX_KIND, MAX_REASON, WEEKDAYS, BlockPlan, Break, DayOff

PLAN: Final = "jp.kairan.garbage"
CHANGE: Final = "jp.kairan.garbage.change"

Content = dict[str, Any]


def plan_content(plan: BlockPlan) -> Content:
    """The state event in the room of a block."""
    return {
        "block": plan.block_id, "area": plan.area, "kinds": [{"name": name, "days": cell} for name, cell in plan.kinds],
        "breaks": [[item.first.isoformat(), item.last.isoformat()] for item in plan.breaks],
        "remarks": list(plan.remarks), "on_holidays": plan.on_holidays, "since": plan.since.isoformat(),
    }


def read_plan(value: Mapping[str, Any]) -> BlockPlan:
    """A plan of such a content; raises ``KeyError``, ``TypeError``, ``ValueError``."""
    return BlockPlan(
        _text(value["block"]), _text(value["area"]),
        tuple((_text(item["name"])[:MAX_KIND], _text(item["days"])) for item in value["kinds"]),
        tuple(Break(date.fromisoformat(first), date.fromisoformat(last)) for first, last in value["breaks"]),
        tuple(_text(item) for item in value["remarks"]), bool(value["on_holidays"]),
        date.fromisoformat(value["since"]),
    ).with_rules()


def change_content(change: DayOff, blocks: list[str]) -> Content:
    """The message that tells of an exception."""
    return {"msgtype": "m.text", "body": body_of(change), CHANGE: change_json(change, blocks)}


def change_json(change: DayOff, blocks: list[str]) -> Content:
    """The value of the key."""
    return {
        "id": change.id, "kind": change.kind, "day": change.day and change.day.isoformat(),
        "moved_to": change.moved_to and change.moved_to.isoformat(), "reason": change.reason, "blocks": blocks,
        "is_over": change.is_over,
    }


def read_change(value: Mapping[str, Any]) -> tuple[DayOff, list[str]]:
    """An exception and the blocks in which it holds; raises like ``read_plan``."""
    days = [None if value[key] is None else date.fromisoformat(value[key]) for key in ("day", "moved_to")]
    change = DayOff(_text(value["id"]), _text(value["kind"]), days[0], days[1], _text(value["reason"])[:MAX_REASON],
                    bool(value.get("is_over", False)))
    if not change.id or (change.day is None and change.moved_to is None):
        raise ValueError("change")
    return change, [_text(item) for item in value["blocks"]]


def body_of(change: DayOff) -> str:
    """The readable body."""
    if change.is_over:
        text = f"{change.kind}は、いつもの日に戻りました。"
    elif change.day is None:
        text = f"{change.kind}は、{_spoken(change.moved_to)}にも収集があります。"
    elif change.moved_to is None:
        text = f"{_spoken(change.day)}の{change.kind}は、収集がありません。"
    else:
        text = f"{_spoken(change.day)}の{change.kind}は、{_spoken(change.moved_to)}に変わります。"
    return "\n".join([f"【ごみの日】{text}", *([change.reason] if change.reason else [])])


def _spoken(day: date | None) -> str:
    return "" if day is None else f"{day.month}月{day.day}日({WEEKDAYS[day.weekday()]})"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value
