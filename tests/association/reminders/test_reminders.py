"""Reminders: the evening before and the hour before, as chosen, once, also when the node was down meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.assembly.reminders import _Gatherings
from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Plan
from server.association.gatherings.reminding import ComingGatherings
from server.association.members.model import EVERYONE, Person
from server.association.reminders.model import MARK, Appointment, Choice, Kind, due_ms, read_choice
from server.association.reminders.reminding import Reminders
from server.foundation.clock import TOKYO, tokyo_time
from server.rooms.send_event import Draft
from tests.association.world import World, world
from tests.fakes.clock import FakeClock

DAY_S, HOUR_S = 86_400, 3_600
# The clock stands on Monday, 1 January 2024, 16:10:09 in Japan.
START = datetime(2024, 1, 3, 10, 0, tzinfo=TOKYO)
PLAN = Plan("餅つき", START, START + timedelta(hours=2), "集会所")


@dataclass
class Place:
    """A node with everything that reminds."""

    node: World
    clock: FakeClock
    gatherings: Gatherings
    attendance: Attendance
    reminders: Reminders
    choices: dict[str, Choice] = field(default_factory=dict)

    async def at(self, moment: datetime) -> int:
        """Let it become that time, and look round."""
        await self.clock.advance(moment.timestamp() - self.clock.now_ms() / 1000)
        return await self.reminders.look_round()

    async def told(self, person: Person) -> list[dict[str, Any]]:
        """What stands in somebody's 窓口."""
        room = await self.node.live(self.node.members.desk_room_of(person.id))
        return [entry.event.content for entry in room.timeline if MARK in entry.event.content]


@asynccontextmanager
async def place(folder: Path, clock: FakeClock | None = None) -> AsyncIterator[Place]:
    clock = clock or FakeClock()
    async with world(folder / "node.db", clock=clock) as node:
        gatherings = Gatherings(node.database, clock, node.members, node.sender, as_ics)
        attendance = Attendance(node.database, gatherings, node.members, node.sender)
        choices: dict[str, Choice] = {}

        async def chosen() -> Mapping[str, Choice]:
            return choices

        source = _Gatherings(ComingGatherings(gatherings, attendance, node.members))
        reminders = Reminders(node.database, clock, node.members, node.sender, chosen, [source])
        for part in (gatherings, attendance, reminders):
            part.attach(node.acceptor)
        await gatherings.open()
        yield Place(node, clock, gatherings, attendance, reminders, choices)


async def test_who_comes_is_reminded_on_the_evening_before_and_only_once(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako, taro = await here.node.person("佐藤 花子"), await here.node.person("鈴木 太郎")
        gathering = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        await here.attendance.answer(str(hanako.user_id), gathering.id, Answer.ACCEPTED)
        await here.attendance.answer(str(taro.user_id), gathering.id, Answer.DECLINED)
        assert await here.at(datetime(2024, 1, 2, 17, 59, 59, tzinfo=TOKYO)) == 0
        assert await here.at(datetime(2024, 1, 2, 18, 0, tzinfo=TOKYO)) == 1
        assert await here.at(datetime(2024, 1, 2, 18, 0, 20, tzinfo=TOKYO)) == 0
        assert await here.at(datetime(2024, 1, 3, 9, 30, tzinfo=TOKYO)) == 0
        (told,) = await here.told(hanako)
        assert told["body"] == "【あした】餅つき\n日時：1月3日(水) 10:00\n場所：集会所"
        assert await here.told(taro) == []


async def test_everybody_is_reminded_as_they_chose(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        names = {"all": Choice(everything=True), "hour": Choice(day_before=False, hour_before=True),
                 "both": Choice(hour_before=True), "none": Choice(day_before=False),
                 "declined": Choice(everything=True)}
        people = {name: await here.node.person(name) for name in names}
        here.choices.update((str(people[name].user_id), choice) for name, choice in names.items())
        gathering = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        for name in ("hour", "both", "none"):
            await here.attendance.answer(str(people[name].user_id), gathering.id, Answer.ACCEPTED)
        await here.attendance.answer(str(people["declined"].user_id), gathering.id, Answer.DECLINED)
        assert await here.at(datetime(2024, 1, 2, 18, 0, tzinfo=TOKYO)) == 2
        assert await here.at(datetime(2024, 1, 3, 9, 0, tzinfo=TOKYO)) == 2
        heads = {name: [told["body"][:5] for told in await here.told(person)] for name, person in people.items()}
        assert heads == {"all": ["【あした】"], "hour": ["【きょう】"], "both": ["【あした】", "【きょう】"],
                         "none": [], "declined": []}


async def test_a_node_that_was_down_reminds_late_but_not_of_what_has_begun_and_never_twice(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        user = str(hanako.user_id)
        for plan in (PLAN, Plan("そうじ", START - timedelta(hours=3), START)):
            gathering = await here.gatherings.announce(here.node.node, plan, EVERYONE)
            await here.attendance.answer(user, gathering.id, Answer.ACCEPTED)
    late = FakeClock(round(datetime(2024, 1, 3, 9, 30, tzinfo=TOKYO).timestamp() * 1000))
    async with place(tmp_path, late) as here:
        here.choices[user] = Choice(hour_before=True)
        assert await here.reminders.look_round() == 1
        (told,) = await here.told(hanako)
        assert (told["body"][:7], told[MARK]["kinds"]) == ("【きょう】餅つ", ["day_before", "hour_before"])
    async with place(tmp_path, FakeClock(late.now_ms() + 60_000)) as here:
        here.choices[user] = Choice(hour_before=True)
        assert await here.reminders.look_round() == 0


async def test_what_was_called_off_or_has_just_been_told_reminds_nobody(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        here.choices[str(hanako.user_id)] = Choice(everything=True, hour_before=True)
        cancelled = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        await here.gatherings.cancel(here.node.node, cancelled.id)
        withdrawn = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        await here.gatherings.withdraw(here.node.node, withdrawn.id)
        assert await here.at(datetime(2024, 1, 2, 19, 0, tzinfo=TOKYO)) == 0
        await here.gatherings.announce(here.node.node, PLAN, EVERYONE)  # later than the evening's reminder
        assert await here.reminders.look_round() == 0
        assert await here.at(datetime(2024, 1, 3, 9, 0, tzinfo=TOKYO)) == 1


async def test_another_time_is_reminded_of_anew(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        here.choices[str(hanako.user_id)] = Choice(everything=True)
        gathering = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        assert await here.at(datetime(2024, 1, 2, 18, 0, tzinfo=TOKYO)) == 1
        later = Plan("餅つき", START + timedelta(days=7), START + timedelta(days=7, hours=2))
        await here.gatherings.change(here.node.node, gathering.id, later)
        assert await here.at(datetime(2024, 1, 3, 18, 0, tzinfo=TOKYO)) == 0
        assert await here.at(datetime(2024, 1, 9, 18, 0, tzinfo=TOKYO)) == 1


async def test_every_day_of_a_series_is_reminded_of_and_whole_days_have_no_hour(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        here.choices[str(hanako.user_id)] = Choice(everything=True, hour_before=True)
        series = Plan("資源回収", date(2024, 1, 3), date(2024, 1, 4), rule="FREQ=WEEKLY;COUNT=3",
                      except_for=(date(2024, 1, 10),))
        await here.gatherings.announce(here.node.node, series, EVERYONE)
        found = [await here.at(datetime(2024, 1, day, hour, tzinfo=TOKYO)) for day in range(2, 18) for hour in (1, 23)]
        assert sum(found) == 2
        assert [told["body"] for told in await here.told(hanako)] == [
            "【あした】資源回収\n日時：1月3日(水)", "【あした】資源回収\n日時：1月17日(水)"]


async def test_nobody_else_can_say_that_somebody_was_reminded(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        user = str(hanako.user_id)
        gathering = await here.gatherings.announce(here.node.node, PLAN, EVERYONE)
        await here.attendance.answer(user, gathering.id, Answer.ACCEPTED)
        mark = {"thing": f"gathering:{gathering.id}", "start": round(START.timestamp() * 1000), "kinds": ["day_before"]}
        room_id = str(here.node.members.desk_room_of(hanako.id))
        forged: list[dict[str, Any]] = [{MARK: mark}, {MARK: {}}, {MARK: 1}]
        for content in forged:
            await here.node.sender.send(Draft(room_id, user, "m.room.message", {"body": "x", **content}))
        assert await here.at(datetime(2024, 1, 2, 18, 0, tzinfo=TOKYO)) == 1


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def process_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def test_the_evening_is_the_evening_in_japan_wherever_the_process_runs(process_zone: str) -> None:
    for start in (datetime(2024, 3, 10, 0, 30, tzinfo=TOKYO), datetime(2024, 11, 3, 23, 59, tzinfo=TOKYO)):
        due = due_ms(Kind.DAY_BEFORE, Appointment("x", "x", round(start.timestamp() * 1000), 0))
        assert due is not None
        assert tokyo_time(due).isoformat() == f"{(start - timedelta(days=1)).date()}T18:00:00+09:00"


@pytest.mark.parametrize(("content", "choice"), [
    (None, Choice()), ({}, Choice()), ([], Choice()), ({"day_before": "yes", "hour_before": 1, "for": 3}, Choice()),
    ({"day_before": False, "hour_before": True, "for": "all"}, Choice(False, True, True)),
])
def test_any_client_may_set_the_choice_and_nonsense_changes_nothing(content: object, choice: Choice) -> None:
    assert read_choice(content) == choice
    assert read_choice(choice.as_content()) == choice
