"""What somebody means who writes in their 窓口 「予約 集会所 12月5日 10時〜12時 会議」.

Only what begins with 予約 is read at all. A day without a year is the next one of that name. What repeats is
「予約 集会所 毎週火曜日 3月30日まで 10時〜12時 体操」.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from server.association.bookings.contents import read_moments
from server.association.bookings.model import Facility, Wish
from server.association.bookings.repeating import Repeat
from server.foundation.clock import TOKYO, is_reckonable
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
_WEEK: Final = "月火水木金土日"
_NUMBERS: Final = "12345一二三四五"
_EVERY: Final = re.compile(
    r"(?:(毎週|隔週)の?([月火水木金土日](?:[・、,]?[月火水木金土日])*)曜?日?"
    r"|毎月の?(?:(第[1-5一二三四五]|最後)の?([月火水木金土日])曜?日?|([12]?\d|3[01])日)|毎日)"
)
_LAST: Final = re.compile(_DAY.pattern + r"\s*まで")
_COUNT: Final = re.compile(r"(\d{1,3})回")
_FROM: Final = re.compile(r"(日(?:\([月火水木金土日]\))?)から")
_AROUND: Final = re.compile(r"^[\s、。,.:のはをにで]+|[\s、。,.:のはをにで]+$")


class Meant(Enum):
    """What is asked for."""

    BOOK = auto()
    CANCEL = auto()
    LIST = auto()


@dataclass(frozen=True, slots=True)
class Read:
    """What was understood. ``number`` counts the bookings of whoever asks, from 1; ``day`` is to be given back."""

    meant: Meant
    wish: Wish | None = None
    waits: bool = False
    number: int | None = None
    day: date | None = None


def read_text(text: str, facilities: Iterable[Facility], today: date) -> Read:
    """Read a message; raises ``InvalidParam`` with what is missing."""
    plain = folded(text)
    written = _DAY.search(plain) or _NEAR.search(plain)
    cancel = _CANCEL.match(plain if written is None else plain[:written.start()] + " " + plain[written.end():])
    if cancel is not None:
        day = None if written is None else _day(written[0], today)[0]
        return Read(Meant.CANCEL, number=int(cancel[1]) if cancel[1] else None, day=day)
    rest = _BEGIN.sub("", plain, count=1)
    if not rest.strip(" 。、!?\n一覧する") and "。" not in rest[1:]:
        return Read(Meant.LIST)
    waits = _WAIT.search(rest) is not None
    wish = _wish(_WAIT.sub(" ", rest), list(facilities), today)
    return Read(Meant.BOOK, wish, waits)


def read_event(content: Any) -> Read:
    """Read the value of our own event (docs/events/jp.kairan.booking.md); raises ``InvalidParam``."""
    try:
        texts = [content.get(key, "") for key in ("facility", "title", "note", "rule")]
        if not all(isinstance(item, str) for item in texts):
            raise TypeError
        start, end = (datetime.fromisoformat(content[key]) for key in ("start", "end"))
        left_out = read_moments(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidParam("予約の書き方が正しくありません") from None
    if start.tzinfo is None or end.tzinfo is None:
        raise InvalidParam("予約の時刻には、時差を書いてください")
    wish = Wish(texts[0], start, end, texts[1], texts[2], texts[3], left_out)
    return Read(Meant.BOOK, wish, content.get("waits") is True)


def _wish(text: str, facilities: list[Facility], today: date) -> Wish:
    facility = next(
        (item for item in sorted(facilities, key=lambda item: -len(item.name)) if folded(item.name) in text), None)
    if facility is None:
        raise InvalidParam("どこ（なに）を予約するかが、わかりませんでした")
    repeat, rest = _repeat(text.replace(folded(facility.name), " ", 1), today)
    if repeat is None or _DAY.search(rest) or _NEAR.search(rest):
        day, rest = _day(rest, today)
    else:
        day = today
    span = _SPAN.search(rest)
    if span is None:
        raise InvalidParam("何時から何時までかが、わかりませんでした")
    title = _AROUND.sub("", " ".join((rest[:span.start()] + " " + rest[span.end():]).split()))
    if repeat is not None:
        # 「12月1日から毎週火曜日」 begins on the first Tuesday from then on.
        midnight = datetime(day.year, day.month, day.day, tzinfo=TOKYO)
        day = next((start.date() for start in repeat.starts(midnight)), day)
    start, end = _moment(day, span.groups()[:5], None), _moment(day, span.groups()[5:], span[1])
    return Wish(facility.id, start, end, title, rule="" if repeat is None else repeat.as_rule())


def _repeat(text: str, today: date) -> tuple[Repeat | None, str]:
    """How often, where it is said, and the text without it; raises ``InvalidParam`` where no end is said."""
    found = _EVERY.search(text)
    if found is None:
        return None, text
    rest = text[:found.start()] + " " + text[found.end():]
    bound = _LAST.search(rest) or _COUNT.search(rest)
    if bound is None:
        raise InvalidParam("くり返しの予約には、いつまでか（3月30日まで）、または何回かを書いてください")
    if bound.re is _COUNT:
        last, count = None, int(bound[1])
    else:
        last, count = _day(bound[0], today)[0], 0
    rest = rest[:bound.start()] + " " + rest[bound.end():]
    return replace(_pattern(found), last=last, count=count), _FROM.sub(r"\1 ", rest)


def _pattern(found: re.Match[str]) -> Repeat:
    every, weekdays, nth, nth_day, month_day = found.groups()
    if weekdays:
        days = tuple(sorted({_WEEK.index(letter) for letter in weekdays if letter in _WEEK}))
        return Repeat("WEEKLY", 1 if every == "毎週" else 2, days)
    if nth_day:
        return Repeat("MONTHLY", 1, (_WEEK.index(nth_day),), -1 if nth == "最後" else _NUMBERS.index(nth[1]) % 5 + 1)
    return Repeat("MONTHLY", 1, month_day=int(month_day)) if month_day else Repeat("DAILY")


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
        if not is_reckonable(day):
            raise InvalidParam("その日は、予約できません")
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
