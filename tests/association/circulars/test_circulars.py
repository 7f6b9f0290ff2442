"""Circulars from the post to the last household."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.circulars.model import MAX_TEXT, Attachment, Letter, State, message_content
from server.association.members.model import EVERYONE, OFFICERS, Audience, Role
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.rooms.send_event import Draft
from tests.association.circulars.going_round import CHAIR, PDF, PHOTO, going_round

AOKI, INOUE, UEDA = "青木 一", "井上 二", "上田 三"


async def test_a_circular_is_a_message_with_its_files_in_the_thread(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post(deadline=found.clock.now_ms() + 86_400_000, attachments=(PDF, PHOTO))
        assert await found.shown(circular) == (
            "【回覧】清掃のお知らせ\n\n日曜の朝8時に公園へ\n\n期限：2024年1月2日\nファイル：案内.pdf、写真.jpg\n"
            "読んだら ✅ をつけてください。")
        root = await found.message(circular)
        room = await found.street.room(found.hall)
        files = [entry.event.content for entry in room.timeline
                 if entry.event.content.get("m.relates_to", {}).get("event_id") == root]
        assert [(content["msgtype"], content["url"], content["m.relates_to"]["rel_type"]) for content in files] == [
            ("m.file", PDF.url, "m.thread"), ("m.image", PHOTO.url, "m.thread")]
        item = await found.reader.one(found.street.user(AOKI), circular.id)
        assert item.circular == circular
        assert (item.is_unread, item.is_acknowledged) == (True, False)


async def test_seen_opened_and_acknowledged_are_three_things(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        before = await found.street.send(CHAIR, found.hall, "m.room.message", {"msgtype": "m.text", "body": "前"})
        circular = await found.post()
        message = await found.message(circular)
        await found.street.read(CHAIR, found.hall, before)
        await found.street.read(AOKI, found.hall, message)
        await found.street.read(INOUE, found.hall, message, "m.read.private")
        assert await found.progress(circular) == {AOKI: "seen"}
        assert not (await found.reader.one(found.street.user(INOUE), circular.id)).is_unread
        await found.circulars.note_opened(found.street.user(AOKI), circular.id)
        await found.street.send(INOUE, found.hall, "jp.kairan.circular.opened", {"circular_id": circular.id})
        await found.street.react(UEDA, found.hall, message, "👍")
        await found.circulars.acknowledge(found.chair, circular.id)
        assert await found.progress(circular) == {
            AOKI: "opened", INOUE: "opened", UEDA: "acknowledged", CHAIR: "acknowledged"}
        assert found.street.desk(AOKI) != found.hall
        room = await found.street.room(found.hall)
        opened = [entry for entry in room.timeline if entry.event.type == "jp.kairan.circular.opened"]
        assert [entry.event.sender for entry in opened] == [found.street.user(INOUE)]


async def test_other_reactions_acknowledge_nothing_and_a_mark_can_be_taken_back(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        message = await found.message(circular)
        await found.street.react(AOKI, found.hall, message, "😢")
        await found.street.react(AOKI, found.hall, "$unknown", "✅")
        assert await found.progress(circular) == {}
        first = await found.street.react(AOKI, found.hall, message, "✅")
        second = await found.street.react(AOKI, found.hall, message, "👍🏽")
        await found.street.take_back(AOKI, found.hall, first)
        assert await found.progress(circular) == {AOKI: "acknowledged"}
        await found.street.take_back(AOKI, found.hall, second)
        assert await found.progress(circular) == {}


async def test_pressing_twice_is_pressing_once(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        for _ in range(2):
            await found.circulars.acknowledge(found.street.user(AOKI), circular.id)
            await found.circulars.note_opened(found.street.user(AOKI), circular.id)
        room = await found.street.room(found.hall)
        assert [entry.event.type for entry in room.timeline].count("m.reaction") == 1


async def test_a_household_counts_once_and_paper_counts(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        node = found.street.node
        home = found.street.person(AOKI).household_id
        await node.editor.add_person(node.node, home, "青木 ハナ")
        old = await node.person("岡田 五", "2班", account=False)
        circular = await found.post()
        await found.circulars.acknowledge(found.street.user(AOKI), circular.id)
        await found.circulars.enter_paper(found.chair, circular.id, old.household_id)
        await found.circulars.enter_paper(found.chair, circular.id, old.household_id)
        reach = await found.reader.reach(found.chair, circular.id)
        assert (reach.persons.total, reach.persons.reached, reach.households.total, reach.households.reached) == (
            6, 2, 5, 2)
        assert {row.household.name: row.progress.value for row in reach.rows if row.progress.value != "not_yet"} == {
            AOKI: "acknowledged", "岡田 五": "paper"}
        await found.circulars.take_paper_back(found.chair, circular.id, old.household_id)
        assert (await found.reader.reach(found.chair, circular.id)).households.reached == 1


async def test_a_correction_replaces_the_text_and_the_files(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post(attachments=(PDF,))
        letter = Letter(title="清掃のお知らせ", text="朝9時からです", audience=EVERYONE, attachments=(PHOTO,))
        changed = await found.circulars.correct(found.chair, circular.id, letter, reason="時刻のまちがい")
        assert (changed.state, changed.revision) == (State.CORRECTED, 2)
        shown = (await found.shown(circular)).splitlines()
        assert shown[:4] == ["【回覧・訂正】清掃のお知らせ", "（時刻のまちがい）", "", "朝9時からです"]
        item = await found.reader.one(found.street.user(AOKI), circular.id)
        assert item.circular == changed
        room = await found.street.room(found.hall)
        urls = [entry.event.content.get("url") for entry in room.timeline if entry.event.content.get("url")]
        assert urls == [PHOTO.url]


async def test_a_withdrawn_circular_says_so_and_its_files_are_gone(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post(attachments=(PDF,))
        await found.circulars.withdraw(found.chair, circular.id, reason="雨で中止")
        assert await found.shown(circular) == (
            "【回覧・取り消し】清掃のお知らせ\nこの回覧は取り消されました。\n雨で中止")
        room = await found.street.room(found.hall)
        assert not [entry for entry in room.timeline if entry.event.content.get("url")]
        item = await found.reader.one(found.street.user(AOKI), circular.id)
        assert (item.circular.state, item.circular.reason) == (State.WITHDRAWN, "雨で中止")
        with pytest.raises(Refused):
            await found.circulars.call_back(found.chair, circular.id)


async def test_a_circular_comes_back_by_hand_or_at_its_deadline(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post(deadline=found.clock.now_ms() + 1000)
        assert circular.state_at(found.clock.now_ms()) is State.GOING_ROUND
        assert circular.state_at(found.clock.now_ms() + 1001) is State.RETURNED
        assert (await found.circulars.call_back(found.chair, circular.id)).state is State.RETURNED
        with pytest.raises(Refused):
            await found.circulars.call_back(found.chair, circular.id)


async def test_a_circular_for_blocks_goes_to_their_rooms_and_counts_as_one(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        blocks = found.street.node.members.blocks()
        both = await found.post(title="両方", audience=Audience.blocks([block.id for block in blocks]))
        second = await found.post(title="2班だけ", audience=Audience.blocks([blocks[1].id]))
        assert await found.titles(AOKI) == ["両方"]
        assert sorted(await found.titles(UEDA)) == ["2班だけ", "両方"]
        with pytest.raises(NotFound):
            await found.reader.one(found.street.user(AOKI), second.id)
        with pytest.raises(NotFound):
            await found.circulars.acknowledge(found.street.user(AOKI), second.id)
        for name, block in ((AOKI, blocks[0]), (UEDA, blocks[1])):
            room_id = found.street.node.members.block_room(block.id) or ""
            await found.street.react(name, room_id, await found.message(both, room_id), "✅")
        reach = await found.reader.reach(found.chair, both.id)
        assert (reach.persons.reached, reach.persons.total) == (2, 4)
        page = await found.reader.all(found.chair)
        assert len(page.items) == 2


async def test_groups_and_officers_have_circulars_of_their_own(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        node = found.street.node
        group = await node.editor.add_group(node.node, "子ども会")
        await node.editor.set_in_group(node.node, group.id, found.street.person(UEDA).id, inside=True)
        await found.post(title="子ども会へ", audience=Audience.groups([group.id]))
        await found.post(title="役員へ", audience=OFFICERS)
        assert await found.titles(UEDA) == ["子ども会へ"]
        assert await found.titles(CHAIR) == ["役員へ"]
        assert await found.titles(AOKI) == []


async def test_the_list_is_newest_first_page_by_page(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        for number in range(5):
            await found.post(title=f"第{number}号")
            await found.clock.advance(1 if number % 2 else 0)
        seen: list[str] = []
        after: str | None = None
        for _ in range(3):
            page = await found.reader.page(found.street.user(AOKI), limit=2, after=after)
            seen += [item.circular.title for item in page.items]
            after = page.next
        assert sorted(seen) == [f"第{number}号" for number in range(5)]
        assert after is None
        assert seen[0] == "第4号"
        assert (await found.reader.page(found.street.user(AOKI), after="junk")).items


async def test_search_finds_words_of_two_letters(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        await found.post(title="清掃のお知らせ", text="ごみ袋を持って公園へ")
        await found.post(title="秋まつり", text="100% 手作り、屋台も_あります")
        assert await found.titles(AOKI, "公園") == ["清掃のお知らせ"]
        assert await found.titles(AOKI, "まつり 屋台") == ["秋まつり"]
        assert await found.titles(AOKI, "公園 屋台") == []
        assert await found.titles(AOKI, "0%") == ["秋まつり"]
        assert await found.titles(AOKI, "も_") == ["秋まつり"]
        assert await found.titles(AOKI, "%%") == []
        assert len(await found.titles(AOKI, " ")) == 2


async def test_who_may_not_and_what_cannot_be_posted(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        await found.street.node.editor.give_role(found.chair, found.street.person(UEDA).id, Role.BLOCK_LEADER)
        first, second = found.street.node.members.blocks()
        leader = found.street.user(UEDA)
        letter = Letter(title="班だより", text="こんにちは", audience=Audience.blocks([second.id]))
        own = await found.circulars.post(leader, letter)
        for audience in (EVERYONE, Audience.blocks([first.id, second.id])):
            with pytest.raises(Forbidden):
                await found.circulars.post(leader, Letter(title="x", text="y", audience=audience))
        with pytest.raises(Forbidden):
            await found.circulars.post(found.street.user(AOKI), letter)
        with pytest.raises(Forbidden):
            await found.circulars.withdraw(found.street.user(AOKI), own.id)
        with pytest.raises(Forbidden):
            await found.reader.reach(found.street.user(AOKI), own.id)
        with pytest.raises(NotFound):
            await found.circulars.withdraw(found.chair, "no-such-circular")
        bad_file = Attachment("https://elsewhere.example/x", "x")
        for bad in ({"title": " "}, {"title": "あ\nい"}, {"text": ""}, {"text": "あ" * (MAX_TEXT + 1)},
                    {"attachments": (bad_file,)}, {"deadline": 5}):
            with pytest.raises(InvalidParam):
                await found.post(**bad)
        with pytest.raises(NotFound):
            await found.post(audience=Audience.groups(["no-such-group"]))
        assert await found.titles(AOKI) == []


async def test_a_leader_sees_the_households_of_their_own_block_and_the_figures_of_all(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        await found.street.node.editor.give_role(found.chair, found.street.person(UEDA).id, Role.BLOCK_LEADER)
        circular = await found.post()
        await found.circulars.acknowledge(found.street.user(AOKI), circular.id)
        reach = await found.reader.reach(found.street.user(UEDA), circular.id)
        assert {row.block for row in reach.rows} == {"2班"}
        everybody = await found.reader.reach(found.chair, circular.id)
        assert {row.block for row in everybody.rows} == {"1班", "2班"}
        assert (reach.persons, reach.households) == (everybody.persons, everybody.households)


async def test_the_longest_circular_still_fits_into_an_event_and_its_correction(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        files = tuple(Attachment(f"mxc://sakura.example/{number:040}", f"{number}枚目の写真.jpg", "image/jpeg", 10**7)
                      for number in range(20))
        circular = await found.post(title="あ" * 100, text="漢" * MAX_TEXT, attachments=files)
        letter = Letter(title="あ" * 100, text="字" * MAX_TEXT, audience=EVERYONE, attachments=files)
        await found.circulars.correct(found.chair, circular.id, letter, reason="あ" * 500)
        assert "字" * MAX_TEXT in await found.shown(circular)


async def test_a_resident_cannot_make_up_a_circular(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        forged = message_content(circular)
        forged["jp.kairan.circular"] = {**forged["jp.kairan.circular"], "id": "forged"}
        block = found.street.node.members.block_room(found.street.node.members.blocks()[0].id) or ""
        await found.street.send(AOKI, block, "m.room.message", forged)
        assert await found.titles(AOKI) == [circular.title]


async def test_what_a_killed_node_was_delivering_is_delivered_once(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        node = found.street.node
        blocks = Audience.blocks([block.id for block in node.members.blocks()])
        room_ids = node.members.rooms_for(blocks)
        # A node with a circular for two rooms dies when one of them has the message without its file.
        circular = await found.post(title="両方")
        content = message_content(circular)
        content["jp.kairan.circular"] |= {"id": "half", "audience": blocks.as_json(), "attachments": [PDF.as_json()]}
        await node.sender.send(Draft(room_ids[0], node.node, "m.room.message", content))
    async with going_round(tmp_path / "node.db") as found:
        for _ in range(2):
            await found.circulars.deliver_lately_changed()
        for room_id in room_ids:
            bodies = await found.street.bodies(room_id)
            assert [body.splitlines()[0] for body in bodies] == ["【回覧】両方", "案内.pdf"]
        assert len(await found.street.bodies(found.hall)) == 1


async def test_marks_and_circulars_are_there_after_a_restart(tmp_path: Path) -> None:
    async with going_round(tmp_path / "node.db") as found:
        circular = await found.post()
        message = await found.message(circular)
        await found.street.react(AOKI, found.hall, message, "✅")
        await found.street.read(INOUE, found.hall, message)
    async with going_round(tmp_path / "node.db") as found:
        assert await found.progress(circular) == {AOKI: "acknowledged", INOUE: "seen"}
        await found.street.react(UEDA, found.hall, message, "✅")
        assert (await found.progress(circular))[UEDA] == "acknowledged"
