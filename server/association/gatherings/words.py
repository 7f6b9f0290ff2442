"""A gathering in words, for clients that know nothing of Kairan."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from server.association.gatherings.model import Gathering, Moment, Plan, State

_DAYS: Final = "月火水木金土日"


def body_of(gathering: Gathering) -> str:
    """The readable body of the message."""
    plan = gathering.plan
    head = "【中止】" if gathering.state is not State.PLANNED else "【集まり】"
    lines = [f"{head}{plan.title}", f"日時：{when(plan)}"]
    if plan.rule:
        lines.append("くり返しの集まりです")
    if plan.place:
        lines.append(f"場所：{plan.place}")
    if plan.asks and gathering.state is State.PLANNED:
        lines.append("来る人は ✅、来ない人は ❌ を つけてください")
    if plan.description:
        lines += ["", plan.description]
    return "\n".join(lines)


def notice_of(gathering: Gathering, reason: str, day: Moment | None = None) -> str:
    """What everybody is told again when the time or place changes, or it is called off; ``day``: only that day."""
    plan = gathering.plan
    if day is not None:
        lines = [f"【中止のお知らせ】{plan.title}（{moment_in_words(day)}の分）は中止になりました。"]
    elif gathering.state is not State.PLANNED:
        lines = [f"【中止のお知らせ】{plan.title}（{when(plan)}）は中止になりました。"]
    else:
        lines = [f"【変更のお知らせ】{plan.title}", f"日時：{when(plan)}"]
        lines += [f"場所：{plan.place}"] if plan.place else []
    return "\n".join([*lines, *([reason.strip()] if reason.strip() else [])])


def when(plan: Plan) -> str:
    """``2026年8月9日(日) 10:00～15:00``, or only days."""
    start, end = plan.start, plan.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        last = end - timedelta(days=1)
        return _day(start) if last <= start else f"{_day(start)}～{_day(last)}"
    if start == end:
        return f"{_day(start)} {start:%H:%M}"
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end)} {end:%H:%M}"
    return f"{_day(start)} {start:%H:%M}～{until}"


def moment_in_words(value: Moment) -> str:
    """``2026年8月9日(日) 10:00``, or only the day."""
    return f"{_day(value)} {value:%H:%M}" if isinstance(value, datetime) else _day(value)


def _day(value: Moment) -> str:
    return f"{value.year}年{value.month}月{value.day}日({_DAYS[value.weekday()]})"
