"""Who has booked, and whose turn it is, is reminded in their 窓口: the evening before, with time and place (R44)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from server.assembly.daily_reminders import BookingReminders, DutyReminders
from server.association.bookings.model import Facility, Kind, Rules
from server.association.duties.actions import Duties
from server.association.duties.book import DutyBook
from server.association.duties.model import DutyPlan
from server.association.duties.projection import DutyProjection
from server.association.members.model import Audience
from server.association.reminders.model import Choice
from server.association.reminders.reminding import Reminders, ReminderSource
from tests.association.bookings.booking import CHAIR, DAY, HANAKO, ICHIRO, MISAKI, Hall, hall
from tests.fakes.clock import FakeClock


async def no_choices() -> dict[str, Choice]:
    return {}


def reminders(here: Hall, duties: Duties) -> Reminders:
    node = here.street.node
    sources: list[ReminderSource] = [
        BookingReminders(here.bookings.schedule, node.members), DutyReminders(duties, node.members),
    ]
    made = Reminders(node.database, node.clock, node.members, node.sender, no_choices, sources)
    made.attach(node.acceptor)
    return made


async def duties_of(here: Hall) -> Duties:
    node, book = here.street.node, DutyBook()
    duties = Duties(node.database, node.clock, node.members, node.sender, book)
    node.acceptor.project(DutyProjection(book, node.node).project, ["m.room.message"])
    homes = tuple(here.street.person(name).household_id for name in (CHAIR, HANAKO, ICHIRO))
    blocks = Audience.blocks([here.street.node.members.block_of(here.street.person(CHAIR).id).id])
    first = (DAY - timedelta(days=1)).date()
    await duties.arrange(here.street.user(CHAIR), DutyPlan("掃除", blocks, homes, first, days=2))
    return duties


async def test_a_booking_a_ride_and_a_turn_are_reminded_of_once(tmp_path: Path) -> None:
    async with hall(tmp_path) as here:
        clock = here.street.node.clock
        assert isinstance(clock, FakeClock)
        looking = reminders(here, await duties_of(here))
        car = await here.bookings.put_facility(
            here.street.user(CHAIR), Facility("", "送迎", Kind.RIDE, rules=Rules(shows_titles=False)))
        await here.book(HANAKO, 10, 12, "練習")
        ride = replace(here.wish(9, 10), facility_id=car.id, note="家 → 市民病院")
        await here.bookings.book(here.street.user(MISAKI), ride)
        gone = await here.book(ICHIRO, 13, 14)
        await here.bookings.cancel(here.street.user(ICHIRO), gone.id)
        assert await looking.look_round() == 0
        await clock.advance((DAY - timedelta(days=2)).replace(hour=18, minute=1).timestamp() - clock.now_ms() / 1000)
        assert await looking.look_round() == 1
        assert (await here.said(CHAIR))[-1]["body"] == "【あした】当番：掃除（1月13日まで）\n日時：1月12日(金)"
        await clock.advance(86_400)
        assert await looking.look_round() == 2
        assert await looking.look_round() == 0
        assert (await here.said(HANAKO))[-1]["body"] == (
            "【あした】集会所：練習\n日時：1月13日(土) 10:00\n場所：桜町1-1")
        assert "場所：家 → 市民病院" in (await here.said(MISAKI))[-1]["body"]
        assert "あした" not in (await here.said(ICHIRO))[-1]["body"]
