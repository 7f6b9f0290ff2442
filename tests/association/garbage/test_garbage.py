"""Garbage days of a block: chosen from the city's list, told in its room, seen in its calendar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import recurring_ical_events
from icalendar import Calendar
from jsonschema import Draft202012Validator

from server.association.garbage.actions import Garbage
from server.association.garbage.book import GarbageBook
from server.association.garbage.calendar import GarbageCalendars
from server.association.garbage.contents import CHANGE, PLAN
from server.association.garbage.projection import GarbageProjection
from server.association.members.model import Role
from server.calendars.model import Collection
from server.calendars.whole import WholeCalendars
from server.foundation.clock import TOKYO
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.rooms.send_event import Draft
from tests.architecture.source import ROOT
from tests.association.speaking import Street, street

DATA = ROOT / "tests/data/garbage"
CHAIR, HANAKO, MISAKI = "町田 会長", "佐藤 花子", "高橋 美咲"


@dataclass(slots=True)
class City:
    street: Street
    garbage: Garbage

    def block(self, name: str = "1班") -> str:
        return next(item.id for item in self.street.node.members.blocks() if item.name == name)

    async def said(self, name: str = "1班") -> list[dict[str, Any]]:
        room = await self.street.node.live(self.street.node.members.block_room(self.block(name)))
        return [item.event.content for item in room.timeline if item.event.type == "m.room.message"]

    async def choose(self, area: str = "髙橋町一丁目", **more: Any) -> None:
        chair, folder = self.street.user(CHAIR), DATA / "synthetic_edge"
        files = [(folder / f"{name}.csv").read_bytes() for name in ("area_days", "center", "remarks")]
        await self.garbage.take_in(chair, *files)
        await self.garbage.choose(chair, self.block(), area, **more)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[City]:
    async with street(folder / "node.db", ((HANAKO, "1班"), (MISAKI, "2班"))) as here:
        node, book = here.node, GarbageBook()
        garbage = Garbage(node.database, node.clock, node.members, node.sender, book)
        GarbageProjection(book, node.node).attach(node.acceptor)
        await garbage.open()
        yield City(here, garbage)


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads((ROOT / f"docs/events/{name}.schema.json").read_bytes()))


async def test_an_area_is_chosen_for_a_block_and_stands_in_its_room(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose()
        room = await here.street.node.live(here.street.node.members.block_room(here.block()))
        schema("jp.kairan.garbage").validate(room.state[PLAN, ""].content)
        assert here.garbage.on(here.block(), date(2024, 1, 4)) == ["燃やすごみ"]
        assert here.garbage.on(here.block("2班"), date(2024, 1, 4)) == []
        assert here.garbage.coming(here.block(), 4) == [
            (date(2024, 1, 1), ["燃やすごみ"]), (date(2024, 1, 2), ["プラスチック"]), (date(2024, 1, 3), ["びん・缶"]),
            (date(2024, 1, 4), ["燃やすごみ"]),
        ]
        with pytest.raises(NotFound):
            await here.garbage.choose(here.street.user(CHAIR), here.block(), "池の中")
    async with town(tmp_path) as here:
        assert here.garbage.on(here.block(), date(2024, 1, 4)) == ["燃やすごみ"]
        assert await here.garbage.areas() == ["髙橋町一丁目", "髙橋町二丁目", "髙橋町三丁目"]


async def test_breaks_of_a_center_hold_where_the_list_names_none(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        chair, folder = here.street.user(CHAIR), DATA / "kyotango"
        await here.garbage.take_in(chair, *[(folder / f"{name}.csv").read_bytes() for name in ("area_days", "center")])
        thursday = date(2026, 12, 31)
        await here.garbage.choose(chair, here.block(), "峰山町元町区")
        assert here.garbage.on(here.block(), thursday) == ["可燃ごみ"]
        assert "峰山クリーンセンター" in await here.garbage.centers()
        await here.garbage.choose(chair, here.block(), "峰山町元町区", center="峰山クリーンセンター")
        assert here.garbage.on(here.block(), thursday) == []


async def test_a_day_that_is_otherwise_is_said_in_the_room_and_taken_back(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose()
        chair, block = here.street.user(CHAIR), here.street.node.members.block(here.block())
        told = await here.garbage.tell(chair, [block], "燃やすごみ", date(2024, 1, 4), date(2024, 1, 5), "雪のため")
        (content,) = await here.said()
        assert content["body"] == "【ごみの日】1月4日(木)の燃やすごみは、1月5日(金)に変わります。\n雪のため"
        schema("jp.kairan.garbage.change").validate(content[CHANGE])
        assert here.garbage.on(block.id, date(2024, 1, 4)) == []
        assert here.garbage.on(block.id, date(2024, 1, 5)) == ["燃やすごみ"]
        await here.garbage.take_back(chair, told.id)
        assert here.garbage.on(block.id, date(2024, 1, 4)) == ["燃やすごみ"]
        for kind, day in (("そらまめ", date(2024, 1, 4)), ("燃やすごみ", None)):
            with pytest.raises(InvalidParam):
                await here.garbage.tell(chair, [block], kind, day, None)
        with pytest.raises(NotFound):
            await here.garbage.take_back(chair, "none")
    async with town(tmp_path) as here:
        assert here.garbage.on(here.block(), date(2024, 1, 4)) == ["燃やすごみ"]
        assert len(here.garbage.changes(here.block())) == 1


async def test_a_leader_looks_after_the_own_block_and_residents_after_none(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose()
        node = here.street.node
        await node.editor.give_role(node.node, here.street.person(MISAKI).id, Role.BLOCK_LEADER)
        leader, resident = here.street.user(MISAKI), here.street.user(HANAKO)
        await here.garbage.choose(leader, here.block("2班"), "髙橋町二丁目")
        block = node.members.block(here.block())
        for who in (leader, resident):
            with pytest.raises(Forbidden):
                await here.garbage.choose(who, here.block(), "髙橋町二丁目")
            with pytest.raises(Forbidden):
                await here.garbage.tell(who, [block], "燃やすごみ", date(2024, 1, 4), None)
            with pytest.raises(Forbidden):
                await here.garbage.take_in(who, b"")


async def test_nobody_forges_a_day(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose()
        node, before = here.street.node, here.garbage.revision
        room_id = str(node.members.block_room(here.block()))
        value = {"id": "x", "kind": "燃やすごみ", "day": "2024-01-04", "moved_to": None, "reason": "",
                 "blocks": [here.block()]}
        content: dict[str, object] = {"msgtype": "m.text", "body": "x", CHANGE: value}
        await here.street.send(HANAKO, room_id, "m.room.message", content)
        broken: list[Any] = [None, {}, {**value, "day": "x"}, {**value, "day": None}, {**value, "blocks": [1]}]
        for item in broken:
            await node.sender.send(Draft(room_id, node.node, "m.room.message", {**content, CHANGE: item}))
        assert here.garbage.revision == before


async def test_the_calendar_has_the_same_days_as_the_page(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose(on_holidays=False)
        chair, block = here.street.user(CHAIR), here.street.node.members.block(here.block())
        await here.garbage.tell(chair, [block], "燃やすごみ", date(2024, 3, 7), date(2024, 3, 8))
        await here.garbage.tell(chair, [block], "プラスチック", None, date(2024, 3, 9))
        calendars = WholeCalendars(GarbageCalendars(here.garbage, here.street.node.members))
        (collection,) = await calendars.collections(here.street.user(HANAKO))
        assert await calendars.collections(here.street.user(MISAKI)) == ()
        first = date(2024, 1, 1)
        for month in range(0, 48, 3):
            day = first + timedelta(days=30 * month)
            assert await _days(calendars, collection, day) == {
                day + timedelta(days=count): sorted(here.garbage.on(block.id, day + timedelta(days=count)))
                for count in range(60) if here.garbage.on(block.id, day + timedelta(days=count))
            }


async def test_apps_that_were_away_hear_of_another_area(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.choose()
        calendars = WholeCalendars(GarbageCalendars(here.garbage, here.street.node.members))
        (before,) = await calendars.collections(here.street.user(HANAKO))
        there = {head.name for head in await calendars.heads(before)}
        await here.garbage.choose(here.street.user(CHAIR), here.block(), "髙橋町二丁目")
        (after,) = await calendars.collections(here.street.user(HANAKO))
        changes = await calendars.changes_since(after, before.revision, 1000)
        now = {head.name for head in await calendars.heads(after)}
        assert there - now <= set(changes.gone) | {name for name in there if "-2026" in name or "-2027" in name}
        assert not now & set(changes.gone)
        assert {head.name for head in changes.changed} == now


async def _days(calendars: WholeCalendars, collection: Collection, first: date) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    start = datetime(first.year, first.month, first.day, tzinfo=TOKYO)
    names = [head.name for head in await calendars.heads(collection)]
    for item in await calendars.items(collection, names):
        calendar = Calendar.from_ical(item.data)
        for event in recurring_ical_events.of(calendar).between(start, start + timedelta(days=60)):
            found.setdefault(event["DTSTART"].dt, []).append(str(event["SUMMARY"]))
    return {day: sorted(kinds) for day, kinds in found.items()}


async def test_things_are_looked_up_by_any_part_of_their_name(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        assert not await here.garbage.has_things()
        count = await here.garbage.take_in_things(
            here.street.user(CHAIR), (DATA / "template_kanazawa/target.csv").read_bytes())
        assert count == 4
        assert [item.kind for item in await here.garbage.look_up("クッキング")] == ["燃やさないごみ"]
        assert await here.garbage.look_up("%") == await here.garbage.look_up("") == []
