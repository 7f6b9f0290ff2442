"""Days and times of day as fields of forms hold them, in Japan's time. How they are said: ``languages/dates.py``."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from server.foundation.clock import TOKYO, is_reckonable, tokyo_time
from server.foundation.errors import InvalidParam


def input_date_of(ms: int) -> str:
    """What ``<input type="date">`` holds."""
    return f"{tokyo_time(ms):%Y-%m-%d}"


def day_from_input(text: str, what: str, field: str = "day") -> date:
    """What somebody has put into such a field; raises ``InvalidParam``, also at the ends of the calendar."""
    fault = InvalidParam(f"{what}の日にちを、もう一度えらんでください。", field=field)
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise fault from None
    if not is_reckonable(day):
        raise fault
    return day


def moment_from_input(day_text: str, time_text: str, what: str) -> datetime:
    """A day and a time (``HH:MM``) in Japan; raises ``InvalidParam``."""
    day = day_from_input(day_text, what)
    try:
        at = datetime.strptime(time_text.strip(), "%H:%M").time()  # noqa: DTZ007 - a time without a day has no zone
    except ValueError:
        raise InvalidParam(f"{what}の時刻を、もう一度えらんでください。") from None
    return datetime.combine(day, at, TOKYO)


def end_of_day_ms(day: date) -> int:
    """The last millisecond of a day in Japan: a deadline includes its day."""
    following = datetime.combine(day + timedelta(days=1), datetime.min.time(), TOKYO)
    return int(following.timestamp() * 1000) - 1
