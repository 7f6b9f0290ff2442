"""Paper, telephone and the door count in the same ledger as the app; who must be called when it is off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from server.association.gatherings.answers import Answer
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.calling_off import CalledOff, CallingOff
from server.association.gatherings.calls import Calls
from server.association.gatherings.counting import figures_of_homes
from server.association.gatherings.figures_in_rooms import MARK, FiguresInRooms
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.invitations import GatheringInvitations
from server.association.gatherings.ledger import AttendanceLedger
from server.association.gatherings.model import Gathering, Plan
from server.association.gatherings.reminding import ComingGatherings
from server.association.gatherings.writing_down import Word, WritingDown
from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Audience, Person, Role
from server.foundation.clock import TOKYO
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.association.world import World, world

# The clock of these nodes stands on Monday, 1 January 2024, 16:10 in Japan.
START = datetime(2024, 1, 6, 9, 0, tzinfo=TOKYO)
CLEANING = Plan("公園の清掃", START, START + timedelta(hours=2), "中央公園", asks=True)
BY_PHONE = Word(answer=Answer.ACCEPTED, came_by=CameBy.PHONE)
SCHEMA = Path(__file__).parents[3] / "docs/events/jp.kairan.gathering.attendance.schema.json"


@dataclass
class Here:
    node: World
    gatherings: Gatherings
    attendance: Attendance
    writing: WritingDown
    ledger: AttendanceLedger
    calls: Calls
    off: CallingOff
    figures: FiguresInRooms
    ringing: set[str]

    async def announce(self, audience: Audience = EVERYONE) -> Gathering:
        return await self.gatherings.announce(self.node.node, CLEANING, audience)

    async def write(self, gathering: Gathering, person: Person, word: Word = BY_PHONE) -> None:
        await self.writing.enter(self.node.node, gathering.id, person.household_id, word)

    async def told(self, gathering: Gathering) -> list[dict[str, Any]]:
        (room_id,) = self.gatherings.posts_of(gathering.id)
        room = await self.node.live(room_id)
        contents = [entry.event.content for entry in room.timeline]
        return [dict(content) for content in contents if MARK in content.get("m.new_content", content)]

    async def to_call(self, off: CalledOff) -> list[str]:
        return [row.household.name for row in await self.calls.to_call(self.node.node, off)]


@asynccontextmanager
async def here_at(folder: Path) -> AsyncIterator[Here]:
    async with world(folder / "node.db") as node:
        gatherings = Gatherings(node.database, node.clock, node.members, node.sender, as_ics)
        attendance = Attendance(node.database, gatherings, node.members, node.sender)
        off = CallingOff(node.database, node.clock, node.members, node.sender, gatherings, attendance)
        figures = FiguresInRooms(node.database, node.members, node.sender, gatherings, attendance)
        for part in (gatherings, attendance, off, figures):
            part.attach(node.acceptor)
        await gatherings.open()
        ringing: set[str] = set()
        writing = WritingDown(node.database, node.clock, node.positions, node.members, gatherings, attendance)
        calls = Calls(node.database, node.clock, node.members, gatherings, attendance,
                      lambda person: person.id in ringing)
        ledger = AttendanceLedger(node.members, gatherings, attendance, node.clock)
        yield Here(node, gatherings, attendance, writing, ledger, calls, off, figures, ringing)


async def test_what_is_written_down_counts_beside_reactions_also_after_a_restart(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        by_app, by_phone, silent = [
            await here.node.person(name, account=name == "アプリ 人") for name in ("アプリ 人", "電話 人", "静かな 人")]
        gathering = await here.announce()
        await here.attendance.answer(str(by_app.user_id), gathering.id, Answer.ACCEPTED)
        await here.write(gathering, by_phone, Word(answer=Answer.ACCEPTED, came_by=CameBy.PHONE, people=4))
    async with here_at(tmp_path) as here:
        view = await here.ledger.view(here.node.node, gathering.id)
        assert (view.figures.people, view.figures.written, view.figures.unanswered) == (5, 1, 1)
        held = {row.household.name: row.home.coming for row in view.rows}
        assert held == {"アプリ 人": 1, "電話 人": 4, silent.name: 0}
        said = view.rows[1].home.sheet
        assert said is not None
        assert (said.came_by, said.entered_by) == (CameBy.PHONE, here.node.node)
        await here.writing.take_back(here.node.node, gathering.id, by_phone.household_id)
        assert figures_of_homes(await here.attendance.homes(gathering)).people == 1


async def test_somebody_with_an_app_sees_it_everywhere_and_may_say_otherwise(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        hanako = await here.node.person("佐藤 花子")
        user, members = str(hanako.user_id), here.node.members
        gathering = await here.announce()
        invitations = GatheringInvitations(here.gatherings, here.attendance, members, here.node.clock)
        before = await invitations.position(user)
        await here.write(gathering, hanako)
        assert await invitations.position(user) > before
        (shown,) = await invitations.invitations(user)
        assert shown.partstat == "ACCEPTED"
        coming = ComingGatherings(here.gatherings, here.attendance, members)
        now = here.node.clock.now_ms()
        (soon,) = await coming.between(now, now + 6 * 86_400_000)
        assert set(soon.attending) == {user}
        await here.attendance.answer(user, gathering.id, Answer.DECLINED)
        assert (await here.attendance.of_user(user)).to(gathering.id) is Answer.DECLINED
        await here.attendance.answer(user, gathering.id, None)
        assert (await here.attendance.of_user(user)).to(gathering.id) is Answer.ACCEPTED


async def test_only_who_looks_after_a_block_writes_down_and_nothing_senseless(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        helper = await here.node.person("手伝う 人", roles=[Role.HELPER])
        leader = await here.node.person("一班 班長", roles=[Role.BLOCK_LEADER])
        hanako, taro = [await here.node.person(name, block, account=False)
                        for name, block in (("佐藤 花子", "1班"), ("高橋 太郎", "2班"))]
        resident = await here.node.person("ただの 人")
        gathering, quiet = await here.announce(), await here.gatherings.announce(
            here.node.node, Plan("総会", START, START), EVERYONE)
        for officer, person in ((helper, taro), (leader, hanako)):
            await here.writing.enter(str(officer.user_id), gathering.id, person.household_id, BY_PHONE)
        for officer, person in ((leader, taro), (resident, resident)):
            with pytest.raises(Forbidden):
                await here.writing.enter(str(officer.user_id), gathering.id, person.household_id, BY_PHONE)
        with pytest.raises(Forbidden):
            await here.ledger.view(str(resident.user_id), gathering.id)
        seen = await here.ledger.view(str(leader.user_id), gathering.id)
        assert {row.block.name for row in seen.rows} == {"1班"}
        with pytest.raises(NotFound):
            await here.write(quiet, hanako)
        theirs = await here.announce(Audience.blocks([here.node.members.block_of(taro.id).id]))
        with pytest.raises(NotFound):
            await here.write(theirs, hanako)
        wrong = (Word(answer=Answer.ACCEPTED, came_by=CameBy.APP), Word(answer=Answer.ACCEPTED, came_by=CameBy.DOOR,
                                                                       people=100))
        for word in wrong:
            with pytest.raises(InvalidParam):
                await here.write(gathering, hanako, word)
        with pytest.raises(NotFound):
            await here.write(gathering, hanako, Word(answer=Answer.ACCEPTED, came_by=CameBy.DOOR, person_id=taro.id))


async def test_the_room_is_told_figures_once_and_then_by_edits(tmp_path: Path) -> None:
    schema = Draft202012Validator(orjson.loads(SCHEMA.read_bytes()))
    async with here_at(tmp_path) as here:
        hanako, taro = [await here.node.person(name) for name in ("佐藤 花子", "高橋 太郎")]
        gathering = await here.announce()
        await here.attendance.answer(str(hanako.user_id), gathering.id, Answer.ACCEPTED)
        assert await here.figures.tell() == 0
        await here.write(gathering, taro, Word(answer=Answer.ACCEPTED, came_by=CameBy.PAPER, people=2))
    async with here_at(tmp_path) as here:
        here.attendance.moved.add(gathering.id)  # as ``OfficersWork.open`` does
        assert await here.figures.tell() == 1
        assert await here.figures.tell() == 0
        await here.attendance.answer(str(hanako.user_id), gathering.id, Answer.DECLINED)
        assert await here.figures.tell() == 1
        first, edit = await here.told(gathering)
        assert first["msgtype"] == "m.notice"
        assert "来る 3人（2世帯）" in first["body"]
        assert edit["m.relates_to"]["rel_type"] == "m.replace"
        assert edit["m.new_content"][MARK]["people"] == 2
        for content in (first, edit["m.new_content"]):
            assert not list(schema.iter_errors(content[MARK]))
            assert "花子" not in orjson.dumps(content).decode()
        await here.gatherings.cancel(here.node.node, gathering.id)
        await here.attendance.answer(str(hanako.user_id), gathering.id, None)
        assert await here.figures.tell() == 0


async def test_who_said_yes_without_a_telephone_that_rings_is_called(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        names = ("紙の 人", "鳴る 人", "鳴らない 人", "来ない 人", "静かな 人")
        paper, rings, still, stays, _ = [await here.node.person(name, account=name != "紙の 人") for name in names]
        here.ringing.add(rings.id)
        gathering = await here.announce()
        await here.write(gathering, paper, Word(answer=Answer.ACCEPTED, came_by=CameBy.PAPER, people=2))
        await here.write(gathering, stays, Word(answer=Answer.DECLINED, came_by=CameBy.PHONE))
        for person in (rings, still):
            await here.attendance.answer(str(person.user_id), gathering.id, Answer.ACCEPTED)
        with pytest.raises(NotFound):
            here.calls.off(here.node.node, gathering.id)
        assert await here.calls.count(gathering.id) == 2
        await here.gatherings.cancel(here.node.node, gathering.id, "雨のため")
        assert await here.off.tell() == 2
        off = here.calls.off(here.node.node, gathering.id)
        assert await here.to_call(off) == ["紙の 人", "鳴らない 人"]
        with pytest.raises(Refused) as refused:
            await here.write(gathering, stays)
        assert refused.value.status == 409


async def test_the_first_who_has_called_stands_there_and_calling_off_again_begins_anew(tmp_path: Path) -> None:
    async with here_at(tmp_path) as here:
        chair = await here.node.person("町田 会長", roles=[Role.CHAIR])
        leader = await here.node.person("一班 班長", roles=[Role.BLOCK_LEADER])
        paper = await here.node.person("紙の 人", account=False)
        gathering = await here.announce()
        await here.write(gathering, paper)
        await here.gatherings.cancel(here.node.node, gathering.id)
        off = here.calls.off(here.node.node, gathering.id)
        officers = [str(chair.user_id), str(leader.user_id)]
        await asyncio.gather(*(here.calls.tick(officer, off, paper.household_id, told=True) for officer in officers))
        (row,) = await here.calls.to_call(officers[0], off)
        assert row.call is not None
        first = row.call
        await here.calls.tick(next(item for item in officers if item != first.officer), off, paper.household_id,
                              told=True)
        (row,) = await here.calls.to_call(officers[0], off)
        assert row.call == first
        await here.calls.tick(officers[0], off, paper.household_id, told=False)
        assert [item.call for item in await here.calls.to_call(officers[0], off)] == [None]
        await here.calls.tick(officers[0], off, paper.household_id, told=True)
        await here.gatherings.change(here.node.node, gathering.id, CLEANING, state=type(gathering.state).PLANNED)
        await here.gatherings.cancel(here.node.node, gathering.id)
        again = here.calls.off(here.node.node, gathering.id)
        assert [item.call for item in await here.calls.to_call(officers[0], again)] == [None]


async def test_whoever_writes_down_while_it_is_called_off_hears_of_it_and_the_answer_is_on_the_list(
    tmp_path: Path,
) -> None:
    async with here_at(tmp_path) as here:
        paper = await here.node.person("紙の 人", account=False)
        gathering = await here.announce()
        entered, _ = await asyncio.gather(
            here.writing.enter(here.node.node, gathering.id, paper.household_id, BY_PHONE),
            here.gatherings.cancel(here.node.node, gathering.id), return_exceptions=True,
        )
        on_the_list = await here.to_call(here.calls.off(here.node.node, gathering.id))
        # Refused, or written and then shown as one to call: never lost in between.
        assert on_the_list == ([] if isinstance(entered, Refused) else ["紙の 人"])
