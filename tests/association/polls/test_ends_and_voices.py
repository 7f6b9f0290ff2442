"""Whose voice counts, what stands when a poll is over, and what a stop or a replay of the node changes: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.came_by import CameBy
from server.association.members.model import Audience, Role
from server.association.polls.actions import Polls
from server.association.polls.answering import AnswerProjection
from server.association.polls.model import Counting, Poll
from server.association.polls.open_polls import OpenPolls
from server.association.polls.projection import PollProjection
from server.foundation.errors import Forbidden, NotFound, Refused
from server.rooms.accept_event import EventAcceptor
from server.rooms.poll_events import END, Choice, end_content
from server.storage.database import Writes
from tests.association.polls.asking import Asking, asking

AOKI, INOUE, UEDA = "青木 一", "井上 二", "上田 三"


async def _households(found: Asking, poll: Poll) -> dict[str, int]:
    return dict((await found.polls.results.tallies(poll))[1].votes)


async def test_a_sheet_of_a_household_counts_until_somebody_there_answers(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない", counting=Counting.HOUSEHOLD)
        home = found.street.person(AOKI).household_id
        await found.polls.enter_for_household(found.chair, poll.id, home, ["c2"], CameBy.PAPER)
        assert await _households(found, poll) == {"c1": 0, "c2": 1}
        (own,) = await found.polls.results.polls_for(found.street.user(AOKI))
        assert own.chosen == ("c2",)
        await found.polls.answer(found.street.user(AOKI), poll.id, ["c1"])
        assert await _households(found, poll) == {"c1": 1, "c2": 0}
        result = await found.polls.results.result(found.chair, poll.id)
        row = next(row for row in result.household_rows if row.household_id == home)
        assert row.answer is not None
        assert (row.answer.chosen, row.answer.channel) == (("c1",), CameBy.APP)


async def test_a_poll_of_households_tells_households_only(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("出る", "出ない", counting=Counting.HOUSEHOLD)
        home = found.street.person(AOKI).household_id
        await found.polls.enter_for_household(found.chair, poll.id, home, ["c2"], CameBy.DOOR)
        await found.polls.close(found.chair, poll.id)
        assert (await found.street.bodies(found.hall))[-1].splitlines() == [
            "【アンケートの結果】お祭りに出ますか", "1 出る：0世帯", "2 出ない：1世帯", "回答 1世帯、未回答 3世帯"]
        lines = (await found.polls.results.csv(found.chair, poll.id)).decode("utf-8-sig").splitlines()
        assert lines[0] == "班,世帯,回答,時刻,方法"
        assert len(lines) == 5
        assert f"1班,{AOKI},出ない,2024-01-01 16:10,訪問" in lines


async def test_a_leader_writes_down_and_sees_only_their_own_block(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        await found.street.node.person("班長 五", "1班", roles=[Role.BLOCK_LEADER])
        leader, poll = found.street.user("班長 五"), await found.ask()
        await found.polls.enter(leader, poll.id, found.street.person(AOKI).id, ["c1"], CameBy.PHONE)
        with pytest.raises(Forbidden):
            await found.polls.enter(leader, poll.id, found.street.person(UEDA).id, ["c1"], CameBy.PHONE)
        with pytest.raises(Forbidden):
            await found.polls.enter_for_household(leader, poll.id, found.street.person(UEDA).household_id, ["c1"])
        result = await found.polls.results.result(leader, poll.id)
        assert {row.block for row in result.rows} == {"1班"}
        assert result.persons.total == 5
        _, native = await found.events()
        await found.street.send("班長 五", found.hall, END, end_content(native, "おわり"))
        await found.street.vote(UEDA, found.hall, native, "c2")
        assert await found.votes(poll) == {"出る": 1, "出ない": 1}


async def test_who_is_not_asked_is_not_written_down(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask(audience=Audience.blocks([found.street.node.members.blocks()[0].id]))
        ueda = found.street.person(UEDA)
        with pytest.raises(NotFound):
            await found.polls.enter(found.chair, poll.id, ueda.id, ["c1"], CameBy.PAPER)
        with pytest.raises(NotFound):
            await found.polls.enter_for_household(found.chair, poll.id, ueda.household_id, ["c1"])


async def test_several_reactions_are_several_choices_and_one_taken_back_is_one_less(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask("朝", "昼", "夜", most=2)
        message, native = await found.events()
        await found.street.react(AOKI, found.hall, message, "1️⃣")
        second = await found.street.react(AOKI, found.hall, native, "3️⃣")
        assert await found.votes(poll) == {"朝": 1, "昼": 0, "夜": 1}
        await found.street.take_back(AOKI, found.hall, second)
        assert await found.votes(poll) == {"朝": 1, "昼": 0, "夜": 0}


async def test_an_answer_is_taken_back_by_an_empty_or_spoiled_one(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask()
        _, native = await found.events()
        for choices in ((), ("c9",)):
            await found.street.vote(AOKI, found.hall, native, "c1")
            await found.street.vote(AOKI, found.hall, native, *choices)
            assert await found.votes(poll) == {"出る": 0, "出ない": 0}
        await found.polls.answer(found.street.user(AOKI), poll.id, ["c1"])
        await found.polls.take_back(found.street.user(AOKI), poll.id)
        assert await found.votes(poll) == {"出る": 0, "出ない": 0}


async def test_the_end_of_the_native_poll_carries_the_result(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask()
        await found.polls.answer(found.street.user(AOKI), poll.id, ["c1"])
        count = await found.polls.close(found.chair, poll.id)
        assert (count.persons.answered, count.persons.total) == (1, 4)
        entry = (await found.street.room(found.hall)).find(await found.street.event_of(found.hall, END))
        assert entry is not None
        result = (await found.street.bodies(found.hall))[-1]
        assert entry.event.content["org.matrix.msc1767.text"] == result
        assert "1 出る：1人（1世帯）" in result


async def test_the_table_of_a_closed_poll_stays_when_the_roster_changes(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask()
        await found.polls.answer(found.street.user(UEDA), poll.id, ["c1"])
        await found.polls.close(found.chair, poll.id)
        node = found.street.node
        await node.person("新しい 六", "1班")
        node.members.register.drop_person(found.street.person(UEDA).id)
        result = await found.polls.results.result(found.chair, poll.id)
        assert (result.persons.votes, result.persons.total) == ({"c1": 1, "c2": 0}, 4)
        assert "（名簿にない人）" in {row.person.name for row in result.rows}


async def test_a_poll_closes_by_itself_at_its_deadline(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask(deadline=found.clock.now_ms() + 7_200_000)
        await found.clock.advance(7_100)
        assert (await found.polls.results.poll(poll.id)).is_open
        await found.clock.advance(200)
        await found.polls.finish(poll.id)
        closed = await found.polls.results.poll(poll.id)
        assert (closed.is_open, closed.closed_ts) == (False, poll.deadline)
        with pytest.raises(Refused):
            await found.polls.answer(found.street.user(AOKI), poll.id, ["c1"])
        assert "結果" in (await found.street.bodies(found.hall))[-1]


async def test_a_deadline_that_came_while_the_node_was_down_is_kept(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask(deadline=found.clock.now_ms() + 1_000)
        assert poll.deadline is not None
    async with asking(tmp_path / "node.db") as found:
        await found.clock.advance(2)
        await found.polls.close_due()
        assert (await found.polls.results.poll(poll.id)).closed_ts == poll.deadline


async def test_a_closing_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        poll = await found.ask()
        going = found.polls._going.get(poll.id)
        assert going is not None
        await found.polls._close(going)  # and the node dies before a room hears of it
    async with asking(tmp_path / "node.db") as found:
        _, native = await found.events()
        await found.street.vote(AOKI, found.hall, native, "c1")
        assert await found.votes(poll) == {"出る": 0, "出ない": 0}
        found.polls.resume()
        await found.polls.finish(poll.id)
        assert len([body for body in await found.street.bodies(found.hall) if "結果" in body]) == 1


async def test_an_asking_that_was_interrupted_goes_on_without_asking_twice(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        node = found.street.node
        rooms = [node.members.block_room(block.id) or "" for block in node.members.blocks()]
        poll = Poll(
            id="half", question="?", choices=(Choice("c1", "はい"), Choice("c2", "いいえ")), most=1, disclosed=True,
            audience=Audience.blocks([block.id for block in node.members.blocks()]), issuer=found.chair, created_ts=1,
        )
        await found.polls._ask_in(poll, rooms[:1])
        asked = await found.events(rooms[0])
    async with asking(tmp_path / "node.db") as found:
        await found.polls.ask(poll.id)
        await found.polls.ask(poll.id)
        assert await found.events(rooms[0]) == asked
        _, native = await found.events(rooms[1])
        await found.street.vote(UEDA, rooms[1], native, "c1")
        assert await found.votes(poll) == {"はい": 1, "いいえ": 0}


async def _replay(found: Asking) -> OpenPolls:
    """Every event of every room once more, in stream order, upon nothing in memory."""
    node, going = found.street.node, OpenPolls()
    polls, answers = PollProjection(node.members, going, lambda _: None), AnswerProjection(node.members, going)
    replayed = EventAcceptor(node.rooms, node.positions)
    polls.attach(replayed)
    answers.attach(replayed)
    rooms = [await found.street.room(room.room_id) for room in node.members.rooms.rooms()]
    entries = [(entry.stream, room, entry) for room in rooms for entry in room.timeline]
    writes = Writes()
    for _, room, entry in sorted(entries, key=lambda item: item[0]):
        replayed._run_projections(room, entry, writes)
    await node.database.submit(writes)
    return going


async def _everything(polls: Polls, officer: str) -> list[object]:
    return [(poll, await polls.results.tallies(poll)) for poll in await polls.results.polls(officer)]


@pytest.mark.parametrize("emptied", [False, True])
async def test_replaying_all_events_changes_nothing_and_builds_the_tables_again(tmp_path: Path, emptied: bool) -> None:
    async with asking(tmp_path / "node.db") as found:
        first = await found.ask("出る", "出ない")
        message, native = await found.events()
        await found.street.vote(AOKI, found.hall, native, "c1")
        gone = await found.street.react(INOUE, found.hall, message, "2️⃣")
        await found.street.take_back(INOUE, found.hall, gone)
        await found.polls.close(found.chair, first.id)
        await found.street.vote(UEDA, found.hall, native, "c1")
        await found.ask("朝", "昼")
        await found.street.say(UEDA, found.hall, "２")
        before = await _everything(found.polls, found.chair)
        if emptied:
            async with found.street.node.database.write() as tx:
                for table in ("polls", "poll_rooms", "poll_answers", "poll_voters"):
                    await tx.run_sql(f"DELETE FROM {table}")
        going = await _replay(found)
        assert await _everything(found.polls, found.chair) == before
        assert [item.poll.is_open for item in going] == [False, True]
        assert next(iter(going)).is_finished
    async with asking(tmp_path / "node.db") as found:
        assert [item.poll.question for item in found.polls._going] == ["お祭りに出ますか"]
