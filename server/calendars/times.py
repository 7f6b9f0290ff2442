"""Calendar values as moments. A floating time and a whole day are meant in Japan, whatever the process's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from server.calendars.refusals import Condition, refuse
from server.foundation.clock import FIRST_YEAR, LAST_YEAR, TOKYO

LONGEST: Final = timedelta(days=3660)


def moment(value: date | datetime) -> datetime:
    """``value`` with a time zone: what floats, and the start of a day, are read in Asia/Tokyo."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=TOKYO)
    return value.replace(tzinfo=TOKYO) if value.tzinfo is None else value


def to_ms(value: date | datetime) -> int:
    """Milliseconds since 1970 of a calendar value."""
    return round(moment(value).timestamp()) * 1000


def from_ms(ms: int) -> datetime:
    """The moment in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def is_whole_day(value: date | datetime) -> bool:
    """Whether ``value`` is a date without a time."""
    return not isinstance(value, datetime)


def utc_text(value: datetime) -> str:
    """``20261123T010000Z``."""
    return moment(value).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def read_utc(text: str) -> int:
    """Milliseconds of a UTC time in a filter (RFC 4791 section 9.9); raises a refusal."""
    try:
        stamp = datetime.strptime(text.strip(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise refuse(Condition.VALID_FILTER, "A time range needs UTC times such as 20261123T000000Z") from None
    # Some apps ask from the year 1 to 9999 when they mean everything.
    first, last = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC)
    return to_ms(min(max(stamp, first), last))


def require_sane(value: date | datetime) -> None:
    """Refuse dates that no calendar needs."""
    if value.year < FIRST_YEAR:
        raise refuse(Condition.MIN_DATE, f"Dates before {FIRST_YEAR} are not kept")
    if value.year > LAST_YEAR:
        raise refuse(Condition.MAX_DATE, f"Dates after {LAST_YEAR} are not kept")
