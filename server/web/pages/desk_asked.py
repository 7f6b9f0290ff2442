"""What was asked of associations (棚卸し), by the fiscal year that begins in April."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from aiohttp import web

from server.association.members.model import Right
from server.foundation.clock import tokyo_time
from server.foundation.errors import InvalidParam
from server.web.dates import end_of_day_ms
from server.web.routing import Routes
from server.web.visit import Visit

_YEARS: Final = 5
_FIRST: Final = 2000


def add_routes(routes: Routes) -> None:
    """The list and its file."""
    routes.get("/desk/asked", show)
    routes.post("/desk/asked/file", give_out)


async def show(visit: Visit) -> web.StreamResponse:
    """Everything that was sent in a year, and how much of it came back."""
    visit.require(Right.POST_CIRCULARS)
    now = _this_year(visit)
    year = _year(visit.query("year"), now)
    desk = await visit.services.wide_area()
    asked = await desk.city.asked(visit.user_id, *_span(year))
    return visit.page("desk_asked.html", asked=asked, year=year, years=range(now, now - _YEARS, -1))


async def give_out(visit: Visit) -> web.StreamResponse:
    """The list as a file for a spreadsheet."""
    form = await visit.form()
    year = _year(form.line("year"), _this_year(visit))
    data = await (await visit.services.wide_area()).city.asked_csv(visit.user_id, *_span(year))
    return visit.download(data, "text/csv", f"町内会への依頼-{year}.csv")


def _this_year(visit: Visit) -> int:
    today = tokyo_time(visit.services.clock.now_ms()).date()
    return today.year if today.month > 3 else today.year - 1


def _year(text: str, now: int) -> int:
    if not text:
        return now
    if not (text.isascii() and text.isdigit() and len(text) == 4 and _FIRST <= int(text) <= now):
        raise InvalidParam("年度を もう一度 えらんでください。")
    return int(text)


def _span(year: int) -> tuple[int, int]:
    """The first millisecond of a fiscal year in Japan, and the first after it."""
    before = date(year, 4, 1) - timedelta(days=1)
    return end_of_day_ms(before) + 1, end_of_day_ms(date(year + 1, 3, 31)) + 1
