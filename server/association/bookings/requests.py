"""What somebody means who writes in their 窓口 「予約 集会所 12月5日 10時〜12時 会議」.

Only what begins with 予約 is read at all. A day without a year is the next one of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from server.association.bookings.model import Facility, Wish
from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam
from server.rooms.numbered_answers import folded

_BEGIN: Final = re.compile(r"(?:予約|よやく)")
_CANCEL: Final = re.compile(
    r"(?:予約|よやく)[\s、。:の]*(?:を)?(?:取り?消し?|とりけし|キャンセル)(?:する|します)?[\s、:]*(\d{1,2})?番?"
)
_WAIT: Final = re.compile(r"(?:空き待ち|空きまち|キャンセル待ち|順番待ち|空いたら)")
_DAY: Final = re.compile(r"(?:(\d{4})[年/.-])?(\d{1,2})[月/](\d{1,2})日?(?:\([月火水木金土日]\))?")
_NEAR: Final = re.compile(r"(今日|きょう|明日|あした|明後日|あさって)")
_TIME: Final = r"(午前|午後)?\s*(\d{1,2})(?::(\d{2})|時(?:(\d{1,2})分|(半))?)"
_SPAN: Final = re.compile(_TIME + r"\s*(?:から|より|[-~〜～ー–—−‐‑]|まで)\s*" + _TIME + r"(?:まで)?")
_NEAR_DAYS: Final = {"今日": 0, "きょう": 0, "明日": 1, "あした": 1, "明後日": 2, "あさって": 2}
_AROUND: Final = re.compile(r"^[\s、。,.:のはをにで]+|[\s、。,.:のはをにで]+$")


class Meant(Enum):
    """What is asked for."""

    BOOK = auto()
    CANCEL = auto()
    LIST = auto()


@dataclass(frozen=True, slots=True)
class Read:
    """What was understood. ``number`` counts the bookings of whoever asks, from 1."""

    meant: Meant
    wish: Wish | None = None
    waits: bool = False
    number: int | None = None


def read_text(text: str, facilities: Iterable[Facility], today: date) -> Read:
    """Read a message; raises ``InvalidParam`` with what is missing."""
    plain = folded(text)
    cancel = _CANCEL.match(plain)
    if cancel is not None and _DAY.search(plain) is None:
        return Read(Meant.CANCEL, number=int(cancel[1]) if cancel[1] else None)
    rest = _BEGIN.sub("", plain, count=1)
    if not rest.strip(" 。、!?\n一覧する") and "。" not in rest[1:]:
        return Read(Meant.LIST)
    waits = _WAIT.search(rest) is not None
    wish = _wish(_WAIT.sub(" ", rest), list(facilities), today)
    return Read(Meant.BOOK, wish, waits)


def read_event(content: Any) -> Read:
    """Read the value of our own event (docs/events/jp.kairan.booking.md); raises ``InvalidParam``."""
    try:
        texts = [content.get(key, "") for key in ("facility", "title", "note")]
        if not all(isinstance(item, str) for item in texts):
            raise TypeError
        start, end = (datetime.fromisoformat(content[key]) for key in ("start", "end"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidParam("予約の書き方が正しくありません") from None
    if start.tzinfo is None or end.tzinfo is None:
        raise InvalidParam("予約の時刻には、時差を書いてください")
    return Read(Meant.BOOK, Wish(texts[0], start, end, texts[1], texts[2]), content.get("waits") is True)


def _wish(text: str, facilities: list[Facility], today: date) -> Wish:
    facility = next(
        (item for item in sorted(facilities, key=lambda item: -len(item.name)) if folded(item.name) in text), None)
    if facility is None:
        raise InvalidParam("どこ（なに）を予約するかが、わかりませんでした")
    rest = text.replace(folded(facility.name), " ", 1)
    day, rest = _day(rest, today)
    span = _SPAN.search(rest)
    if span is None:
        raise InvalidParam("何時から何時までかが、わかりませんでした")
    start, end = _moment(day, span.groups()[:5], None), _moment(day, span.groups()[5:], span[1])
    title = _AROUND.sub("", " ".join((rest[:span.start()] + " " + rest[span.end():]).split()))
    return Wish(facility.id, start, end, title)


def _day(text: str, today: date) -> tuple[date, str]:
    near, written = _NEAR.search(text), _DAY.search(text)
    if written is not None:
        year = int(written[1]) if written[1] else today.year
        try:
            day = date(year, int(written[2]), int(written[3]))
            if written[1] is None and day < today:
                day = day.replace(year=year + 1)
        except ValueError:
            raise InvalidParam("その日にちは、ありません") from None
        return day, text[:written.start()] + " " + text[written.end():]
    if near is not None:
        return today + timedelta(days=_NEAR_DAYS[near[1]]), text[:near.start()] + " " + text[near.end():]
    raise InvalidParam("何月何日かが、わかりませんでした")


def _moment(day: date, parts: tuple[str | None, ...], half_day_before: str | None) -> datetime:
    """A time of a day; 「午後1時から3時」 ends in the afternoon, too."""
    half_day, hour_text, minute, minute_word, half = parts
    hour = int(hour_text or 0)
    if (half_day or half_day_before) == "午後" and hour < 12:
        hour += 12
    minutes = 30 if half else int(minute or minute_word or 0)
    if hour > 24 or minutes > 59 or (hour == 24 and minutes):
        raise InvalidParam("その時刻は、ありません")
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO) + timedelta(hours=hour, minutes=minutes)
