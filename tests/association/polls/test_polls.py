"""Polls from the question to the result."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Audience
from server.association.polls.model import Question
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.poll_events import END, START, end_content
from server.rooms.send_event import Draft
from tests.association.polls.asking import CHAIR, asking

AOKI, INOUE, UEDA = "青木 一", "井上 二", "上田 三"


async def test_a_poll_stands_in_the_room_as_a_message_and_natively(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        await found.ask("出る", "出ない")
        bodies = await found.street.bodies(found.hall)
        assert bodies[-1].splitlines()[:3] == ["【アンケート】お祭りに出ますか", "1 出る", "2 出ない"]
        room = await found.street.room(found.hall)
        native = next(entry.event for entry in room.timeline if entry.event.type == START)
        assert [answer["org.matrix.msc1767.text"] for answer in native.content[START]["answers"]] == ["出る", "出ない"]
        assert native.content[START]["max_selections"] == 1


@pytest.mark.parametrize("way", ["native", "stable", "reaction", "reaction on the poll", "number", "wide number",
                                 "reply", "words", "thread", "page"])
async def test_every_way_of_answering_counts(tmp_path: Path, way: str) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない")
        message, native = await found.events()
        hall = found.hall
        if way == "native":
            await found.street.vote(AOKI, hall, native, "c2")
        elif way == "stable":
            await found.street.send(AOKI, hall, "m.poll.response", {
                "m.poll.response": {"answers": ["c2"]},
                "m.relates_to": {"rel_type": "m.reference", "event_id": native}})
        elif way == "reaction":
            await found.street.react(AOKI, hall, message, "2️⃣")
        elif way == "reaction on the poll":
            await found.street.react(AOKI, hall, native, "2️⃣")
        elif way == "number":
            await found.street.say(AOKI, hall, "2")
        elif way == "wide number":
            await found.street.say(AOKI, hall, "２番です。")
        elif way == "reply":
            await found.street.say(AOKI, hall, "> <@kairan:x> お祭り\n\n2", reply_to=native)
        elif way == "words":
            await found.street.say(AOKI, hall, "出ない")
        elif way == "thread":
            await found.street.send(AOKI, hall, "m.room.message", {
                "msgtype": "m.text", "body": "2", "m.relates_to": {
                    "rel_type": "m.thread", "event_id": message, "is_falling_back": True,
                    "m.in_reply_to": {"event_id": native}}})
        else:
            await found.polls.answer(found.street.user(AOKI), poll.id, ["c2"])
        assert await found.votes(poll) == {"出る": 0, "出ない": 1}


async def test_the_last_answer_counts_whatever_its_way(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない")
        message, native = await found.events()
        await found.street.vote(AOKI, found.hall, native, "c1")
        reaction = await found.street.react(AOKI, found.hall, message, "2️⃣")
        assert await found.votes(poll) == {"出る": 0, "出ない": 1}
        await found.street.take_back(AOKI, found.hall, reaction)
        assert await found.votes(poll) == {"出る": 1, "出ない": 0}
        await found.street.vote(AOKI, found.hall, native)
        result = await found.polls.results.result(found.chair, poll.id)
        assert (result.persons.answered, result.persons.unanswered, result.persons.total) == (0, 4, 4)


async def test_talk_is_no_answer(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        other = await found.street.say(INOUE, found.hall, "何人で来ますか")
        poll = await found.ask("出る", "出ない")
        message, native = await found.events()
        await found.street.say(AOKI, found.hall, "2人で行きます")
        await found.street.say(AOKI, found.hall, "2", reply_to=other)
        await found.street.say(AOKI, found.hall, "3")
        await found.street.react(AOKI, found.hall, message, "👍")
        await found.street.react(AOKI, found.hall, other, "1️⃣")
        await found.street.vote(AOKI, found.hall, native, "c7")
        await found.street.vote(AOKI, found.hall, other, "c1")
        assert await found.votes(poll) == {"出る": 0, "出ない": 0}


async def test_a_number_alone_answers_the_newest_question(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        first = await found.ask("出る", "出ない")
        first_message, _ = await found.events()
        second = await found.ask("朝", "昼", "夜")
        await found.street.say(AOKI, found.hall, "1")
        await found.street.say(INOUE, found.hall, "2", reply_to=first_message)
        assert await found.votes(first) == {"出る": 0, "出ない": 1}
        assert await found.votes(second) == {"朝": 1, "昼": 0, "夜": 0}


async def test_several_may_be_chosen_where_the_poll_says_so(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("朝", "昼", "夜", most=2)
        _, native = await found.events()
        await found.street.say(AOKI, found.hall, "１、３")
        await found.street.vote(INOUE, found.hall, native, "c1", "c2", "c3")
        await found.street.say(UEDA, found.hall, "1 2 3")
        assert await found.votes(poll) == {"朝": 2, "昼": 1, "夜": 1}


async def test_a_closed_poll_takes_no_vote_and_its_result_stands_in_the_room(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない")
        message, native = await found.events()
        await found.street.vote(AOKI, found.hall, native, "c1")
        await found.polls.close(found.chair, poll.id)
        await found.street.vote(INOUE, found.hall, native, "c1")
        await found.street.react(INOUE, found.hall, message, "1️⃣")
        await found.street.say(INOUE, found.hall, "1")
        with pytest.raises((NotFound, Refused)):
            await found.polls.answer(found.street.user(INOUE), poll.id, ["c1"])
        with pytest.raises(Refused):
            await found.polls.close(found.chair, poll.id)
        assert await found.votes(poll) == {"出る": 1, "出ない": 0}
        result = [body for body in await found.street.bodies(found.hall) if "結果" in body]
        assert [body.splitlines() for body in result] == [[
            "【アンケートの結果】お祭りに出ますか", "1 出る：1人（1世帯）", "2 出ない：0人（0世帯）",
            "回答 1人・1世帯、未回答 3人・3世帯"]]
        assert await found.polls.results.polls_for(found.street.user(AOKI)) == []


async def test_an_officers_client_may_end_it_and_a_neighbours_may_not(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない")
        _, native = await found.events()
        await found.street.send(AOKI, found.hall, END, end_content(native, "おわり"))
        await found.street.vote(AOKI, found.hall, native, "c1")
        assert await found.votes(poll) == {"出る": 1, "出ない": 0}
        await found.street.send(CHAIR, found.hall, END, end_content(native, "おわり"))
        await found.polls.finish(poll.id)
        await found.street.vote(AOKI, found.hall, native, "c2")
        assert await found.votes(poll) == {"出る": 1, "出ない": 0}
        assert len([body for body in await found.street.bodies(found.hall) if "結果" in body]) == 1


async def test_a_poll_ends_at_its_deadline(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない", deadline=found.clock.now_ms() + 60_000)
        _, native = await found.events()
        await found.polls.close_due()
        await found.street.vote(AOKI, found.hall, native, "c1")
        await found.clock.advance(61)
        await found.street.vote(AOKI, found.hall, native, "c2")
        await found.polls.close_due()
        assert await found.votes(poll) == {"出る": 1, "出ない": 0}
        assert len([body for body in await found.street.bodies(found.hall) if "結果" in body]) == 1


async def test_a_household_has_one_voice_and_paper_counts(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        node = found.street.node
        home = found.street.person(AOKI).household_id
        await node.editor.add_person(node.node, home, "青木 ハナ")
        child = next(person for person in node.members.persons() if person.name == "青木 ハナ")
        old = await node.person("岡田 五", "2班", account=False)
        poll = await found.ask("出る", "出ない")
        await found.polls.enter(found.chair, poll.id, child.id, ["c2"], CameBy.PAPER)
        await found.polls.enter(found.chair, poll.id, old.id, ["c1"], CameBy.PHONE)
        result = await found.polls.results.result(found.chair, poll.id)
        assert (result.households.votes, result.households.answered, result.households.total) == (
            {"c1": 1, "c2": 1}, 2, 5)
        await found.street.say(AOKI, found.hall, "1")
        result = await found.polls.results.result(found.chair, poll.id)
        assert (result.households.votes, result.households.answered) == ({"c1": 2, "c2": 0}, 2)
        assert (result.persons.votes, result.persons.answered, result.persons.total) == ({"c1": 2, "c2": 1}, 3, 6)


async def test_a_poll_for_blocks_is_one_poll_in_several_rooms(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        blocks = found.street.node.members.blocks()
        poll = await found.ask("出る", "出ない", audience=Audience.blocks([block.id for block in blocks]))
        rooms = [found.street.node.members.block_room(block.id) or "" for block in blocks]
        for name, room_id in ((AOKI, rooms[0]), (UEDA, rooms[1])):
            _, native = await found.events(room_id)
            await found.street.vote(name, room_id, native, "c1")
        assert await found.votes(poll) == {"出る": 2, "出ない": 0}
        await found.polls.close(found.chair, poll.id)
        for room_id in rooms:
            assert len([body for body in await found.street.bodies(room_id) if "結果" in body]) == 1


async def test_only_the_audience_counts(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        first = found.street.node.members.blocks()[0]
        poll = await found.ask("出る", "出ない", audience=Audience.blocks([first.id]))
        result = await found.polls.results.result(found.chair, poll.id)
        assert [row.person.name for row in result.rows] == [CHAIR, AOKI, INOUE]
        with pytest.raises(Forbidden):
            await found.polls.answer(found.street.user(UEDA), poll.id, ["c1"])
        assert await found.polls.results.polls_for(found.street.user(UEDA)) == []
        assert [own.poll.id for own in await found.polls.results.polls_for(found.street.user(AOKI))] == [poll.id]


async def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        good = {"text": "出ますか", "choices": ("出る", "出ない"), "audience": EVERYONE}
        for bad in ({"text": " "}, {"choices": ("出る",)}, {"choices": ("出る", " ")}, {"choices": ("出る", "出る ")},
                    {"most": 3}, {"most": 0}, {"deadline": 5}, {"choices": tuple(map(str, range(21)))}):
            with pytest.raises(InvalidParam):
                await found.polls.start(found.chair, Question(**{**good, **bad}))  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            await found.polls.start(found.street.user(AOKI), Question(**good))  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await found.ask(audience=Audience.groups(["no-such-group"]))
        poll = await found.ask()
        for chosen in ([], ["c9"], ["c1", "c2"]):
            with pytest.raises(InvalidParam):
                await found.polls.answer(found.street.user(AOKI), poll.id, chosen)
        with pytest.raises(Forbidden):
            await found.polls.results.result(found.street.user(AOKI), poll.id)
        ueda = found.street.person(UEDA).id
        with pytest.raises(Forbidden):
            await found.polls.enter(found.street.user(AOKI), poll.id, ueda, ["c1"], CameBy.PAPER)


async def test_a_resident_cannot_make_up_a_poll_of_the_node(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask()
        content = {**poll.as_content(), "id": "forged"}
        await found.street.send(AOKI, found.hall, "m.room.message",
                                {"msgtype": "m.text", "body": "?", "jp.kairan.poll": content})
        assert [item.id for item in await found.polls.results.polls(found.chair)] == [poll.id]


async def test_the_file_for_spreadsheets_holds_no_formula(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        await found.street.node.person("=HYPERLINK(1)", "1班")
        poll = await found.ask("=1+1", "出ない")
        await found.street.say(AOKI, found.hall, "1")
        raw = await found.polls.results.csv(found.chair, poll.id)
        assert raw.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
        assert rows[0] == ["班", "世帯", "名前", "回答", "時刻", "方法"]
        assert ["1班", AOKI, AOKI, "'=1+1", "2024-01-01 16:10", "アプリ"] in rows
        assert ["1班", "'=HYPERLINK(1)", "'=HYPERLINK(1)", "", "", ""] in rows


async def test_answers_and_what_is_owed_survive_a_restart(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない")
        asked = await found.events()
        native = asked[1]
        await found.street.vote(AOKI, found.hall, native, "c1")
    async with asking(tmp_path / "node.db") as found:
        await found.polls.ask(poll.id)
        assert await found.events() == asked
        await found.street.vote(AOKI, found.hall, native, "c2")
        assert await found.votes(poll) == {"出る": 0, "出ない": 1}
        # The node dies after the end of the native poll and before the result.
        node = found.street.node
        found.street.tasks._stopped = True
        await node.sender.send(Draft(found.hall, node.node, END, end_content(native, "おわり")))
    async with asking(tmp_path / "node.db") as found:
        await found.polls.finish(poll.id)
        await found.polls.finish(poll.id)
        assert len([body for body in await found.street.bodies(found.hall) if "結果" in body]) == 1
    async with asking(tmp_path / "node.db") as found:
        assert list(found.polls._going) == []
        assert await found.votes(poll) == {"出る": 0, "出ない": 1}
