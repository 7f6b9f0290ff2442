"""A booking in words, for every client and for the answers that people get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from server.association.bookings.model import Booking, Facility, Kind, State, Wish

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


def body_of(facility: Facility, booking: Booking, reason: str = "") -> str:
    """The readable body of the message."""
    wish = booking.wish
    lines = [f"{_HEADS[booking.state]}{facility.name}", f"日時：{when(wish.start, wish.end)}"]
    if wish.title:
        lines.append(f"目的：{wish.title}")
    if wish.note:
        lines.append(f"{'行き先' if facility.kind is Kind.RIDE else 'メモ'}：{wish.note}")
    if facility.place and booking.holds:
        lines.append(f"場所：{facility.place}")
    lines.append(_TAILS[booking.state])
    return "\n".join([*lines, *([reason.strip()] if reason.strip() else [])])


def clash_text(facility: Facility, wish: Wish, free: Sequence[tuple[datetime, datetime]]) -> str:
    """Why it cannot be, and what can be instead."""
    told = "、".join(f"{start:%H:%M}〜{end:%H:%M}" for start, end in free[:_MOST_TOLD])
    instead = f"この日に空いている時間：{told}" if told else "この日は、もう空いていません。"
    return f"{facility.name}は、{when(wish.start, wish.end)}に、もう予約があります。{instead}"


def facility_text(facility: Facility) -> str:
    """One line about a facility."""
    open_days = [f"{_DAYS[day]} {hours}" for day, hours in enumerate(facility.rules.hours) if hours is not None]
    same = len(set(facility.rules.hours)) == 1
    hours = f"毎日 {facility.rules.hours[0]}" if same else "、".join(open_days)
    return f"{facility.name}（{hours.replace('-', '〜')}）"


def _day(value: datetime) -> str:
    return f"{value.month}月{value.day}日({_DAYS[value.weekday()]})"
