"""Duties: turns follow from the order; households change places; calendars show the same as the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from jsonschema import Draft202012Validator

from server.association.duties.actions import Duties
from server.association.duties.book import DutyBook
from server.association.duties.calendar import DutyCalendars, MyDuties
from server.association.duties.contents import KEY, message_content
from server.association.duties.model import Duty, DutyPlan, Rhythm, start_of, turns
from server.association.duties.projection import DutyProjection
from server.association.members.model import EVERYONE, Audience, Role
from server.calendars.whole import WholeCalendars
from server.foundation.clock import TOKYO
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.send_event import Draft
from tests.architecture.source import ROOT
from tests.association.speaking import Street, street

CHAIR, HANAKO, ICHIRO, MISAKI = "町田 会長", "佐藤 花子", "鈴木 一郎", "高橋 美咲"
SCHEMA = Draft202012Validator(orjson.loads((ROOT / "docs/events/jp.kairan.duty.schema.json").read_bytes()))
# The clock of the tests stands on 1 January 2024, a Monday.
FIRST = date(2024, 1, 1)


@dataclass(slots=True)
class Block:
    street: Street
    duties: Duties

    def home(self, name: str) -> str:
        return self.street.person(name).household_id

    def audience(self, name: str = "1班") -> Audience:
        return Audience.blocks([item.id for item in self.street.node.members.blocks() if item.name == name])

    def plan(self, **more: Any) -> DutyPlan:
        order = tuple(self.home(name) for name in (CHAIR, HANAKO, ICHIRO))
        return replace(DutyPlan("ごみ置き場の掃除", self.audience(), order, FIRST), **more)

    async def arrange(self, **more: Any) -> Duty:
        return await self.duties.arrange(self.street.user(CHAIR), self.plan(**more))

    async def said(self, room_id: str | None) -> list[dict[str, Any]]:
        room = await self.street.node.live(room_id)
        return [item.event.content for item in room.timeline if item.event.type == "m.room.message"]


@asynccontextmanager
async def block(folder: Path) -> AsyncIterator[Block]:
    async with street(folder / "node.db", ((HANAKO, "1班"), (ICHIRO, "1班"), (MISAKI, "2班"))) as here:
        node, book = here.node, DutyBook()
        duties = Duties(node.database, node.clock, node.members, node.sender, book)
        node.acceptor.project(DutyProjection(book, node.node).project, ["m.room.message"])
        await duties.open()
        yield Block(here, duties)


async def test_a_duty_is_a_readable_message_that_names_nobody(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        duty = await here.arrange(note="朝8時まで")
        room_id = here.street.node.members.rooms_for(here.audience())[0]
        (content,) = await here.said(room_id)
        assert content["body"] == (
            "【当番】ごみ置き場の掃除\n2024年1月1日(月)から、毎週かわる（3世帯）\n朝8時まで\n"
            "順番は「当番」のページと、カレンダーのアプリで見られます。"
        )
        SCHEMA.validate(content[KEY])
        assert "佐藤" not in str(content)
        assert [turn.household for turn in here.duties.turns_of(duty, 21)] == [
            here.home(name) for name in (CHAIR, HANAKO, ICHIRO, CHAIR)]
        assert [turn.start for turn in here.duties.coming_for(here.home(HANAKO), 30)] == [
            date(2024, 1, 8), date(2024, 1, 29)]
    async with block(tmp_path) as here:
        assert here.duties.get(here.street.user(HANAKO), duty.id) == duty


async def test_places_are_changed_and_both_are_told(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        duty = await here.arrange()
        duty = await here.duties.swap(here.street.user(CHAIR), duty.id, 1, 2)
        assert [turn.household for turn in here.duties.turns_of(duty, 14)] == [
            here.home(name) for name in (CHAIR, ICHIRO, HANAKO)]
        for name in (HANAKO, ICHIRO):
            assert "あなたの家の番になりました" in (await here.said(here.street.desk(name)))[-1]["body"]
        duty = await here.duties.take_over(here.street.user(HANAKO), duty.id, 1)
        assert duty.taken[1] == here.home(HANAKO)
        assert "1月8日〜1月14日" in (await here.said(here.street.desk(ICHIRO)))[-1]["body"]
        with pytest.raises(InvalidParam):
            await here.duties.take_over(here.street.user(HANAKO), duty.id, 1)
        with pytest.raises(NotFound):
            await here.duties.take_over(here.street.user(MISAKI), duty.id, 2)
        with pytest.raises(Forbidden):
            await here.duties.swap(here.street.user(HANAKO), duty.id, 1, 2)


async def test_whose_turn_it_is_says_that_it_is_done(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        duty = await here.arrange(order=tuple(here.home(name) for name in (HANAKO, ICHIRO)))
        with pytest.raises(Forbidden):
            await here.duties.done(here.street.user(ICHIRO), duty.id, 0)
        with pytest.raises(InvalidParam, match="まだ"):
            await here.duties.done(here.street.user(ICHIRO), duty.id, 1)
        duty = await here.duties.done(here.street.user(HANAKO), duty.id, 0)
        assert here.duties.turns_of(duty)[0].is_done
        assert await here.duties.done(here.street.user(HANAKO), duty.id, 0) == duty


async def test_another_order_counts_anew_and_an_end_is_an_end(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        chair = here.street.user(CHAIR)
        duty = await here.arrange()
        duty = await here.duties.swap(chair, duty.id, 0, 1)
        titled = await here.duties.change(chair, duty.id, here.plan(title="そうじ"), expected_revision=duty.revision)
        assert titled.taken == duty.taken
        with pytest.raises(Refused) as refusal:
            await here.duties.change(chair, duty.id, here.plan(), expected_revision=duty.revision)
        assert refusal.value.status == 412
        anew = await here.duties.change(chair, duty.id, here.plan(rhythm=Rhythm.DAILY, days=1))
        assert anew.taken == {}
        with pytest.raises(InvalidParam, match="変えられません"):
            await here.duties.change(chair, duty.id, here.plan(audience=EVERYONE))
        await here.duties.end(chair, duty.id)
        assert here.duties.coming_for(here.home(HANAKO)) == []
        assert here.duties.shown_to(chair) == []
        with pytest.raises(InvalidParam):
            await here.duties.swap(chair, duty.id, 0, 1)


async def test_a_leader_arranges_in_the_own_block_and_nobody_forges(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        node = here.street.node
        await node.editor.give_role(node.node, here.street.person(MISAKI).id, Role.BLOCK_LEADER)
        leader = here.street.user(MISAKI)
        own = here.plan(audience=here.audience("2班"), order=(here.home(MISAKI),))
        await here.duties.arrange(leader, own)
        for who, plan in ((leader, here.plan()), (here.street.user(HANAKO), here.plan())):
            with pytest.raises(Forbidden):
                await here.duties.arrange(who, plan)
        with pytest.raises(InvalidParam, match="その班の世帯"):
            await here.duties.arrange(leader, replace(own, order=(here.home(HANAKO),)))
        room_id = str(node.members.rooms_for(here.audience())[0])
        content = message_content(Duty("x", here.plan(), leader))
        await here.street.send(HANAKO, room_id, "m.room.message", content)
        broken: list[Any] = [None, {}, {**content[KEY], "order": []}, {**content[KEY], "first": "x"},
                             {**content[KEY], "taken": {"x": "y"}}, {**content[KEY], "audience": 1}]
        for value in broken:
            await node.sender.send(Draft(room_id, node.node, "m.room.message", {**content, KEY: value}))
        assert len(here.duties.all()) == 1


@pytest.mark.parametrize(("change", "told"), [
    ({"title": " "}, "名前"), ({"order": ()}, "世帯"), ({"order": ("a", "a")}, "2回"), ({"days": 8}, "1から7"),
    ({"rhythm": Rhythm.MONTHLY, "first": date(2024, 1, 31)}, "28日まで"), ({"last": date(2023, 1, 1)}, "日付"),
])
async def test_what_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    async with block(tmp_path) as here:
        with pytest.raises(InvalidParam, match=told):
            await here.arrange(**change)


@pytest.mark.parametrize("more", [
    {}, {"rhythm": Rhythm.DAILY, "days": 1}, {"rhythm": Rhythm.MONTHLY, "days": 3, "first": date(2024, 1, 28)},
    {"last": date(2024, 2, 20)},
])
async def test_calendars_show_the_same_turns(tmp_path: Path, more: dict[str, Any]) -> None:
    async with block(tmp_path) as here:
        duty = await here.arrange(**more)
        duty = await here.duties.swap(here.street.user(CHAIR), duty.id, 1, 5)
        members = here.street.node.members
        shown = WholeCalendars(DutyCalendars(here.duties, members))
        (collection,) = await shown.collections(here.street.user(HANAKO))
        items = await shown.items(collection, [head.name for head in await shown.heads(collection)])
        wanted = [(turn.start, f"ごみ置き場の掃除：{members.household(turn.household).name}")
                  for turn in turns(duty, FIRST, date(2024, 8, 1))]
        assert _occurrences([item.data for item in items]) == sorted(wanted)
        mine = await MyDuties(here.duties, members).entries(here.street.user(HANAKO))
        assert {entry.draft.title for entry in mine} == {"当番：ごみ置き場の掃除"}
        (other,) = await shown.collections(here.street.user(MISAKI))
        assert await shown.heads(other) == []


async def test_apps_that_were_away_hear_of_the_end(tmp_path: Path) -> None:
    async with block(tmp_path) as here:
        duty = await here.arrange()
        duty = await here.duties.swap(here.street.user(CHAIR), duty.id, 1, 5)
        members = here.street.node.members
        shown, mine = WholeCalendars(DutyCalendars(here.duties, members)), MyDuties(here.duties, members)
        hanako = here.street.user(HANAKO)
        (before,) = await shown.collections(hanako)
        there = {head.name for head in await shown.heads(before)}
        own = {entry.name for entry in await mine.entries(hanako)}
        await here.duties.end(here.street.user(CHAIR), duty.id)
        (after,) = await shown.collections(hanako)
        assert there <= set((await shown.changes_since(after, before.revision, 1000)).gone)
        assert own <= {name for _, name in await mine.gone_since(hanako, before.revision - 1)}


def _occurrences(files: list[bytes]) -> list[tuple[date, str]]:
    start, end = datetime(2024, 1, 1, tzinfo=TOKYO), datetime(2024, 8, 2, tzinfo=TOKYO)
    return sorted(
        (event["DTSTART"].dt, str(event["SUMMARY"]))
        for data in files for event in recurring_ical_events.of(Calendar.from_ical(data)).between(start, end)
    )


@given(st.sampled_from(list(Rhythm)), st.integers(0, 3000), st.integers(1, 28))
def test_turns_are_found_from_any_day(rhythm: Rhythm, later: int, days: int) -> None:
    longest = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 28}[rhythm]
    plan = DutyPlan("x", EVERYONE, ("a", "b", "c"), FIRST, rhythm, min(days, longest))
    day = FIRST + timedelta(days=later)
    found = list(turns(Duty("d", plan, "@x:y"), day, day + timedelta(days=40)))
    meant = [number for number in range(4000) if start_of(plan, number) <= day + timedelta(days=40)
             and start_of(plan, number) + timedelta(days=plan.days) > day] if later < 1200 else None
    assert meant is None or [turn.number for turn in found] == meant
