"""Gatherings: announced, changed and called off in the rooms; the table only follows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from server.association.gatherings.calendar import CalendarRights, GatheringCalendarPort, as_ics
from server.association.gatherings.contents import KEY, message_content, read_gathering
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, Plan, State, checked_plan
from server.association.gatherings.words import when
from server.association.members.model import EVERYONE, OFFICERS, Audience, Purpose, Role
from server.calendars.calendar_object import open_object
from server.calendars.gatherings import GATHERINGS, GatheringCalendar
from server.calendars.model import Expected
from server.calendars.ports import GatheringDraft
from server.foundation.clock import TOKYO
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused, TooLarge
from server.rooms.send_event import Draft
from tests.architecture.source import ROOT
from tests.association.world import World, world

SCHEMA = Draft202012Validator(orjson.loads((ROOT / "docs/events/jp.kairan.gathering.schema.json").read_bytes()))
NOTICE = Draft202012Validator(orjson.loads((ROOT / "docs/events/jp.kairan.gathering.notice.schema.json").read_bytes()))
# The clock of the tests stands on 1 January 2024, 16:10.
START = datetime(2024, 8, 9, 10, 0, tzinfo=TOKYO)
FESTIVAL = Plan("夏まつり", START, START + timedelta(hours=5), "中央公園", "雨のときは中止です。")


@asynccontextmanager
async def _node(folder: Path) -> AsyncIterator[tuple[World, Gatherings]]:
    async with world(folder / "node.db") as node:
        gatherings = Gatherings(node.database, node.clock, node.members, node.sender, as_ics)
        gatherings.attach(node.acceptor)
        await gatherings.open()
        yield node, gatherings


async def _messages(node: World, room_id: str) -> list[dict[str, Any]]:
    room = await node.live(room_id)
    return [entry.event.content for entry in room.timeline if entry.event.type == "m.room.message"]


async def test_a_gathering_is_a_readable_message_in_the_room_of_its_audience(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        officer = await node.person("役員 一郎", roles=[Role.OFFICER])
        gathering = await gatherings.announce(str(officer.user_id), FESTIVAL, EVERYONE)
        (content,) = await _messages(node, node.members.hall_room(Purpose.CIRCULARS))
        assert content["body"] == (
            "【集まり】夏まつり\n日時：2024年8月9日(金) 10:00～15:00\n場所：中央公園\n\n雨のときは中止です。"
        )
        SCHEMA.validate(content[KEY])
        assert open_object(content[KEY]["ics"].encode()).uid == gathering.uid
        assert [item.gathering for item in gatherings.upcoming(str(officer.user_id))] == [gathering]
    async with _node(tmp_path) as (_, gatherings):
        assert gatherings.get(str(officer.user_id), gathering.id) == gathering


async def test_a_cancelled_gathering_stays_visible_and_everybody_is_told(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        resident = await node.person("佐藤 花子")
        gathering = await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        await gatherings.cancel(node.node, gathering.id, "雨のため")
        _, edit, notice = await _messages(node, node.members.hall_room(Purpose.CIRCULARS))
        assert edit["m.new_content"]["body"].startswith("【中止】夏まつり")
        SCHEMA.validate(edit["m.new_content"][KEY])
        NOTICE.validate(notice["jp.kairan.gathering.notice"])
        assert notice["body"].endswith("雨のため")
        (shown,) = gatherings.upcoming(str(resident.user_id))
        assert (shown.gathering.state, shown.gathering.sequence) == (State.CANCELLED, 1)
        assert "STATUS:CANCELLED" in as_ics(shown.gathering)
        await gatherings.withdraw(node.node, gathering.id)
        assert gatherings.upcoming(str(resident.user_id)) == []
        with pytest.raises(InvalidParam):
            await gatherings.cancel(node.node, gathering.id)


async def test_only_what_matters_is_said_aloud(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        gathering = await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        room_id = node.members.hall_room(Purpose.CIRCULARS)
        await gatherings.change(node.node, gathering.id, FESTIVAL)
        assert len(await _messages(node, room_id)) == 1
        corrected = Plan("夏祭り", FESTIVAL.start, FESTIVAL.end, FESTIVAL.place)
        assert (await gatherings.change(node.node, gathering.id, corrected)).sequence == 0
        assert len(await _messages(node, room_id)) == 2
        later = Plan("夏祭り", START + timedelta(days=1), START + timedelta(days=1, hours=1), FESTIVAL.place)
        assert (await gatherings.change(node.node, gathering.id, later)).sequence == 1
        assert len(await _messages(node, room_id)) == 4


async def test_residents_arrange_nothing_and_a_block_leader_only_in_the_own_block(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        resident = await node.person("佐藤 花子", "1班")
        leader = await node.person("班長 一郎", "2班", [Role.BLOCK_LEADER])
        one, two = (Audience.blocks([block.id]) for block in node.members.blocks())
        for who, audience in ((resident, EVERYONE), (resident, one), (leader, one), (leader, EVERYONE)):
            with pytest.raises(Forbidden):
                await gatherings.announce(str(who.user_id), FESTIVAL, audience)
        gathering = await gatherings.announce(str(leader.user_id), FESTIVAL, two)
        for attempt in (
            gatherings.cancel(str(resident.user_id), gathering.id),
            gatherings.change(str(resident.user_id), gathering.id, FESTIVAL),
        ):
            with pytest.raises(Forbidden):
                await attempt
        assert gatherings.upcoming(str(resident.user_id)) == []
        with pytest.raises(NotFound):
            gatherings.get(str(resident.user_id), gathering.id)
        assert len(gatherings.changed_since(0)) == 1


async def test_one_gathering_for_two_blocks_is_one(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        for block in ("1班", "2班", "3班"):
            await node.person("佐藤 花子", block)
        blocks = node.members.blocks()
        gathering = await gatherings.announce(node.node, FESTIVAL, Audience.blocks([blocks[0].id, blocks[1].id]))
        await gatherings.cancel(node.node, gathering.id)
        said = [len(await _messages(node, str(node.members.block_room(block.id)))) for block in blocks]
        assert said == [3, 3, 0]
        assert len(gatherings.changed_since(0)) == 1


async def test_nobody_forges_a_gathering(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        resident = await node.person("佐藤 花子")
        forged = Gathering("x", FESTIVAL, EVERYONE, State.PLANNED, node.node, "x.ics", "x")
        board = node.members.hall_room(Purpose.BOARD)
        content = message_content(forged, "")
        await node.sender.send(Draft(board, str(resident.user_id), "m.room.message", content))
        broken: list[Any] = [None, {}, {"id": 1}, {**content[KEY], "start": "tomorrow"}, {**content[KEY], "end": 3}]
        for value in broken:
            await node.sender.send(Draft(board, node.node, "m.room.message", {"body": "x", KEY: value}))
        assert gatherings.changed_since(0) == []


@pytest.mark.parametrize(
    "plan",
    [
        Plan(" ", START, START),
        Plan("あ" * 201, START, START),
        Plan("会", START, START - timedelta(minutes=1)),
        Plan("会", START, date(2024, 8, 10)),
        Plan("会", date(2024, 8, 9), date(2024, 8, 9)),
        Plan("会", START, START + timedelta(days=400)),
        Plan("会", START.replace(year=9999), START.replace(year=9999)),
        Plan("会", START, START, "あ" * 201),
        Plan("会", START, START, "", "あ" * 4_001),
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused_and_nothing_is_said(tmp_path: Path, plan: Plan) -> None:
    async with _node(tmp_path) as (node, gatherings):
        with pytest.raises(InvalidParam):
            await gatherings.announce(node.node, plan, EVERYONE)
        assert await _messages(node, node.members.hall_room(Purpose.CIRCULARS)) == []


async def test_the_longest_description_fits_into_an_event(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        plan = Plan("あ" * 200, START, START, "あ" * 200, "漢\n" * 2_000)
        gathering = await gatherings.announce(node.node, plan, EVERYONE)
        await gatherings.cancel(node.node, gathering.id, "あ" * 1_000)
        many = Plan("会", START, START, rule="FREQ=DAILY", except_for=tuple(
            START + timedelta(days=number) for number in range(2_000)
        ))
        with pytest.raises(TooLarge):
            await gatherings.announce(node.node, many, EVERYONE)


async def test_a_repeated_gathering_is_ahead_at_its_next_times(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        first = datetime(2023, 12, 4, 9, 0, tzinfo=TOKYO)
        plan = Plan(
            "公園そうじ", first, first + timedelta(hours=1), rule="FREQ=WEEKLY;UNTIL=20240122T000000Z",
            except_for=(datetime(2024, 1, 8, 9, 0, tzinfo=TOKYO),),
        )
        await gatherings.announce(node.node, plan, EVERYONE)
        ahead = [datetime.fromtimestamp(item.start_ms / 1000, TOKYO).day for item in gatherings.upcoming(node.node)]
        assert ahead == [15, 22]


# ---- the calendar ----------------------------------------------------------------------------------------------------


def _draft(**changes: Any) -> GatheringDraft:
    values = {"uid": "abc", "title": "役員会", "start": START, "end": START + timedelta(hours=1), **changes}
    return GatheringDraft(**values)


async def test_what_an_officer_puts_into_the_calendar_is_announced_in_the_room(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        port = GatheringCalendarPort(gatherings)
        made = await port.create(node.node, "abc.ics", _draft())
        assert (made.name, made.draft.uid) == ("abc.ics", "abc")
        (content,) = await _messages(node, node.members.hall_room(Purpose.CIRCULARS))
        assert content["body"].startswith("【集まり】役員会")
        moved = await port.update(node.node, "abc.ics", _draft(title="臨時役員会"), made.revision)
        assert moved.draft.title == "臨時役員会"
        with pytest.raises(Refused) as stale:
            await port.update(node.node, "abc.ics", _draft(), made.revision)
        assert stale.value.status == 412
        with pytest.raises(Refused):
            await port.create(node.node, "abc.ics", _draft())
        await port.cancel(node.node, "abc.ics", moved.revision)
        (change,) = await port.changed_since(0)
        assert change.gathering is None
        assert change.revision == await port.revision()


async def test_the_shared_calendar_shows_only_what_is_for_all(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        await node.person("役員 一郎", roles=[Role.OFFICER])
        await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        await gatherings.announce(node.node, Plan("秘密の会", START, START), OFFICERS)
        port = GatheringCalendarPort(gatherings)
        shown = [item.gathering.draft.title for item in await port.changed_since(0) if item.gathering]
        assert shown == ["夏まつり"]


async def test_the_calendar_backend_reads_and_writes_gatherings(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, gatherings):
        calendar = GatheringCalendar(GatheringCalendarPort(gatherings), "町内会の集まり")
        (collection,) = await calendar.collections(node.node)
        gathering = await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        (head,) = await calendar.heads(collection)
        assert head.name == gathering.name
        (item,) = await calendar.items(collection, [head.name])
        thing = open_object(item.data.replace("夏まつり".encode(), "秋まつり".encode()))
        await calendar.put_item(node.node, collection, head.name, thing, Expected())
        (changed,) = gatherings.changed_since(0)
        assert (changed.plan.title, changed.plan.start, changed.sequence) == ("秋まつり", START, 0)
        await gatherings.cancel(node.node, gathering.id)
        (item,) = await calendar.items(collection, [head.name])
        assert b"STATUS:CANCELLED" in item.data


async def test_members_read_the_calendar_and_officers_write_it(tmp_path: Path) -> None:
    async with _node(tmp_path) as (node, _):
        resident = await node.person("佐藤 花子")
        officer = await node.person("役員 一郎", roles=[Role.OFFICER])
        rights = CalendarRights(node.members)
        assert await rights.may_read(str(resident.user_id), GATHERINGS)
        assert not await rights.may_write(str(resident.user_id), GATHERINGS)
        assert await rights.may_write(str(officer.user_id), GATHERINGS)
        assert not await rights.may_read("@stranger:sakura.example", GATHERINGS)
        assert not await rights.may_read(str(officer.user_id), "secrets")


# ---- words and contents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (START, START + timedelta(hours=5), "2024年8月9日(金) 10:00～15:00"),
        (START, START, "2024年8月9日(金) 10:00"),
        (START, START + timedelta(days=1), "2024年8月9日(金) 10:00～2024年8月10日(土) 10:00"),
        (date(2024, 8, 9), date(2024, 8, 10), "2024年8月9日(金)"),
        (date(2024, 8, 9), date(2024, 8, 12), "2024年8月9日(金)～2024年8月11日(日)"),
    ],
)
def test_times_are_said_as_people_say_them(start: Any, end: Any, said: str) -> None:
    assert when(Plan("会", start, end)) == said


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@given(_TEXT.filter(lambda text: text.split()), _TEXT, _TEXT, st.integers(0, 100_000_000))
def test_an_event_says_all_that_there_is_to_a_gathering(title: str, place: str, text: str, minutes: int) -> None:
    start = datetime(1970, 1, 2, tzinfo=TOKYO) + timedelta(minutes=minutes)
    plan = checked_plan(Plan(title, start, start + timedelta(minutes=30), place, text))
    gathering = Gathering("id", plan, Audience.blocks(["a", "b"]), State.CANCELLED, "@a:b", "id.ics", "uid", 3)
    content = message_content(gathering, "BEGIN")
    SCHEMA.validate(content[KEY])
    assert read_gathering(orjson.loads(orjson.dumps(content))) == gathering
