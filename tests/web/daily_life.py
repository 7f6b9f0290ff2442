"""A site on which something is booked, fetched and done in turn, and the addresses of its pages."""

from __future__ import annotations

from datetime import timedelta

from server.association.bookings.actions import Origin
from server.association.bookings.model import Facility, Rules, Wish
from server.association.duties.model import DutyPlan
from server.association.hazards.model import HazardKind, Sight
from server.association.members.model import Audience
from server.foundation.clock import tokyo_time
from tests.architecture.source import ROOT
from tests.web.site import CHAIR, Site

_LISTS = ROOT / "tests/data/garbage/template_kanazawa"


async def pages_of_daily_life(here: Site) -> list[str]:
    """One of each page whose address has variables, with something on it."""
    life, chair, block = here.node.association.daily_life, here.user(CHAIR), here.block("1班")
    facility = await life.bookings.put_facility(chair, Facility("", "集会所", rules=Rules(asks=True)))
    now = tokyo_time(here.node.core.clock.now_ms())
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    wish = Wish(facility.id, day + timedelta(hours=10), day + timedelta(hours=12), "練習", "鍵は花子")
    booking = await life.bookings.book(here.user("佐藤 花子"), wish)
    await life.bookings.book(chair, wish, origin=Origin(waits=True))
    areas, things = ((_LISTS / name).read_bytes() for name in ("area_days.csv", "target.csv"))
    await life.garbage.take_in(chair, areas)
    await life.garbage.take_in_things(chair, things)
    await life.garbage.choose(chair, block, "片町")
    await life.garbage.tell(chair, [here.node.association.members.block(block)], "びん", None, day.date())
    audience = Audience.blocks([block])
    order = tuple(home.id for home in life.duties.households_for(audience))
    duty = await life.duties.arrange(chair, DutyPlan("掃除", audience, order, now.date()))
    hazard = await life.hazards.report(chair, Sight(HazardKind.TREE, "桜公園の北", "枝が 折れています"))
    return [
        f"/hazards/{hazard.id}",
        f"/facilities/{facility.id}", f"/facilities/{facility.id}/day?day={day:%Y-%m-%d}", f"/bookings/{booking.id}",
        f"/desk/facilities/{facility.id}", f"/duties/{duty.id}", f"/desk/duties/{duty.id}", "/garbage?q=アイス",
    ]
