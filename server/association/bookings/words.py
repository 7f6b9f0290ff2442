"""A booking in words, for every client and for the answers that people get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from server.association.bookings.model import Booking, Facility, Kind, State, Wish
from server.association.bookings.repeating import read_rule
from server.association.bookings.rules import times_of

_DAYS: Final = "月火水木金土日"
_MOST_TOLD: Final = 4
_HEADS: Final = {
    State.REQUESTED: "【予約・確認待ち】", State.CONFIRMED: "【予約】", State.WAITING: "【空き待ち】",
    State.CANCELLED: "【予約の取り消し】", State.DECLINED: "【予約できませんでした】",
}
_TAILS: Final = {
    State.REQUESTED: "役員が確認します。しばらくお待ちください。", State.CONFIRMED: "予約できました。",
    State.WAITING: "空いたら、ここでお知らせします。", State.CANCELLED: "この予約は取り消されました。",
    State.DECLINED: "この予約は受けられませんでした。",
}


def when(start: datetime, end: datetime) -> str:
    """``2026年12月5日(土) 10:00〜12:00``."""
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end)} {end:%H:%M}"
    return f"{start.year}年{_day(start)} {start:%H:%M}〜{until}"


def when_of(wish: Wish) -> str:
    """When it is; of what repeats, ``毎週土曜日 10:00〜12:00（2026年12月5日(土)から2027年2月6日(土)まで、9回）``."""
    if not wish.rule:
        return when(wish.start, wish.end)
    times = times_of(wish)
    first, last = times[0].start, times[-1].start
    every = read_rule(wish.rule, wish.start).in_words(wish.start.date())
    span = f"{first.year}年{_day(first)}から{last.year}年{_day(last)}まで、{len(times)}回"
    left_out = "、".join(f"{start.month}月{start.day}日" for start in wish.except_for[:_MOST_TOLD])
    more = "など" if len(wish.except_for) > _MOST_TOLD else ""
    missing = f" ※{left_out}{more}は なし" if left_out else ""
    return f"{every} {wish.start:%H:%M}〜{wish.end:%H:%M}（{span}）{missing}"


def body_of(facility: Facility, booking: Booking, reason: str = "") -> str:
    """The readable body of the message."""
    wish = booking.wish
    lines = [f"{_HEADS[booking.state]}{facility.name}", f"日時：{when_of(wish)}"]
    if wish.title:
        lines.append(f"目的：{wish.title}")
    if wish.note:
        lines.append(f"{'行き先' if facility.kind is Kind.RIDE else 'メモ'}：{wish.note}")
    if facility.place and booking.holds:
        lines.append(f"場所：{facility.place}")
    lines.append(_TAILS[booking.state])
    return "\n".join([*lines, *([reason.strip()] if reason.strip() else [])])


def clash_text(
    facility: Facility, wish: Wish, free: Sequence[tuple[datetime, datetime]], more: int = 0, *, repeats: bool = False
) -> str:
    """Why it cannot be, and what can be instead. ``wish`` is the first time that is taken, ``more`` are so, too."""
    told = "、".join(f"{start:%H:%M}〜{end:%H:%M}" for start, end in free[:_MOST_TOLD])
    instead = f"この日に空いている時間：{told}" if told else "この日は、もう空いていません。"
    others = f"くり返しのうち、ほかに{more}回も重なります。" if more else ""
    hint = f"{others}その日をぬいて、もう一度予約してください。" if repeats else ""
    return f"{facility.name}は、{when(wish.start, wish.end)}に、もう予約があります。{hint}{instead}"


def facility_text(facility: Facility) -> str:
    """One line about a facility."""
    open_days = [f"{_DAYS[day]} {hours}" for day, hours in enumerate(facility.rules.hours) if hours is not None]
    same = len(set(facility.rules.hours)) == 1
    hours = f"毎日 {facility.rules.hours[0]}" if same else "、".join(open_days)
    return f"{facility.name}（{hours.replace('-', '〜')}）"


def _day(value: datetime) -> str:
    return f"{value.month}月{value.day}日({_DAYS[value.weekday()]})"
