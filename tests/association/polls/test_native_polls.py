"""Polls that residents make in their own Matrix client."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.model import Audience
from server.foundation.errors import Forbidden, NotFound, Refused
from server.rooms.poll_events import END, START, Choice, end_content, start_content
from tests.association.polls.asking import CHAIR, Asking, asking

AOKI, INOUE, UEDA = "青木 一", "井上 二", "上田 三"
CHOICES = (Choice("uuid-1", "行く"), Choice("uuid-2", "行かない"))


async def _make(found: Asking, room_id: str | None = None, name: str = AOKI) -> str:
    """``name`` makes a poll; answers its event."""
    content = start_content("花見は", CHOICES, disclosed=False)
    return await found.street.send(name, room_id or found.hall, START, content)


async def _block_room(found: Asking) -> tuple[str, Audience]:
    block = found.street.node.members.blocks()[0]
    return found.street.node.members.block_room(block.id) or "", Audience.blocks([block.id])


async def test_a_residents_poll_is_shown_and_counted_and_belongs_to_its_sender(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)
        await found.street.vote(INOUE, found.hall, native, "uuid-1")
        await found.street.react(UEDA, found.hall, native, "2️⃣")
        (own,) = await found.polls.results.polls_for(found.street.user(INOUE))
        poll = own.poll
        assert (poll.question, poll.native, poll.issuer, own.chosen) == (
            "花見は", True, found.street.user(AOKI), ("uuid-1",))
        assert await found.votes(poll) == {"行く": 1, "行かない": 1}
        await found.polls.answer(found.street.user(INOUE), poll.id, ["uuid-2"])
        assert await found.votes(poll) == {"行く": 0, "行かない": 2}


@pytest.mark.parametrize("content", [
    {"m.poll.start": {"question": {"m.text": "花見は"}, "answers": [{"id": "x", "m.text": "行く"}]}},
    {"m.poll": {"question": {"m.text": [{"body": "花見は"}]},
                "answers": [{"m.id": "x", "m.text": [{"body": "行く"}]}]}},
])
async def test_the_stable_name_is_understood(tmp_path: Path, content: dict[str, object]) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await found.street.send(AOKI, found.hall, "m.poll.start", content)
        await found.street.send(INOUE, found.hall, "m.poll.response", {
            "m.selections": ["x"], "m.relates_to": {"rel_type": "m.reference", "event_id": native}})
        (poll,) = await found.polls.results.polls(found.chair)
        assert await found.votes(poll) == {"行く": 1}


async def test_a_poll_in_a_blocks_room_asks_the_block(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        room_id, audience = await _block_room(found)
        await _make(found, room_id)
        (poll,) = await found.polls.results.polls(found.chair)
        assert poll.audience == audience
        assert await found.polls.results.polls_for(found.street.user(UEDA)) == []
        with pytest.raises(NotFound):
            await found.polls.results.view(found.street.user(UEDA), poll.id)


async def test_a_poll_in_ones_own_line_or_without_choices_is_none_of_the_associations(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        await _make(found, found.street.desk(AOKI))
        await found.street.send(AOKI, found.hall, START, {START: {"question": {"body": "?"}, "answers": []}})
        await found.street.send(AOKI, found.hall, START, {START: "?"})
        assert await found.polls.results.polls(found.chair) == []


async def test_its_maker_ends_it_in_a_client_and_the_node_says_nothing(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)
        await found.street.vote(INOUE, found.hall, native, "uuid-1")
        await found.street.send(UEDA, found.hall, END, end_content(native, "おわり"))
        await found.street.vote(UEDA, found.hall, native, "uuid-1")
        (poll,) = await found.polls.results.polls(found.chair)
        assert await found.votes(poll) == {"行く": 2, "行かない": 0}
        before = await found.street.bodies(found.hall)
        await found.street.send(AOKI, found.hall, END, end_content(native, "おわり"))
        await found.polls.finish(poll.id)
        await found.street.vote(CHAIR, found.hall, native, "uuid-1")
        assert await found.votes(poll) == {"行く": 2, "行かない": 0}
        assert await found.street.bodies(found.hall) == before
        assert list(found.polls._going) == []


async def test_its_maker_ends_it_on_a_page_and_a_neighbour_cannot(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)
        (poll,) = await found.polls.results.polls(found.chair)
        with pytest.raises(Forbidden):
            await found.polls.close(found.street.user(INOUE), poll.id)
        await found.polls.close(found.street.user(AOKI), poll.id)
        end = await found.street.event_of(found.hall, END)
        room = await found.street.room(found.hall)
        event = room.find(end)
        assert event is not None
        assert event.event.content["m.relates_to"]["event_id"] == native
        with pytest.raises(Refused):
            await found.polls.answer(found.street.user(INOUE), poll.id, ["uuid-1"])


async def test_figures_of_an_undisclosed_poll_are_shown_at_its_end(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        await _make(found)
        (poll,) = await found.polls.results.polls(found.chair)
        inoue = found.street.user(INOUE)
        view = await found.polls.results.view(inoue, poll.id)
        assert (view.count, view.may_answer, view.may_close) == (None, True, False)
        assert (await found.polls.results.view(found.chair, poll.id)).count is not None
        assert (await found.polls.results.view(found.street.user(AOKI), poll.id)).may_close
        await found.polls.close(found.chair, poll.id)
        view = await found.polls.results.view(inoue, poll.id)
        assert view.count is not None
        assert not view.may_answer
        assert [own.poll.id for own in await found.polls.results.past_polls_for(inoue)] == [poll.id]


async def test_it_may_be_edited_until_somebody_has_answered(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)

        async def edit(name: str, question: str) -> str:
            new = start_content(question, CHOICES)
            relates = {"rel_type": "m.replace", "event_id": native}
            await found.street.send(name, found.hall, START, {**new, "m.new_content": new, "m.relates_to": relates})
            (poll,) = await found.polls.results.polls(found.chair)
            return poll.question

        assert await edit(AOKI, "海は") == "海は"
        assert await edit(INOUE, "山は") == "海は"
        await found.street.vote(INOUE, found.hall, native, "uuid-1")
        assert await edit(AOKI, "山は") == "海は"


async def test_a_poll_whose_question_is_deleted_is_gone(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)
        (poll,) = await found.polls.results.polls(found.chair)
        await found.street.take_back(AOKI, found.hall, native)
        assert await found.polls.results.polls(found.chair) == []
        with pytest.raises(NotFound):
            await found.polls.results.view(found.street.user(AOKI), poll.id)
        with pytest.raises(Refused):
            await found.polls.answer(found.street.user(INOUE), poll.id, ["uuid-1"])


async def test_a_number_alone_is_for_the_officers_question(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        asked = await found.ask("出る", "出ない")
        native = await _make(found)
        await found.street.say(INOUE, found.hall, "1")
        await found.street.say(UEDA, found.hall, "2", reply_to=native)
        assert await found.votes(asked) == {"出る": 1, "出ない": 0}
        (own, _) = await found.polls.results.polls_for(found.street.user(UEDA))
        assert own.poll.native or own.poll.id == asked.id
        polls = {poll.native: poll for poll in await found.polls.results.polls(found.chair)}
        assert await found.votes(polls[True]) == {"行く": 0, "行かない": 1}


async def test_it_survives_a_restart(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as found:
        native = await _make(found)
    async with asking(tmp_path / "node.db") as found:
        await found.street.vote(INOUE, found.hall, native, "uuid-1")
        (poll,) = await found.polls.results.polls(found.chair)
        assert await found.votes(poll) == {"行く": 1, "行かない": 0}
