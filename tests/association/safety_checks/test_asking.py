"""Starting, asking, closing."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.model import EVERYONE, Audience, Purpose
from server.association.safety_checks.model import CHECK, SUMMARY
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.poll_events import END, START
from server.rooms.send_event import Draft
from tests.association.safety_checks.checks import CHAIR, PEOPLE, checks


async def test_everybody_is_asked_in_their_own_room_by_a_message_and_a_poll(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        for name, _ in PEOPLE:
            desk, message, poll = await found.question(name)
            room = await found.street.room(desk)
            said = [entry.event for entry in room.timeline if entry.event.event_id in (message, poll)]
            assert [event.sender for event in said] == [found.street.node.node] * 2
            assert said[0].content["body"].splitlines()[2:5] == ["1 無事です", "2 連絡がほしい", "3 助けがほしい"]
            assert [answer["id"] for answer in said[1].content[START]["answers"]] == ["safe", "contact", "help"]
        disaster = await found.street.room(found.street.node.members.hall_room(Purpose.DISASTER))
        assert disaster.content(CHECK, check.id)["state"] == "asking"
        assert (await found.figures(check))["unread"] == 5


async def test_asking_again_asks_nobody_twice(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        await found.verbs.ask(check.id)
        bodies = await found.street.bodies(found.street.desk("青木 一"))
        assert len([body for body in bodies if "安否確認" in body]) == 1


async def test_only_the_audience_is_asked(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        second = next(block for block in found.street.node.members.blocks() if block.name == "2班")
        check = await found.begin(audience=Audience.blocks([second.id]))
        assert (await found.figures(check))["total"] == 2
        assert not [body for body in await found.street.bodies(found.street.desk("青木 一")) if "安否" in body]


async def test_a_drill_says_so_everywhere(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin(drill=True, title="秋の訓練")
        desk, message, poll = await found.question("青木 一")
        room = await found.street.room(desk)
        for event_id in (message, poll):
            entry = room.find(event_id)
            assert entry is not None
            assert "【訓練】" in str(entry.event.content)
        await found.street.say("青木 一", desk, "無事")
        await found.verbs.follow_ups.send_receipts()
        assert (await found.street.bodies(desk))[-1].startswith("【訓練】届きました")
        disaster = await found.street.room(found.street.node.members.hall_room(Purpose.DISASTER))
        await found.verbs.follow_ups.post_summaries()
        assert str(disaster.content(SUMMARY, check.id)["body"]).startswith("【訓練】")
        await found.verbs.close(found.chair, check.id)
        assert disaster.content(SUMMARY, check.id)["drill"] is True
        assert (await found.street.bodies(disaster.room_id))[-1].startswith("【訓練】秋の訓練")
        assert (await found.desk.table(found.chair, check.id)).check.shown_title == "【訓練】秋の訓練"


async def test_who_may_not_and_what_cannot_be_started(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        with pytest.raises(Forbidden):
            await found.verbs.announce(found.street.user("青木 一"), "地震", EVERYONE, drill=False)
        with pytest.raises(InvalidParam):
            await found.verbs.announce(found.chair, " ", EVERYONE, drill=False)
        with pytest.raises(InvalidParam):
            await found.verbs.announce(found.chair, "あ" * 101, EVERYONE, drill=False)
        with pytest.raises(NotFound):
            await found.verbs.announce(found.chair, "地震", Audience.blocks(["no-such-block"]), drill=False)
        with pytest.raises(NotFound):
            await found.verbs.close(found.chair, "no-such-check")
        with pytest.raises(NotFound):
            await found.desk.table(found.chair, "no-such-check")
        check = await found.begin()
        with pytest.raises(Forbidden):
            await found.verbs.close(found.street.user("青木 一"), check.id)
        with pytest.raises(Forbidden):
            await found.desk.table(found.street.user("青木 一"), check.id)
        with pytest.raises(Forbidden):
            await found.desk.people(found.street.user("青木 一"), check.id)


async def test_a_resident_cannot_make_up_a_check_or_a_question(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, message, _ = await found.question("青木 一")
        mark = {"check_id": check.id}
        await found.street.send("青木 一", desk, "m.room.message", {
            "msgtype": "m.text", "body": "x", "jp.kairan.safety.prompt": mark,
            "jp.kairan.safety.received": {**mark, "place": 9}})
        disaster = found.street.node.members.hall_room(Purpose.DISASTER)
        content = {**check.as_content(), "check_id": "forged"}
        draft = Draft(disaster, found.street.user("青木 一"), CHECK, content, state_key="forged")
        with pytest.raises(Forbidden):
            await found.street.node.sender.send(draft)
        forged = (await found.question("青木 一"))[1]
        await found.street.react("青木 一", desk, forged, "3️⃣")
        assert await found.standing(check, "青木 一") == "unread"
        await found.street.react("青木 一", desk, message, "1️⃣")
        assert await found.standing(check, "青木 一") == "safe"


async def test_closing_posts_the_result_ends_the_polls_and_takes_no_more_answers(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, _, poll = await found.question("青木 一")
        await found.street.vote("青木 一", desk, poll, "help")
        figures = await found.verbs.close(found.chair, check.id)
        await found.verbs.finish(check.id)
        assert (figures.answered, figures.total) == (1, 5)
        disaster = await found.street.room(found.street.node.members.hall_room(Purpose.DISASTER))
        assert disaster.content(SUMMARY, check.id)["counts"] == figures.as_content()
        assert "支援希望 1" in (await found.street.bodies(disaster.room_id))[-1]
        room = await found.street.room(desk)
        end = next(entry.event for entry in room.timeline if entry.event.type == END)
        assert end.content["m.relates_to"]["event_id"] == poll
        await found.street.vote("青木 一", desk, poll, "safe")
        await found.street.say("青木 一", desk, "1")
        assert await found.standing(check, "青木 一") == "help"
        with pytest.raises(Refused):
            await found.verbs.close(found.chair, check.id)
        assert await found.desk.questions_for(found.street.user("青木 一")) == []


async def test_the_result_stands_once_however_often_it_is_finished(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        await found.verbs.close(found.chair, check.id)
        await found.verbs.finish(check.id)
        await found.verbs.finish(check.id)
        bodies = await found.street.bodies(found.street.node.members.hall_room(Purpose.DISASTER))
        assert len([body for body in bodies if "終わりました" in body]) == 1


async def test_the_real_thing_comes_before_a_drill(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        real = await found.begin()
        drill = await found.begin(drill=True)
        desk, _, drill_poll = await found.question("青木 一")
        await found.street.say("青木 一", desk, "3")
        assert (await found.standing(real, "青木 一"), await found.standing(drill, "青木 一")) == ("help", "unread")
        await found.street.vote("青木 一", desk, drill_poll, "safe")
        assert (await found.standing(real, "青木 一"), await found.standing(drill, "青木 一")) == ("help", "safe")
        own = await found.desk.questions_for(found.street.user("青木 一"))
        assert {question.check.id: question.standing.value for question in own} == {real.id: "help", drill.id: "safe"}


async def test_the_chair_sees_all_checks_newest_first(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        await found.begin(title="一つ目")
        assert [check.title for check in await found.desk.checks(found.chair)] == ["一つ目"]
        assert found.street.person(CHAIR).name == CHAIR
