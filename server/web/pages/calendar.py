"""The calendar of a resident: what comes, day by day, and a month at a glance."""

from __future__ import annotations

import calendar
from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from aiohttp import web

from server.foundation.errors import InvalidParam
from server.web.agenda import agenda
from server.web.routing import Routes
from server.web.visit import Visit

_MOST_MONTHS: Final = 12
_WEEKS: Final = calendar.Calendar(firstweekday=calendar.SUNDAY)  # as calendars hang on walls in Japan


def add_routes(routes: Routes) -> None:
    """One page a month."""
    routes.get("/calendar", show_month)


async def show_month(visit: Visit) -> web.StreamResponse:
    """The days of a month on which something is, as a list first, then as a sheet whose days lead into the list."""
    person, today = visit.person, visit.services.daily.garbage.today
    month = _month(visit.query("month"), today)
    weeks = _WEEKS.monthdatescalendar(month.year, month.month)
    following = _shifted(month, 1)
    found = agenda(visit, person, month, following - timedelta(days=1))
    return visit.page(
        "calendar.html", month=month, today=today, weeks=weeks, counts=Counter(item.day for item in found),
        days=[(day, list(items)) for day, items in groupby(found, key=lambda item: item.day)],
        before=_shifted(month, -1) if month > today else None,
        after=following if following < _shifted(today, _MOST_MONTHS + 1) else None,
    )


def _month(text: str, today: date) -> date:
    """The first day of the month that is asked for; raises ``InvalidParam`` for one that is not shown."""
    this = today.replace(day=1)
    if not text:
        return this
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise InvalidParam("月を もう一度 えらんでください。") from None
    if not this <= month <= _shifted(this, _MOST_MONTHS):
        raise InvalidParam("これから 1年ぶんを 見ることが できます。")
    return month


def _shifted(month: date, count: int) -> date:
    """The first day of a month so many months later."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
