"""The city's calendar by its address: looked after by the node, made only where it is subscribed to."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from server.assembly.core import Core
from server.calendars.subscription_store import PUBLIC, subscription_of
from server.foundation.tasks import keep_doing

if TYPE_CHECKING:
    from server.calendars.city_feed import CityFeed

_LOOK_S: Final = 900.0
_NAME: Final = "the city's calendar"


def city_feed_of(core: Core) -> CityFeed:
    """The one of the node; with the first call all of iCalendar and the way out are loaded."""
    if core.late.city_feed is None:
        calendars: Any = importlib.import_module("server.assembly.shared_calendars")
        feeding: Any = importlib.import_module("server.calendars.city_feed")
        outgoing: Any = importlib.import_module("server.foundation.outgoing")
        door = outgoing.Outgoing(core.settings.outgoing.allowed_networks, user_agent="Kairan (calendars)")
        core.closing.push_async_callback(door.close)
        core.late.city_feed = feeding.CityFeed(
            core.database, core.clock, door, calendars.public_calendar_of(core).take_in)
    return core.late.city_feed


def watch_city_feed(core: Core) -> None:
    """From now on fetch it where it is time."""

    async def look_round() -> None:
        known = await subscription_of(core.database, PUBLIC)
        if known is not None and known.is_due(core.clock.now_ms()):
            await city_feed_of(core).look_round()

    core.tasks.start(_NAME, keep_doing(_NAME, look_round, core.clock, every_s=_LOOK_S))
