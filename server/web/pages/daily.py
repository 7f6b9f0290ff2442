"""From day to day: garbage, bookings, duties on one page."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from server.web.pages.bookings import shown
from server.web.pages.duties import shown as turn_shown
from server.web.routing import Routes
from server.web.visit import Visit


def add_routes(routes: Routes) -> None:
    """The page of daily life."""
    routes.get("/daily", show_daily)


async def show_daily(visit: Visit) -> web.StreamResponse:
    """What is today and next."""
    person, daily, now = visit.person, visit.services.daily, visit.services.clock.now_ms()
    block = visit.services.members.block_of(person.id)
    mine = [item for item in daily.bookings.schedule.of_person(person.id, now) if not item.is_over]
    duties = daily.duties.coming_for(person.household_id)
    return visit.page(
        "daily.html", block=block, today=daily.garbage.on(block.id, daily.garbage.today),
        tomorrow=daily.garbage.on(block.id, daily.garbage.today + timedelta(days=1)),
        has_plan=daily.garbage.plan(block.id) is not None, booking=shown(visit, mine[0]) if mine else None,
        new_posts=await visit.services.common.reader.number_of_new(visit.user_id),
        duty=turn_shown(visit, duties[0]) if duties else None,
    )
