"""The node is killed in the middle: nothing is lost, nobody is asked or told twice."""

from __future__ import annotations

import contextlib
from pathlib import Path

from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import Status, prompt_contents
from server.rooms.poll_events import END, START
from server.rooms.send_event import Draft
from server.storage.database import Writes
from tests.association.safety_checks.checks import CHAIR, PEOPLE, checks

AOKI, INOUE = "青木 一", "井上 二"


async def test_an_asking_that_was_interrupted_goes_on_without_asking_twice(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.verbs.announce(found.chair, "地震", EVERYONE, drill=False)
        message, poll = prompt_contents(check)
        desk, node = found.street.desk(AOKI), found.street.node
        await node.sender.send_many([Draft(desk, node.node, "m.room.message", message),
                                     Draft(desk, node.node, START, poll)])
    async with checks(tmp_path / "node.db") as found:
        await found.verbs.ask(check.id)
        for name in (CHAIR, *(name for name, _ in PEOPLE)):
            bodies = await found.street.bodies(found.street.desk(name))
            assert len([body for body in bodies if "安否確認" in body]) == 1, name
        assert (await found.figures(check))["unread"] == 5


async def test_answers_reads_and_history_are_there_after_a_restart(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, message, _ = await found.question(AOKI)
        await found.street.say(AOKI, desk, "3")
        reaction = await found.street.react(AOKI, desk, message, "1️⃣")
        other, _, poll = await found.question(INOUE)
        await found.street.read(INOUE, other, poll)
        await found.verbs.enter(found.chair, check.id, [found.street.person(CHAIR).id], Given(status=Status.SAFE),
                                CameBy.PAPER)
        before = await found.figures(check)
    async with checks(tmp_path / "node.db") as found:
        assert await found.figures(check) == before
        await found.street.take_back(AOKI, desk, reaction)
        assert await found.standing(check, AOKI) == "help"
        await found.street.say(AOKI, desk, "1")
        assert await found.standing(check, AOKI) == "safe"


async def test_a_receipt_that_was_owed_is_sent_once_after_the_restart(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        await found.begin()
        await found.street.say(AOKI, found.street.desk(AOKI), "1")
        await found.street.say(INOUE, found.street.desk(INOUE), "1")
        found.verbs.follow_ups._owed.pop(next(iter(found.verbs.follow_ups._owed)))
        await found.verbs.follow_ups.send_receipts()
    async with checks(tmp_path / "node.db") as found:
        found.verbs.resume()
        await found.verbs.follow_ups.send_receipts()
        for name in (AOKI, INOUE):
            bodies = await found.street.bodies(found.street.desk(name))
            assert len([body for body in bodies if body.startswith("届きました")]) == 1


async def test_a_closing_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        found.street.tasks._stopped = True  # the node dies before the polls are ended
        with contextlib.suppress(RuntimeError):
            await found.verbs.close(found.chair, check.id)
    async with checks(tmp_path / "node.db") as found:
        await found.verbs.finish(check.id)
        room = await found.street.room(found.street.desk(AOKI))
        assert [entry.event.type for entry in room.timeline].count(END) == 1
    async with checks(tmp_path / "node.db") as found:
        assert list(found.verbs._going) == []


async def test_replaying_an_answer_counts_it_once(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk = found.street.desk(AOKI)
        event_id = await found.street.say(AOKI, desk, "1")
        room = await found.street.room(desk)
        entry = room.find(event_id)
        assert entry is not None
        async with found.street.node.database.write() as tx:
            writes = Writes()
            found.verbs._projection._message(room, entry, writes)
            await tx.apply(writes)
        history = await found.desk.history(found.chair, check.id, found.street.person(AOKI).id)
        assert len(history) == 1
