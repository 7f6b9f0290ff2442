"""What may be booked: wishes and facilities as they are kept, opening hours, what is free. Pure rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from server.association.bookings.model import (
    MAX_CLOSED,
    MAX_NAME,
    MAX_NOTE,
    MAX_PLACE,
    MAX_TITLE,
    Facility,
    Hours,
    Wish,
)
from server.association.bookings.repeating import MAX_TIMES, read_rule
from server.foundation.clock import TOKYO, is_reckonable
from server.foundation.errors import InvalidParam

Stretch = tuple[datetime, datetime]

def checked_wish(wish: Wish) -> Wish:
    """``wish`` as it is kept, times in Japan; raises ``InvalidParam``."""
    if not is_reckonable(wish.start) or not is_reckonable(wish.end):
        raise InvalidParam("その日は、予約できません")
    start, end = (moment.astimezone(TOKYO).replace(second=0, microsecond=0) for moment in (wish.start, wish.end))
    if end <= start:
        raise InvalidParam("おわりは、はじまりより後にしてください", field="end")
    title, note = " ".join(wish.title.split()), wish.note.strip()
    if len(title) > MAX_TITLE or len(note) > MAX_NOTE:
        raise InvalidParam(f"目的は{MAX_TITLE}文字、メモは{MAX_NOTE}文字までです", field="title")
    return _checked_rule(replace(wish, start=start, end=end, title=title, note=note))


def _checked_rule(wish: Wish) -> Wish:
    """A wish that repeats, with the rule as it is kept; starts that were left out and are none are forgotten."""
    if not wish.rule:
        return replace(wish, except_for=())
    repeat = read_rule(wish.rule, wish.start)
    starts = list(repeat.starts(wish.start))
    if starts[:1] != [wish.start]:
        raise InvalidParam("はじめの日が、くり返す日とちがいます")
    if len(starts) > MAX_TIMES:
        raise InvalidParam(f"くり返しの予約は、{MAX_TIMES}回までです")
    left_out = {moment.astimezone(TOKYO).replace(second=0, microsecond=0) for moment in wish.except_for}
    if left_out >= set(starts):
        raise InvalidParam("くり返しの日が、ひとつも残りません")
    return replace(wish, rule=repeat.as_rule(), except_for=tuple(start for start in starts if start in left_out))


def times_of(wish: Wish) -> tuple[Wish, ...]:
    """Every single time of a checked wish, in order; of one that does not repeat, itself."""
    if not wish.rule:
        return (wish,)
    length, left_out = wish.end - wish.start, frozenset(wish.except_for)
    return tuple(
        replace(wish, start=start, end=start + length, rule="", except_for=())
        for start in read_rule(wish.rule, wish.start).starts(wish.start) if start not in left_out
    )


def require_open(facility: Facility, wish: Wish) -> None:
    """Raise ``InvalidParam`` unless the facility is open for the whole of ``wish`` and its times fit."""
    rules, start = facility.rules, wish.start
    if facility.is_gone:
        raise InvalidParam(f"{facility.name}は、いま予約できません")
    begins = start.hour * 60 + start.minute
    length = round((wish.end - start).total_seconds() / 60)
    if rules.longest and length > rules.longest:
        raise InvalidParam(f"{facility.name}の予約は、一回{length_in_words(rules.longest)}までです")
    hours = hours_on(facility, start.date())
    if hours is None:
        raise InvalidParam(f"{facility.name}は、その日は休みです")
    if begins < hours.start or begins + length > hours.end:
        raise InvalidParam(f"{facility.name}は、{str(hours).replace('-', '〜')}に使えます")
    if begins % rules.step or length % rules.step:
        raise InvalidParam(f"{facility.name}の予約は、{length_in_words(rules.step)}きざみです")


def require_in_time(facility: Facility, wish: Wish, now: datetime) -> None:
    """Raise ``InvalidParam`` where it is too late or too early to book."""
    rules = facility.rules
    if rules.notice_hours and wish.start - now < timedelta(hours=rules.notice_hours):
        raise InvalidParam(f"{facility.name}は、{rules.notice_hours}時間前までに予約してください")
    if rules.ahead_days and wish.start.date() - now.date() > timedelta(days=rules.ahead_days):
        raise InvalidParam(f"{facility.name}は、{rules.ahead_days}日先まで予約できます")


def require_repeats(facility: Facility, wish: Wish) -> None:
    """Raise ``InvalidParam`` where a resident may not book so often at a time."""
    most, count = facility.rules.times, len(times_of(wish))
    if wish.rule and not most:
        raise InvalidParam(f"{facility.name}は、くり返しの予約ができません。一回ずつ予約してください")
    if wish.rule and count > most:
        raise InvalidParam(f"{facility.name}のくり返しの予約は、{most}回までです")


def hours_on(facility: Facility, day: date) -> Hours | None:
    """When it is open on a day."""
    return None if day in facility.rules.closed else facility.rules.hours[day.weekday()]


def is_free(facility: Facility, start: datetime, end: datetime, held: Iterable[Wish]) -> bool:
    """Whether one more booking fits beside those that hold their time."""
    meeting = [wish for wish in held if wish.start < end and start < wish.end]
    if len(meeting) < facility.rules.at_once:
        return True
    # The most at the same moment stand where one of them begins.
    moments = [start, *(wish.start for wish in meeting if wish.start > start)]
    return max(sum(wish.start <= moment < wish.end for wish in meeting) for moment in moments) < facility.rules.at_once


def free_times(facility: Facility, day: date, held: Iterable[Wish]) -> list[Stretch]:
    """The stretches of a day that can still be booked, in order."""
    hours = hours_on(facility, day)
    if hours is None:
        return []
    midnight, wishes = datetime(day.year, day.month, day.day, tzinfo=TOKYO), list(held)
    step = timedelta(minutes=facility.rules.step)
    at, last = midnight + timedelta(minutes=hours.start), midnight + timedelta(minutes=hours.end)
    found: list[Stretch] = []
    while at + step <= last:
        if is_free(facility, at, at + step, wishes):
            if found and found[-1][1] == at:
                found[-1] = (found[-1][0], at + step)
            else:
                found.append((at, at + step))
        at += step
    return found


def checked_facility(facility: Facility) -> Facility:
    """``facility`` as it is kept; raises ``InvalidParam``."""
    name, rules = " ".join(facility.name.split()), facility.rules
    if not name or len(name) > MAX_NAME:
        raise InvalidParam(f"名前を入れてください（{MAX_NAME}文字まで）", field="name")
    if len(facility.place) > MAX_PLACE or len(facility.note) > MAX_NOTE:
        raise InvalidParam(f"場所は{MAX_PLACE}文字、説明は{MAX_NOTE}文字までです", field="place")
    if len(rules.hours) != 7 or not any(rules.hours):
        raise InvalidParam("開いている曜日と時間を入れてください")
    if rules.step not in (5, 10, 15, 30, 60, 120) or rules.longest < 0 or rules.longest % rules.step:
        raise InvalidParam("予約のきざみと、いちばん長い時間を、もう一度えらんでください")
    if not (0 <= rules.ahead_days <= 800 and 0 <= rules.notice_hours <= 800 and 0 <= rules.most <= 1000):
        raise InvalidParam("予約のきまりの数が大きすぎます")
    if not 1 <= rules.at_once <= 1000 or len(rules.closed) > MAX_CLOSED:
        raise InvalidParam("同じ時間の数は1からです", field="at_once")
    if not 0 <= rules.times <= MAX_TIMES:
        raise InvalidParam(f"くり返しの予約は、{MAX_TIMES}回までです")
    closed = tuple(sorted(set(rules.closed)))
    return replace(facility, name=name, place=" ".join(facility.place.split()), note=facility.note.strip(),
                   rules=replace(rules, closed=closed))


def length_in_words(minutes: int) -> str:
    """``30分``, ``2時間``, ``1時間30分``."""
    hours, rest = divmod(minutes, 60)
    return (f"{hours}時間" if hours else "") + (f"{rest}分" if rest or not hours else "")
