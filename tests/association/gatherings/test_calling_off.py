"""雨天中止: who wanted to come hears it, once, whoever called it off and however, also after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.calling_off import MARK, CallingOff
from server.association.gatherings.contents import KEY
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Plan, State
from server.association.gatherings.occurrences import occurrences_after, to_ms
from server.association.members.model import EVERYONE, Person
from server.foundation.clock import TOKYO
from server.foundation.errors import Forbidden, NotFound
from server.notifications.web_push_words import shown_of
from tests.association.world import World, world

# The clock of these nodes stands on Monday, 1 January 2024, 16:10 in Japan.
START = datetime(2024, 1, 6, 9, 0, tzinfo=TOKYO)
CLEANING = Plan("公園の清掃", START, START + timedelta(hours=2), "中央公園", asks=True)
WEEKLY = replace(CLEANING, title="ラジオ体操", rule="FREQ=WEEKLY")


@dataclass
class Here:
    node: World
    gatherings: Gatherings
    attendance: Attendance
    off: CallingOff

    async def told(self, person: Person) -> list[str]:
        room = await self.node.live(self.node.members.desk_room_of(person.id))
        return [str(entry.event.content["body"]) for entry in room.timeline if MARK in entry.event.content]


@asynccontextmanager
async def here_at(folder: Path) -> AsyncIterator[Here]:
    async with world(folder / "node.db") as node:
        gatherings = Gatherings(node.database, node.clock, node.members, node.sender, as_ics)
        attendance = Attendance(node.database, gatherings, node.members, node.sender)
        off = CallingOff(node.database, node.clock, node.members, node.sender, gatherings, attendance)
        for part in (gatherings, attendance, off):
            part.attach(node.acceptor)
        await gatherings.open()
        yield Here(node, gatherings, attendance, off)


async def test_who_said_yes_hears_that_it_is_off_and_nobody_else(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        comes, stays, silent = [await here.node.person(name) for name in ("来る 人", "来ない 人", "答えない 人")]
        gathering = await here.gatherings.announce(here.node.node, CLEANING, EVERYONE)
        await here.attendance.answer(str(comes.user_id), gathering.id, Answer.ACCEPTED)
        await here.attendance.answer(str(stays.user_id), gathering.id, Answer.DECLINED)
        assert await here.off.tell() == 0
        off = await here.gatherings.cancel(here.node.node, gathering.id, "雨のため")
        assert off.reason == "雨のため"
        assert "STATUS:CANCELLED" in as_ics(off)
        assert await here.off.tell() == 1
        assert await here.off.tell() == 0
        told = await here.told(comes)
        assert len(told) == 1
        assert "【中止のお知らせ】公園の清掃" in told[0]
        assert "雨のため" in told[0]
        assert await here.told(stays) == await here.told(silent) == []


async def test_a_node_that_stopped_in_between_tells_the_rest_and_nobody_twice(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        people = [await here.node.person(f"人 {number}") for number in range(3)]
        gathering = await here.gatherings.announce(here.node.node, CLEANING, EVERYONE)
        for person in people:
            await here.attendance.answer(str(person.user_id), gathering.id, Answer.ACCEPTED)
        await here.gatherings.cancel(here.node.node, gathering.id, "雨のため")
        # One message got out before the end.
        (off,) = here.off._ahead()
        await here.off._sender.send(here.off._draft(off, people[0]))
    async with here_at(tmp_path) as here:
        assert here.gatherings.get(str(people[0].user_id), gathering.id).reason == "雨のため"
        assert await here.off.tell() == 2
        assert [len(await here.told(person)) for person in people] == [1, 1, 1]


async def test_called_off_twice_is_told_twice(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        comes = await here.node.person("来る 人")
        gathering = await here.gatherings.announce(here.node.node, CLEANING, EVERYONE)
        await here.attendance.answer(str(comes.user_id), gathering.id, Answer.ACCEPTED)
        for _ in range(2):
            await here.gatherings.cancel(here.node.node, gathering.id)
            await here.off.tell()
            await here.gatherings.change(here.node.node, gathering.id, CLEANING, state=State.PLANNED)
            assert here.gatherings.get(str(comes.user_id), gathering.id).reason == ""
        assert len(await here.told(comes)) == 2


async def test_one_day_of_a_series_is_called_off_and_the_others_stay(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        comes = await here.node.person("来る 人")
        gathering = await here.gatherings.announce(here.node.node, WEEKLY, EVERYONE)
        await here.attendance.answer(str(comes.user_id), gathering.id, Answer.ACCEPTED)
        second = START + timedelta(days=7)
        after = await here.gatherings.cancel_day(here.node.node, gathering.id, to_ms(second), "雨のため")
        assert after.state is State.PLANNED
        starts = [item.start_ms for item in occurrences_after(after, here.node.clock.now_ms(), 2)]
        assert starts == [to_ms(START), to_ms(START + timedelta(days=14))]
        assert "EXDATE" in as_ics(after)
        assert await here.off.tell() == 1
        assert "1月13日(土) 09:00の分" in (await here.told(comes))[0]
        room = await here.node.live(next(iter(here.gatherings.posts_of(gathering.id))))
        assert any("中止のお知らせ" in str(entry.event.content.get("body")) for entry in room.timeline)
        with pytest.raises(NotFound):
            await here.gatherings.cancel_day(here.node.node, gathering.id, to_ms(second), "もう一度")
        with pytest.raises(NotFound):
            await here.gatherings.cancel_day(here.node.node, gathering.id, to_ms(START) + 1, "そんな日はない")
        with pytest.raises(Forbidden):
            await here.gatherings.cancel_day(str(comes.user_id), gathering.id, to_ms(START), "住民")
    async with here_at(tmp_path) as here:
        assert await here.off.tell() == 0


async def test_what_is_over_is_told_to_nobody(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        comes = await here.node.person("来る 人")
        past = replace(CLEANING, start=START - timedelta(days=30), end=START - timedelta(days=30))
        gathering = await here.gatherings.announce(here.node.node, past, EVERYONE)
        await here.attendance.answer(str(comes.user_id), gathering.id, Answer.ACCEPTED)
        await here.gatherings.cancel(here.node.node, gathering.id)
        assert await here.off.tell() == 0


async def test_what_is_said_is_as_documented(tmp_path: Path) -> None:
    file = Path(__file__).parents[3] / "docs/events/jp.kairan.gathering.called_off.schema.json"
    async with here_at(tmp_path) as here:
        comes = await here.node.person("来る 人")
        gathering = await here.gatherings.announce(here.node.node, WEEKLY, EVERYONE)
        await here.attendance.answer(str(comes.user_id), gathering.id, Answer.ACCEPTED)
        await here.gatherings.cancel_day(here.node.node, gathering.id, to_ms(START), "雨のため")
        await here.off.tell()
        room = await here.node.live(here.node.members.desk_room_of(comes.id))
        Draft202012Validator(orjson.loads(file.read_bytes())).validate(room.timeline[-1].event.content[MARK])
        told = await here.node.live(next(iter(here.gatherings.posts_of(gathering.id))))
        edits = [entry.event.content["m.new_content"][KEY] for entry in told.timeline
                 if "m.new_content" in entry.event.content]
        schema = orjson.loads(file.with_name("jp.kairan.gathering.schema.json").read_bytes())
        Draft202012Validator(schema).validate(edits[-1])
        assert edits[-1]["reason"] == "雨のため"
        # Told in the room and in the 窓口, it is one notification on a telephone.
        shown = [shown_of(place, place.timeline[-1], "ja", is_ours=True) for place in (room, told)]
        assert {(item.tag, item.address) for item in shown if item is not None} == {
            (f"gathering {gathering.id}", f"/gatherings/{gathering.id}")}
