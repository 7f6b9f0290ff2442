"""Inquiries: asked in a 窓口, on paper, by telephone; answered at the desk or in 受付; never lost, never said twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.association.inquiries.model import MAX_TEXT, Photo, State
from server.association.members.came_by import CameBy
from server.association.members.model import Role
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from tests.association.inquiries.asking import ADDRESS, CHAIR, asking

AOKI = "青木 一"
PHOTO = Photo("mxc://sakura.example/gutter", "側溝.jpg", "image/jpeg")


async def test_what_is_written_in_a_desk_room_waits_in_the_inbox(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.street.say(AOKI, here.street.desk(AOKI), "側溝が つまっています")
        inquiry = here.only()
        assert (inquiry.state, inquiry.owner, inquiry.channel) == (State.OPEN, "", CameBy.APP)
        assert inquiry.person_id == here.street.person(AOKI).id
        assert await here.said() == [("resident", "側溝が つまっています")]
        told = (await here.in_reception())[-1]
        assert "側溝が つまっています" in told
        assert f"{ADDRESS}/desk/inquiries/{inquiry.id}" in told
        assert AOKI not in told


async def test_what_the_page_sends_is_the_same_with_photos(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ここです", [PHOTO])
        assert [(line.text, line.photo) for line in await here.lines()] == [("ここです", None), ("", PHOTO)]
        assert len(await here.in_reception()) == 2
        first = (await here.lines())[1]
        assert await here.inquiries.own_photo(here.street.user(AOKI), first.id) == PHOTO
        assert await here.inquiries.photo(here.chair, first.id) == PHOTO
        with pytest.raises(NotFound):
            await here.inquiries.own_photo(here.street.user("上田 三"), first.id)
        with pytest.raises(Forbidden):
            await here.inquiries.photo(here.street.user(AOKI), first.id)


async def test_what_others_understand_is_no_question_unless_it_is_asked_on_the_page(tmp_path: Path) -> None:
    texts = ["予約 集会所 12月5日", "無事です", "1", "２番です"]
    async with asking(tmp_path / "node.db") as here:
        for text in texts:
            await here.street.say(AOKI, here.street.desk(AOKI), text)
        assert here.inquiries.inbox(here.chair) == []
        for text in texts:
            await here.inquiries.ask(here.street.user(AOKI), text)
        assert await here.said() == [("resident", text) for text in texts]


async def test_an_answer_at_the_desk_stands_in_the_desk_room_and_in_reception(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ごみは いつですか")
        inquiry = here.only()
        await here.inquiries.take(here.chair, inquiry.id, inquiry.revision)
        assert here.only().state is State.TAKEN
        assert here.only().owner == here.chair
        await here.inquiries.answer(here.chair, inquiry.id, here.only().revision, "あしたです")
        assert here.only().state is State.ANSWERED
        assert await here.said() == [("resident", "ごみは いつですか"), ("officers", "あしたです")]
        desk = await here.at_desk_of(AOKI)
        assert [body for body in desk if "あしたです" in body] == ["【役員から】\nあしたです"]
        assert (await here.in_reception())[-1] == "【回答】\nあしたです"
        rings = [await here.rings(room_id) for room_id in (here.street.desk(AOKI), here.reception)]
        assert [shown.address for shown in rings] == ["/talk", f"/desk/inquiries/{inquiry.id}"]
        await here.inquiries.carry()
        assert len([body for body in await here.in_reception() if "あしたです" in body]) == 1


async def test_a_reply_in_the_thread_of_reception_reaches_the_resident_once(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "かぎは どこですか")
        await here.in_reception()
        root = here.only().thread
        relates = {"rel_type": "m.thread", "event_id": root}
        content: dict[str, object] = {"msgtype": "m.text", "body": "会館です", "m.relates_to": relates}
        await here.street.send(CHAIR, here.reception, "m.room.message", content)
        for _ in range(2):
            desk = await here.at_desk_of(AOKI)
        assert [body for body in desk if "会館です" in body] == ["【役員から】\n会館です"]
        assert await here.said() == [("resident", "かぎは どこですか"), ("officers", "会館です")]
        assert here.only().state is State.ANSWERED


async def test_talk_of_officers_outside_the_thread_stays_among_them(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "かぎは どこですか")
        await here.in_reception()
        await here.street.say(CHAIR, here.reception, "だれか 知っていますか")
        assert await here.said() == [("resident", "かぎは どこですか")]
        assert not any("だれか" in body for body in await here.at_desk_of(AOKI))


async def test_a_hand_in_reception_takes_a_question_and_a_tick_closes_it(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "かぎは どこですか")
        await here.in_reception()
        await here.street.react(CHAIR, here.reception, here.only().thread, "✋🏻")
        assert (here.only().state, here.only().owner) == (State.TAKEN, here.chair)
        await here.street.react(CHAIR, here.reception, here.only().thread, "✅")
        assert here.only().state is State.ANSWERED


async def test_who_writes_again_opens_the_same_question_again(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ごみは いつですか")
        await here.inquiries.answer(here.chair, here.only().id, here.only().revision, "あしたです")
        await here.inquiries.ask(here.street.user(AOKI), "何時まで ですか")
        assert here.only().state is State.OPEN
        await here.inquiries.close(here.chair, here.only().id, here.only().revision)
        await here.clock.advance(8 * 86_400)
        await here.inquiries.ask(here.street.user(AOKI), "こんどは 街灯です")
        assert len(here.inquiries.inbox(here.chair)) == 2


async def test_two_officers_answer_at_once_and_only_one_is_heard(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        second = await here.street.node.person("役員 二", roles=[Role.OFFICER])
        assert second.user_id is not None
        await here.inquiries.ask(here.street.user(AOKI), "ごみは いつですか")
        inquiry = here.only()
        results = await asyncio.gather(
            here.inquiries.answer(here.chair, inquiry.id, inquiry.revision, "あしたです"),
            here.inquiries.answer(second.user_id, inquiry.id, inquiry.revision, "あさってです"),
            return_exceptions=True,
        )
        refused = [fault for fault in results if fault is not None]
        assert [type(fault) for fault in refused] == [Refused]
        assert len([side for side, _ in await here.said() if side == "officers"]) == 1


async def test_a_question_that_came_while_the_officer_was_writing_is_read_first(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ごみは いつですか")
        seen = here.only()
        await here.inquiries.ask(here.street.user(AOKI), "もう 分かりました")
        with pytest.raises(Refused) as fault:
            await here.inquiries.answer(here.chair, seen.id, seen.revision, "あしたです")
        assert fault.value.status == 412
        assert [side for side, _ in await here.said()] == ["resident", "resident"]


async def test_a_question_by_telephone_has_the_same_life(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        person = await here.street.node.person("電話 のみ", account=False)
        inquiry = await here.inquiries.enter(here.chair, "街灯が きれています", CameBy.PHONE, person_id=person.id)
        assert "街灯が きれています" in (await here.in_reception())[-1]
        await here.inquiries.answer(here.chair, inquiry.id, here.only().revision, "市に 言いました")
        assert here.only().state is State.ANSWERED
        assert await here.said() == [("resident", "街灯が きれています"), ("officers", "市に 言いました")]
        assert (await here.in_reception())[-1] == "【回答】\n市に 言いました"
        stranger = await here.inquiries.enter(here.chair, "道を 聞かれました", CameBy.DOOR, asker="通りの人")
        assert stranger.asker == "通りの人"
        with pytest.raises(InvalidParam):
            await here.inquiries.enter(here.chair, "だれ", CameBy.PHONE)
        with pytest.raises(InvalidParam):
            await here.inquiries.enter(here.chair, "x" * (MAX_TEXT + 1), CameBy.PHONE, person_id=person.id)


async def test_residents_see_their_own_talk_only_and_no_inbox(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ひみつの 相談")
        assert (await here.inquiries.talk(here.street.user("上田 三")))[1] == []
        assert len((await here.inquiries.talk(here.street.user(AOKI)))[1]) == 1
        for forbidden in (
            here.inquiries.one(here.street.user("上田 三"), here.only().id),
            here.inquiries.answer(here.street.user("上田 三"), here.only().id, 1, "わたしです"),
            here.inquiries.enter(here.street.user("上田 三"), "x", CameBy.PAPER, asker="x"),
        ):
            with pytest.raises(Forbidden):
                await forbidden
        with pytest.raises(Forbidden):
            here.inquiries.inbox(here.street.user("上田 三"))
        assert here.inquiries.waiting(here.street.user("上田 三")) == 0


async def test_a_restart_finds_everything_and_says_nothing_twice(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        await here.inquiries.ask(here.street.user(AOKI), "ごみは いつですか")
        before = here.only()
    async with asking(tmp_path / "node.db") as here:
        told = await here.in_reception()
        assert len([body for body in told if "ごみは いつですか" in body]) == 1
        assert (here.only().id, here.only().state) == (before.id, State.OPEN)
        await here.inquiries.answer(here.chair, before.id, here.only().revision, "あしたです")
    async with asking(tmp_path / "node.db") as here:
        assert len([body for body in await here.in_reception() if "あしたです" in body]) == 1
        assert here.only().state is State.ANSWERED


async def test_what_is_taken_back_is_gone_on_both_sides(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        said = await here.street.say(AOKI, here.street.desk(AOKI), "まちがえて 書きました")
        await here.in_reception()
        await here.street.take_back(AOKI, here.street.desk(AOKI), said)
        assert not any("まちがえて" in body for body in await here.in_reception())
        assert [(line.text, line.is_gone) for line in await here.lines()] == [("", True)]


async def test_who_leaves_the_association_leaves_no_question_in_the_tables(tmp_path: Path) -> None:
    async with asking(tmp_path / "node.db") as here:
        person = await here.street.node.person("電話 のみ", account=False)
        await here.inquiries.enter(here.chair, "街灯が きれています", CameBy.PHONE, person_id=person.id)
        async with here.street.node.editor.editing() as edit:
            edit.drop_person(person.id)
        assert here.inquiries.inbox(here.chair) == []
    async with asking(tmp_path / "node.db") as here:
        assert here.inquiries.inbox(here.chair) == []
