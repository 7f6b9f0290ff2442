"""Giving away, asking without a name, waiting for a yes, reports and what officers decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.board.holding import hold_back
from server.association.board.model import Category, Post, Rules, State, Waiting, Writing
from server.association.members.model import Purpose
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.rooms.send_event import Draft
from tests.association.neighbours import CHAIR, HANAKO, ICHIRO, MINORU, MISAKI, PHOTO, Neighbours, neighbours

QUESTION = Writing(category=Category.QUESTION, title="となりの音", text="どうすれば いいですか", photos=(PHOTO,))


async def desk(here: Neighbours, name: str) -> list[str]:
    return await here.street.bodies(here.street.desk(name))


async def test_a_thing_goes_from_offer_to_hand(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        hanako, ichiro, misaki = (here.user(name) for name in (HANAKO, ICHIRO, MISAKI))
        post = await here.write(HANAKO, "ベビーカー", category=Category.GIVE)
        await here.giving.ask(ichiro, post.id, "きょう 取りに行けます")
        await here.giving.ask(ichiro, post.id)
        await here.giving.ask(misaki, post.id)
        assert [item.user_id for item in await here.giving.requests(hanako, post)] == [ichiro, misaki]
        assert [item.user_id for item in await here.giving.requests(misaki, post)] == [misaki]
        assert await here.giving.requests(here.user(MINORU), post) == []
        asked = [text for text in await desk(here, HANAKO) if "ほしい人" in text]
        assert len(asked) == 2
        assert "取りに行けます" in asked[0]
        assert not any("ほしい" in str(content) for content in await here.said(here.room_id))
        with pytest.raises(Forbidden):
            await here.giving.promise(ichiro, post.id, ichiro)
        with pytest.raises(NotFound):
            await here.giving.promise(hanako, post.id, here.user(MINORU))
        await here.giving.promise(hanako, post.id, misaki)
        post, _ = await here.reader.one(hanako, post.id)
        assert post.state is State.PROMISED
        assert "あなたにゆずることに" in (await desk(here, MISAKI))[-1]
        with pytest.raises(InvalidParam, match="決まりました"):
            await here.giving.ask(here.user(MINORU), post.id)
    async with neighbours(tmp_path) as here:
        await here.giving.hand_over(here.user(HANAKO), post.id)
        assert "ほかの人に" in (await desk(here, ICHIRO))[-1]
        assert await here.titles(CHAIR) == []
        assert (await here.reader.own(here.user(HANAKO)))[0][0].state is State.HANDED_OVER
        edit = (await here.said(here.room_id))[-1]["m.new_content"]
        assert edit["body"] == "【譲ります】ベビーカー\n（ゆずりました）"


async def test_a_promise_comes_to_nothing_and_others_may_ask_again(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        hanako, ichiro = here.user(HANAKO), here.user(ICHIRO)
        post = await here.write(HANAKO, "机", category=Category.GIVE)
        with pytest.raises(Forbidden):
            await here.giving.ask(hanako, post.id)
        await here.giving.ask(ichiro, post.id)
        await here.giving.promise(hanako, post.id, ichiro)
        await here.giving.take_back(ichiro, post.id)
        post, _ = await here.reader.one(hanako, post.id)
        assert (post.state, await here.giving.requests(hanako, post)) == (State.OPEN, [])
        await here.giving.ask(here.user(MISAKI), post.id)
        await here.giving.promise(hanako, post.id, here.user(MISAKI))
        await here.giving.offer_again(hanako, post.id)
        post, _ = await here.reader.one(hanako, post.id)
        assert (post.state, (await here.giving.requests(hanako, post))[0].is_granted) == (State.OPEN, False)
        other = await here.write(HANAKO)
        with pytest.raises(NotFound):
            await here.giving.ask(ichiro, other.id)


async def test_a_question_without_a_name_is_known_to_officers_who_look(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        hanako, chair = here.user(HANAKO), here.user(CHAIR)
        with pytest.raises(Forbidden):
            await here.board.write(hanako, QUESTION, anonymous=True)
        with pytest.raises(Forbidden):
            await here.moderation.set_rules(hanako, Rules(anonymous=True))
        await here.moderation.set_rules(chair, Rules(anonymous=True))
        with pytest.raises(Forbidden):
            await here.write(HANAKO, anonymous=True)
        post = await here.board.write(hanako, QUESTION, anonymous=True)
        assert isinstance(post, Post)
        assert (post.author, post.is_anonymous) == (here.street.node.node, True)
        await here.board.comment(hanako, post.id, "夜の10時からです")
        room = await here.street.room(here.room_id)
        said = [item.event for item in room.timeline if item.event.type == "m.room.message"]
        assert {event.sender for event in said} == {here.street.node.node}
        assert not any(hanako in str(event.content) or "猫" in str(event.content) for event in said)
        _, (comment,) = await here.reader.one(here.user(ICHIRO), post.id)
        assert (comment.by_author, comment.text) == (True, "夜の10時からです")
        with pytest.raises(Forbidden):
            await here.moderation.look_at_author(here.user(ICHIRO), post.id)
        assert await here.moderation.look_at_author(chair, post.id) == hanako
        (look,) = await here.street.node.members.looks(here.user(ICHIRO))
        assert (look.viewer, look.what) == (chair, "掲示板で、名前を出さずに質問した人")
        assert [item.id for item in (await here.reader.own(hanako))[0]] == [post.id]
        assert (await here.reader.own(here.user(ICHIRO)))[0] == []
        with pytest.raises(Forbidden):
            await here.board.withdraw(here.user(ICHIRO), post.id)
        await here.board.withdraw(hanako, post.id)
        assert await here.titles(ICHIRO) == []
        await here.moderation.forget(hanako)
        with pytest.raises(NotFound):
            await here.moderation.look_at_author(chair, post.id)


async def test_posts_wait_for_a_yes_where_officers_want_it(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        hanako, chair = here.user(HANAKO), here.user(CHAIR)
        await here.moderation.set_rules(chair, Rules(approve=True))
        first, second = [
            await here.board.write(hanako, Writing(category=Category.TALK, title=title, text="x")) for title in "ab"
        ]
        assert isinstance(first, Waiting)
        assert isinstance(second, Waiting)
        assert await here.said(here.room_id) == []
        told = await here.said(here.street.node.members.hall_room(Purpose.RECEPTION))
        assert "確認を待っている" in told[0]["body"]
        assert {item.id for item in await here.moderation.waiting(chair)} == {first.id, second.id}
        assert len((await here.reader.own(hanako))[1]) == 2
        with pytest.raises(Forbidden):
            await here.moderation.approve(hanako, first.id)
        with pytest.raises(InvalidParam):
            await here.moderation.decline(chair, second.id, "")
        await here.moderation.decline(chair, second.id, "広告です")
        assert "理由：広告です" in (await desk(here, HANAKO))[-1]
        post = await here.moderation.approve(chair, first.id)
        assert (post.id, post.author) == (first.id, hanako)
        for verb in (here.moderation.approve(chair, first.id), here.moderation.decline(chair, first.id, "x")):
            with pytest.raises(InvalidParam, match="もう決めました"):
                await verb
        assert await here.moderation.waiting(chair) == []
        assert isinstance(await here.write(CHAIR, "役員から"), Post)


async def test_what_a_client_says_waits_for_a_yes_too(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        chair, members = here.user(CHAIR), here.street.node.members
        await here.moderation.set_rules(chair, Rules(approve=True))
        said = await here.street.say(HANAKO, here.room_id, "机を ゆずります")
        await here.street.say(CHAIR, here.room_id, "役員です")
        assert await here.titles(CHAIR) == ["役員です"]
        (held,) = here.held
        assert (held.event_id, held.author) == (said, here.user(HANAKO))
        await hold_back(members, here.street.node.sender, held)
        await hold_back(members, here.street.node.sender, held)
        assert [content.get("body") for content in await here.said(here.room_id)] == [None, "役員です"]
        assert "確認してから" in (await desk(here, HANAKO))[-1]
        (item,) = await here.moderation.waiting(chair)
        await here.moderation.approve(chair, item.id)
        assert set(await here.titles(ICHIRO)) == {"机を ゆずります", "役員です"}
        (post,) = (await here.reader.own(here.user(HANAKO)))[0]
        assert post.author == here.user(HANAKO)
        await here.street.say(ICHIRO, here.room_id, "ほしいです", post.event_id)
        assert len(here.held) == 1
        await here.moderation.set_rules(chair, Rules(officers_only=frozenset({Category.TALK})))
        await here.street.say(HANAKO, here.room_id, "また")
        assert len(here.held) == 2


async def test_a_category_may_be_for_officers_only(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        rules = Rules(officers_only=frozenset({Category.NEWS}))
        await here.moderation.set_rules(here.user(CHAIR), rules)
        assert await here.board.rules() == rules
        with pytest.raises(Forbidden, match="役員だけ"):
            await here.write(HANAKO, category=Category.NEWS)
        await here.write(CHAIR, category=Category.NEWS)
        await here.write(HANAKO, category=Category.LOST)


async def test_what_is_reported_is_kept_or_removed_with_a_reason(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        chair = here.user(CHAIR)
        post = await here.write(HANAKO, photos=(PHOTO,))
        await here.board.comment(here.user(ICHIRO), post.id, "ばか")
        _, (comment,) = await here.reader.one(chair, post.id)
        with pytest.raises(InvalidParam):
            await here.board.report(here.user(MISAKI), post.id, "")
        await here.board.report(here.user(MISAKI), post.id, "名前が のっています")
        await here.board.report(here.user(MISAKI), post.id, "ひどい", comment.event_id)
        found = {item.event_id: item for item in await here.moderation.reported(chair)}
        told = found[post.event_id]
        assert (told.post, told.comment, told.reasons) == (post, None, ("名前が のっています",))
        assert found[comment.event_id].comment == comment
        with pytest.raises(Forbidden):
            await here.moderation.reported(here.user(MISAKI))
        with pytest.raises(InvalidParam):
            await here.moderation.remove(chair, post.id, comment.event_id, " ")
        await here.moderation.remove(chair, post.id, comment.event_id, "ことばが ひどいです")
        (last,) = (await desk(here, ICHIRO))[-1:]
        assert "「ねこを さがしています」のコメントを、役員がけしました。\n理由：ことばが" in last
        await here.moderation.keep(chair, post.id, post.event_id, "問題ありません")
        assert await here.moderation.reported(chair) == []
        await here.moderation.remove(chair, post.id, post.event_id, "ほかの人の名前")
        assert {(item.action, item.reason) for item in await here.moderation.decisions(chair)} == {
            ("remove", "ことばが ひどいです"), ("keep", "問題ありません"), ("remove", "ほかの人の名前")}
        (gone,) = await here.moderation.removed(chair)
        assert (gone.reason, gone.closed_by, gone.writing.text) == ("ほかの人の名前", chair, "白い猫です。")
        assert not any("猫" in str(content) for content in await here.said(here.room_id))
        assert await here.titles(HANAKO) == []
        with pytest.raises(InvalidParam, match="もう"):
            await here.moderation.remove(chair, post.id, post.event_id, "x")


async def test_what_many_households_find_wrong_is_hidden_until_somebody_decides(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO)
        for name in (ICHIRO, MISAKI, MISAKI, MINORU):
            assert len(await here.titles(MINORU)) == 1
            await here.board.report(here.user(name), post.id, "うそ")
        assert await here.titles(MINORU) == []
        with pytest.raises(NotFound):
            await here.reader.one(here.user(MINORU), post.id)
        assert (await here.reader.search(here.user(MINORU), "白い")).posts == []
        assert (await here.reader.one(here.user(HANAKO), post.id))[0] == post
        await here.moderation.keep(here.user(CHAIR), post.id, post.event_id, "")
        assert len(await here.titles(MINORU)) == 1


async def test_an_officer_removes_it_in_their_own_client(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO)
        content = {"reason": "宣伝です"}
        draft = Draft(here.room_id, here.user(CHAIR), "m.room.redaction", content, redacts=post.event_id)
        await here.street.node.sender.send(draft)
        (gone,) = await here.moderation.removed(here.user(CHAIR))
        assert (gone.id, gone.reason) == (post.id, "宣伝です")
        assert await here.titles(HANAKO) == []
