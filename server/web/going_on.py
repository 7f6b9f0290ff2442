"""What an association has going on, in a few sentences on paper for those who take over."""

from __future__ import annotations

from typing import Final

from server.association.circulars.model import State
from server.web.languages.dates import Dates
from server.web.languages.tongues import JAPANESE
from server.web.visit import Visit

_MOST: Final = 6


async def going_on(visit: Visit) -> list[str]:
    """Circulars and polls that are not over, what is ahead, bookings that wait for an answer; of each a few."""
    return [*await _circulars(visit), *await _polls(visit), *_gatherings(visit), *_bookings(visit)]


async def _circulars(visit: Visit) -> list[str]:
    now = visit.services.clock.now_ms()
    page = await visit.services.circulars.reader.all(visit.user_id, 20)
    circulars = [item.circular for item in page.items]
    going = [item for item in circulars if item.state_at(now) in (State.GOING_ROUND, State.CORRECTED)]
    return [f"回覧中：{item.title}" for item in going[:_MOST]]


async def _polls(visit: Visit) -> list[str]:
    now = visit.services.clock.now_ms()
    polls = [poll for poll in await visit.services.polls.results.polls(visit.user_id, 50) if not poll.is_over_at(now)]
    return [f"アンケート：{poll.question}" for poll in polls[:_MOST]]


def _gatherings(visit: Visit) -> list[str]:
    found = visit.services.gatherings.verbs.upcoming(visit.user_id, _MOST)
    dates = Dates(JAPANESE.code)
    return [f"行事：{dates.short_day(item.start_ms)} {item.gathering.plan.title}" for item in found]


def _bookings(visit: Visit) -> list[str]:
    waiting = len(visit.services.daily.bookings.schedule.asked(visit.user_id))
    return [f"予約：{waiting}件が 返事を まっています"] if waiting else []
