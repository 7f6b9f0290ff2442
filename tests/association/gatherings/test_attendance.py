"""Who comes: the same answer from a reaction in any client, a button on a page, a calendar app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from server.association.gatherings.answers import Answer, answer_of
from server.association.gatherings.attendance import Attendance
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.gatherings import Gatherings
from server.association.gatherings.model import Gathering, Plan
from server.association.members.model import EVERYONE, Audience, Person
from server.foundation.clock import TOKYO
from server.foundation.errors import InvalidParam, NotFound
from server.rooms.send_event import Draft
from tests.association.world import World, world

START = datetime(2024, 8, 9, 10, 0, tzinfo=TOKYO)
FESTIVAL = Plan("夏まつり", START, START + timedelta(hours=5), "中央公園", asks=True)


@asynccontextmanager
async def node_with_attendance(folder: Path) -> AsyncIterator[tuple[World, Gatherings, Attendance]]:
    async with world(folder / "node.db") as node:
        gatherings = Gatherings(node.database, node.clock, node.members, node.sender, as_ics)
        attendance = Attendance(node.database, gatherings, node.members, node.sender)
        gatherings.attach(node.acceptor)
        attendance.attach(node.acceptor)
        await gatherings.open()
        yield node, gatherings, attendance


async def react(node: World, gatherings: Gatherings, gathering: Gathering, person: Person, key: str) -> str:
    (room_id, event_id), *_ = gatherings.posts_of(gathering.id).items()
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event_id, "key": key}}
    return (await node.sender.send(Draft(room_id, str(person.user_id), "m.reaction", content))).event_id


@pytest.mark.parametrize(("key", "answer"), [
    ("✅", Answer.ACCEPTED), ("👍", Answer.ACCEPTED), ("👍🏿", Answer.ACCEPTED), ("🙆‍♀️", Answer.ACCEPTED),
    ("❌", Answer.DECLINED), ("👎🏻", Answer.DECLINED), ("✖️", Answer.DECLINED), ("❓", Answer.TENTATIVE),
    ("🎉", None), ("", None), ("1️⃣", None), ("はい", None),
])
def test_a_reaction_says_yes_no_or_nothing(key: str, answer: Answer | None) -> None:
    assert answer_of(key) is answer


async def test_the_last_reaction_that_stands_counts(tmp_path: Path) -> None:
    async with node_with_attendance(tmp_path) as (node, gatherings, attendance):
        hanako = await node.person("佐藤 花子")
        user = str(hanako.user_id)
        gathering = await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        await react(node, gatherings, gathering, hanako, "👍")
        assert (await attendance.of_user(user)).to(gathering.id) is Answer.ACCEPTED
        no = await react(node, gatherings, gathering, hanako, "❌")
        await react(node, gatherings, gathering, hanako, "🎉")
        first = await attendance.of_user(user)
        assert first.to(gathering.id) is Answer.DECLINED
        room_id = next(iter(gatherings.posts_of(gathering.id)))
        await node.sender.send(Draft(room_id, user, "m.room.redaction", {}, redacts=no))
        second = await attendance.of_user(user)
        assert second.to(gathering.id) is Answer.ACCEPTED
        assert second.position > first.position
        assert [item.answer for item in await attendance.to([gathering])] == [Answer.ACCEPTED]
    async with node_with_attendance(tmp_path) as (_, _, attendance):
        assert (await attendance.of_user(user)).to(gathering.id) is Answer.ACCEPTED


async def test_an_answer_by_a_button_is_one_reaction_of_the_persons_own(tmp_path: Path) -> None:
    async with node_with_attendance(tmp_path) as (node, gatherings, attendance):
        hanako = await node.person("佐藤 花子")
        user = str(hanako.user_id)
        gathering = await gatherings.announce(node.node, FESTIVAL, EVERYONE)
        for answer in (Answer.ACCEPTED, Answer.DECLINED, Answer.ACCEPTED, Answer.ACCEPTED):
            await attendance.answer(user, gathering.id, answer)
        room = await node.live(next(iter(gatherings.posts_of(gathering.id))))
        said = [entry for entry in room.timeline if entry.event.type == "m.reaction"]
        assert [entry.event.content["m.relates_to"]["key"] for entry in said if not entry.redacted_because] == ["✅"]
        assert len(said) == 3
        await attendance.answer(user, gathering.id, None)
        assert (await attendance.of_user(user)).to(gathering.id) is None
        assert await attendance.to([gathering]) == []


async def test_nobody_answers_what_is_not_for_them_or_was_called_off(tmp_path: Path) -> None:
    async with node_with_attendance(tmp_path) as (node, gatherings, attendance):
        hanako = await node.person("佐藤 花子", "1班")
        taro = await node.person("鈴木 太郎", "2班")
        blocks = node.members.blocks()
        theirs = await gatherings.announce(node.node, FESTIVAL, Audience.blocks([blocks[1].id]))
        with pytest.raises(NotFound):
            await attendance.answer(str(hanako.user_id), theirs.id, Answer.ACCEPTED)
        with pytest.raises(NotFound):
            await attendance.answer(str(hanako.user_id), "nonsense", Answer.ACCEPTED)
        await attendance.answer(str(taro.user_id), theirs.id, Answer.ACCEPTED)
        await gatherings.cancel(node.node, theirs.id)
        with pytest.raises(InvalidParam):
            await attendance.answer(str(taro.user_id), theirs.id, Answer.DECLINED)


async def test_an_answer_that_is_changed_in_another_room_of_the_audience_is_taken_back_there(tmp_path: Path) -> None:
    async with node_with_attendance(tmp_path) as (node, gatherings, attendance):
        leader = await node.person("班長 一郎", "1班")
        await node.person("鈴木 太郎", "2班")
        blocks = node.members.blocks()
        both = await gatherings.announce(node.node, FESTIVAL, Audience.blocks([block.id for block in blocks]))
        user = str(leader.user_id)
        await node.sender.send(Draft(str(node.members.block_room(blocks[1].id)), node.node, "m.room.member",
                                     {"membership": "invite"}, user))
        await node.membership.join(str(node.members.block_room(blocks[1].id)), user)
        second = str(node.members.block_room(blocks[1].id))
        content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": gatherings.posts_of(both.id)[second],
                                    "key": "✅"}}
        await node.sender.send(Draft(second, user, "m.reaction", content))
        await attendance.answer(user, both.id, Answer.DECLINED)
        assert [item.answer for item in await attendance.to([both])] == [Answer.DECLINED]
        assert len((await attendance.of_user(user)).reactions[both.id]) == 1
