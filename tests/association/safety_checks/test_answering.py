"""Answers by every way there is, and what holds of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.came_by import CameBy
from server.association.members.model import EVERYONE, Purpose, Role
from server.association.safety_checks.actions import Given
from server.association.safety_checks.model import SUMMARY, Status
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from tests.association.safety_checks.checks import CHAIR, checks

AOKI, INOUE, UEDA, ETO = "青木 一", "井上 二", "上田 三", "江藤 四"


@pytest.mark.parametrize("way", ["poll", "stable poll", "reaction", "reaction on the poll", "text", "reply", "event",
                                 "page"])
async def test_every_way_of_answering_counts(tmp_path: Path, way: str) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, message, poll = await found.question(AOKI)
        if way == "poll":
            await found.street.vote(AOKI, desk, poll, "contact")
        elif way == "stable poll":
            await found.street.send(AOKI, desk, "m.poll.response", {
                "m.selections": ["contact"], "m.relates_to": {"rel_type": "m.reference", "event_id": poll}})
        elif way == "reaction":
            await found.street.react(AOKI, desk, message, "2️⃣")
        elif way == "reaction on the poll":
            await found.street.react(AOKI, desk, poll, "2️⃣")
        elif way == "text":
            await found.street.say(AOKI, desk, "連絡ください")
        elif way == "reply":
            await found.street.say(AOKI, desk, "> <@kairan:x> 安否確認\n> 1 無事です\n\n２", reply_to=message)
        elif way == "event":
            await found.street.send(AOKI, desk, "jp.kairan.safety.response",
                                    {"check_id": check.id, "status": "contact"})
        else:
            await found.verbs.answer(found.street.user(AOKI), check.id, Given(status=Status.CONTACT))
        assert await found.standing(check, AOKI) == "contact"
        figures = await found.figures(check)
        assert (figures["answered"], figures["contact"], figures["unread"], figures["total"]) == (1, 1, 4, 5)


async def test_reading_never_counts_as_an_answer(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        early = await found.street.say(AOKI, found.street.desk(AOKI), "こんにちは")
        check = await found.begin()
        desk, message, poll = await found.question(AOKI)
        await found.street.read(AOKI, desk, early)
        assert await found.standing(check, AOKI) == "unread"
        await found.street.read(AOKI, desk, message, "m.read.private")
        assert await found.standing(check, AOKI) == "unread"
        await found.street.read(AOKI, desk, poll)
        assert await found.standing(check, AOKI) == "read"
        await found.street.react(AOKI, desk, message, "👍")
        await found.street.say(AOKI, desk, "いま読みました")
        figures = await found.figures(check)
        assert (figures["answered"], figures["read"], figures["unread"]) == (0, 1, 4)


async def test_a_mind_may_change_and_the_history_is_kept(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, _, poll = await found.question(AOKI)
        await found.street.vote(AOKI, desk, poll, "help")
        await found.street.say(AOKI, desk, "1 もう大丈夫")
        assert await found.standing(check, AOKI) == "safe"
        history = await found.desk.history(found.chair, check.id, found.street.person(AOKI).id)
        assert [line.answer.status for line in history] == [Status.HELP, Status.SAFE]
        assert history[1].answer.comment == "1 もう大丈夫"


async def test_a_reaction_taken_back_takes_the_answer_back(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, message, _ = await found.question(AOKI)
        first = await found.street.react(AOKI, desk, message, "2️⃣")
        second = await found.street.react(AOKI, desk, message, "1️⃣")
        await found.street.take_back(AOKI, desk, second)
        assert await found.standing(check, AOKI) == "contact"
        await found.street.take_back(AOKI, desk, first)
        assert await found.standing(check, AOKI) == "unread"
        history = await found.desk.history(found.chair, check.id, found.street.person(AOKI).id)
        assert [line.withdrawn for line in history] == [True, True]


async def test_nobody_answers_for_somebody_else(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk, message, poll = await found.question(AOKI)
        with pytest.raises(Forbidden):
            await found.street.vote(INOUE, desk, poll, "safe")
        own = found.street.desk(INOUE)
        await found.street.vote(INOUE, own, poll, "help")
        await found.street.react(INOUE, own, message, "3️⃣")
        assert (await found.figures(check))["answered"] == 0


async def test_a_remark_is_kept_and_asked_back_about_once(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        desk = found.street.desk(AOKI)
        for text in ("水が出ません", "停電です"):
            await found.street.say(AOKI, desk, text)
            await found.verbs.follow_ups.send_receipts()
        assert len([body for body in await found.street.bodies(desk) if body.startswith("読みました。")]) == 1
        row = (await found.desk.people(found.chair, check.id))[0]
        assert (row.name, row.standing.value, row.current.comment) == (AOKI, "unread", "水が出ません\n停電です")


async def test_the_resident_gets_one_short_receipt(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        await found.begin()
        desk = found.street.desk(AOKI)
        await found.street.say(AOKI, desk, "2")
        await found.street.say(AOKI, desk, "1")
        await found.verbs.follow_ups.send_receipts()
        await found.verbs.follow_ups.send_receipts()
        told = [body for body in await found.street.bodies(desk) if body.startswith("届きました")]
        assert told == ["届きました 16:10（無事です）"]


async def test_officers_see_the_urgent_first(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        await found.street.say(AOKI, found.street.desk(AOKI), "無事")
        await found.street.say(INOUE, found.street.desk(INOUE), "連絡ください")
        await found.street.say(ETO, found.street.desk(ETO), "助けて")
        rows = await found.desk.people(found.chair, check.id)
        assert [(row.name, row.standing.value) for row in rows] == [
            (ETO, "help"), (INOUE, "contact"), (CHAIR, "unread"), (UEDA, "unread"), (AOKI, "safe"),
        ]


async def test_all_ways_end_in_one_row_a_household(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        node = found.street.node
        home = found.street.person(AOKI).household_id
        grandmother = await node.editor.add_person(node.node, home, "青木 ハナ")
        old = await node.person("岡田 五", "2班", account=False)
        check = await found.begin()
        assert (await found.figures(check))["no_app"] == 2
        await found.street.say(AOKI, found.street.desk(AOKI), "1")
        await found.verbs.enter(found.chair, check.id, [grandmother.id], Given(status=Status.CONTACT), CameBy.PHONE)
        await found.verbs.enter_for_household(
            found.chair, check.id, old.household_id, Given(status=Status.SAFE, people=1, comment="在宅"), CameBy.DOOR)
        table = await found.desk.table(found.chair, check.id)
        assert table.persons.as_content() == {
            "answered": 3, "help": 0, "contact": 1, "no_app": 0, "unread": 4, "read": 0, "safe": 2, "total": 7}
        assert table.households.as_content() == {
            "answered": 2, "help": 0, "contact": 1, "no_app": 0, "unread": 4, "read": 0, "safe": 1, "total": 6}
        assert [(line.name, line.persons.total) for line in table.blocks] == [("1班", 4), ("2班", 3)]
        row = next(row for row in await found.desk.people(found.chair, check.id) if row.name == "岡田 五")
        assert (row.current.channel, row.current.entered_by) == (CameBy.DOOR, found.chair)


async def test_visits_are_limited_to_doors_where_nobody_has_answered(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        await found.street.say(AOKI, found.street.desk(AOKI), "1")
        await found.street.say(UEDA, found.street.desk(UEDA), "3")
        doors = await found.desk.to_visit(found.chair, check.id)
        assert [(block.name, [door.household.name for door in homes]) for block, homes in doors] == [
            ("1班", [CHAIR, INOUE]), ("2班", [ETO])]


async def test_what_an_officer_enters_is_checked(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        await found.street.node.editor.give_role(found.chair, found.street.person(INOUE).id, Role.BLOCK_LEADER)
        check = await found.begin()
        leader, aoki, ueda = found.street.user(INOUE), found.street.person(AOKI).id, found.street.person(UEDA).id
        await found.verbs.enter(leader, check.id, [aoki], Given(status=Status.SAFE), CameBy.DOOR)
        assert {row.name for row in await found.desk.people(leader, check.id)} == {CHAIR, AOKI, INOUE}
        with pytest.raises(Forbidden):
            await found.verbs.enter(leader, check.id, [aoki, ueda], Given(status=Status.HELP), CameBy.DOOR)
        with pytest.raises(Forbidden):
            await found.verbs.enter(found.street.user(UEDA), check.id, [ueda], Given(status=Status.HELP), CameBy.APP)
        with pytest.raises(NotFound):
            await found.verbs.enter(found.chair, check.id, ["nobody"], Given(status=Status.SAFE), CameBy.PAPER)
        for bad in (Given(status=Status.SAFE, people=100), Given(status=Status.SAFE, comment="あ" * 1001),
                    Given(status=Status.SAFE, geo_uri="here")):
            with pytest.raises(InvalidParam):
                await found.verbs.enter(found.chair, check.id, [aoki], bad, CameBy.PAPER)
        figures = await found.figures(check)
        assert (figures["answered"], figures["safe"], figures["total"]) == (1, 1, 5)


async def test_somebody_new_can_still_be_written_down(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        new = await found.street.node.person("小川 六", "2班", account=False)
        await found.verbs.enter(found.chair, check.id, [new.id], Given(status=Status.SAFE), CameBy.DOOR)
        figures = await found.figures(check)
        assert (figures["safe"], figures["total"]) == (1, 6)


async def test_the_summary_follows_in_the_disaster_room(tmp_path: Path) -> None:
    async with checks(tmp_path / "node.db") as found:
        check = await found.begin()
        await found.street.say(AOKI, found.street.desk(AOKI), "1")
        await found.verbs.follow_ups.post_summaries()
        disaster = await found.street.room(found.street.node.members.hall_room(Purpose.DISASTER))
        counts = disaster.content(SUMMARY, check.id)["counts"]
        assert counts == await found.figures(check)
        assert AOKI not in str(disaster.content(SUMMARY, check.id))


async def test_the_figures_of_new_year_2024(tmp_path: Path) -> None:
    """The handbook's table, one hundredth of it: 15 asked, 9 answered (8 safe, 1 contact), 1 read, 5 unread."""
    people = [(f"会員 {number}", f"{number % 3 + 1}班") for number in range(14)]
    async with checks(tmp_path / "node.db", people) as found:
        check = await found.begin()
        names = [name for name, _ in people]
        for name in names[:8]:
            desk, _, poll = await found.question(name)
            await found.street.vote(name, desk, poll, "safe")
        await found.street.say(names[8], found.street.desk(names[8]), "連絡がほしい")
        desk, _, poll = await found.question(names[9])
        await found.street.read(names[9], desk, poll)
        assert await found.figures(check) == {
            "answered": 9, "help": 0, "contact": 1, "no_app": 0, "unread": 5, "read": 1, "safe": 8, "total": 15}
        assert check.audience == EVERYONE
