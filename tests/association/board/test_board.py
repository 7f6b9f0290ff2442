"""The board: posts and comments from pages and from clients, taking back, searching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.association.board.contents import POST, comment_content, post_content
from server.association.board.model import Category, State, Writing
from server.association.hazards.contents import report_content
from server.association.hazards.model import HazardKind, Sight
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.notifications.web_push_words import shown_of
from tests.association.neighbours import CHAIR, HANAKO, ICHIRO, MISAKI, OTHER_PHOTO, PHOTO, neighbours


async def test_a_post_is_a_readable_message_with_its_photos_in_the_thread(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO, photos=(PHOTO, OTHER_PHOTO), place="中央公園")
        text, first, second = await here.said(here.room_id)
        assert text["body"] == "【さがしもの】ねこを さがしています\n白い猫です。\n場所：中央公園"
        assert (first["msgtype"], first["url"], second["url"]) == ("m.image", PHOTO.url, OTHER_PHOTO.url)
        assert first["m.relates_to"]["event_id"] == post.event_id
        assert post.writing.photos == (PHOTO, OTHER_PHOTO)
        assert (post.author, post.state, post.is_anonymous) == (here.user(HANAKO), State.OPEN, False)
    async with neighbours(tmp_path) as here:
        assert await here.reader.one(here.user(MISAKI), post.id) == (post, [])
        assert await here.titles(MISAKI) == ["ねこを さがしています"]
        assert await here.titles(MISAKI, Category.GIVE) == []


async def test_a_notification_leads_to_the_post_and_photos_bring_none_of_their_own(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO, photos=(PHOTO,))
        album = await here.gallery.begin(here.user(HANAKO), "夏まつり")
        await here.gallery.add(here.user(HANAKO), album.id, [PHOTO], has_consent=True)
        strange: dict[str, object] = {"msgtype": "m.text", "body": "x", POST: {"id": "../../logout"}}
        await here.street.send(ICHIRO, here.room_id, "m.room.message", strange)
        seen = report_content(Sight(HazardKind.ROAD, "坂の上"))
        hazard = await here.street.send(ICHIRO, here.room_id, "m.room.message", seen)
        room = await here.street.room(here.room_id)
        said = [item for item in room.timeline if item.event.type == "m.room.message"]
        shown = [shown_of(room, item, "ja", is_ours=False) for item in said]
        addresses = [item and item.address for item in shown]
        assert addresses == [f"/board/{post.id}", None, f"/gallery/{album.id}", None, "/", f"/hazards/{hazard[1:]}"]


async def test_what_a_client_simply_says_is_a_post_and_its_replies_are_comments(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        said = await here.street.say(HANAKO, here.room_id, "公園の木が たおれています\n気をつけて")
        reply = await here.street.say(ICHIRO, here.room_id, "> <@x> 公園\n\nありがとう", said)
        await here.street.say(MISAKI, here.room_id, "見ました", reply)
        thread = comment_content("市に 電話しました", said)
        await here.street.send(MISAKI, here.room_id, "m.room.message", thread)
        (post,) = (await here.reader.page(here.user(CHAIR))).posts
        assert (post.writing.title, post.writing.category) == ("公園の木が たおれています", Category.TALK)
        _, comments = await here.reader.one(here.user(CHAIR), post.id)
        assert [item.text for item in comments] == ["ありがとう", "見ました", "市に 電話しました"]
        assert (await here.reader.page(here.user(CHAIR))).comments == {said: 3}
        await here.street.take_back(ICHIRO, here.room_id, reply)
        _, comments = await here.reader.one(here.user(CHAIR), post.id)
        assert [item.text for item in comments] == ["見ました", "市に 電話しました"]


async def test_numbers_and_what_other_features_say_are_no_posts(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        await here.street.say(HANAKO, here.room_id, "2番です")
        await here.street.say(HANAKO, here.street.desk(HANAKO), "やあ")
        await here.street.send(HANAKO, here.room_id, "m.room.message", {
            "msgtype": "m.text", "body": "写真", "jp.kairan.gallery.album": {}})
        assert await here.titles(CHAIR) == []


async def test_a_client_edits_its_own_words_and_nobody_elses(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        said = await here.street.say(HANAKO, here.room_id, "あした やります")
        for name, words in ((ICHIRO, "うそです"), (HANAKO, "あさって やります")):
            await here.street.send(name, here.room_id, "m.room.message", {
                "msgtype": "m.text", "body": f"* {words}", "m.new_content": {"msgtype": "m.text", "body": words},
                "m.relates_to": {"rel_type": "m.replace", "event_id": said},
            })
        (post,) = (await here.reader.page(here.user(CHAIR))).posts
        assert post.writing.text == "あさって やります"


async def test_nobody_takes_anothers_id_and_nobody_but_the_node_is_nameless(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO)
        forged = post_content(post.id, Writing(category=Category.GIVE, title="うそ", text="うそ"))
        await here.street.send(ICHIRO, here.room_id, "m.room.message", forged)
        await here.street.send(ICHIRO, here.room_id, "m.room.message", {
            "msgtype": "m.text", "body": "* うそ", "m.new_content": forged,
            "m.relates_to": {"rel_type": "m.replace", "event_id": post.event_id}})
        assert (await here.reader.one(here.user(CHAIR), post.id))[0] == post
        nameless = post_content("abc", Writing(category=Category.QUESTION, title="だれ", text="だれ"), anonymous=True)
        await here.street.send(ICHIRO, here.room_id, "m.room.message", nameless)
        assert not (await here.reader.one(here.user(CHAIR), "abc"))[0].is_anonymous
        wrong: list[dict[str, Any]] = [
            {"id": "../x"}, {"category": "x"}, {"title": ""}, {"photos": [{"url": "http://x"}]}, {"state": "removed"},
        ]
        for part in wrong:
            content: dict[str, object] = {
                "msgtype": "m.text", "body": "x", POST: {**forged[POST], "id": "fresh", **part},
            }
            await here.street.send(ICHIRO, here.room_id, "m.room.message", content)
        assert len(await here.titles(CHAIR)) == 2


async def test_a_post_of_the_category_that_there_was_for_dangers_is_news(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        content = post_content("old", Writing(category=Category.TALK, title="坂の 穴", text="ころびます"))
        content[POST]["category"] = "danger"
        await here.street.send(HANAKO, here.room_id, "m.room.message", content)
        assert await here.titles(CHAIR, Category.NEWS) == ["坂の 穴"]


async def test_whoever_takes_a_post_back_leaves_nothing_of_it(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO, photos=(PHOTO,))
        with pytest.raises(Forbidden):
            await here.board.withdraw(here.user(ICHIRO), post.id)
        await here.board.withdraw(here.user(HANAKO), post.id)
        assert here.forgotten == [PHOTO.url]
        assert not any("猫" in str(content) for content in await here.said(here.room_id))
        with pytest.raises(NotFound):
            await here.reader.one(here.user(ICHIRO), post.id)
        gone, _ = await here.reader.one(here.user(CHAIR), post.id)
        assert (gone.writing.title, gone.writing.text, gone.writing.photos) == ("", "", ())
        with pytest.raises(InvalidParam):
            await here.board.comment(here.user(ICHIRO), post.id, "どこですか")


async def test_comments_are_written_and_taken_back(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        post = await here.write(HANAKO)
        await here.board.comment(here.user(ICHIRO), post.id, "見ました")
        content = (await here.said(here.room_id))[-1]
        assert content["m.relates_to"]["rel_type"] == "m.thread"
        _, (comment,) = await here.reader.one(here.user(HANAKO), post.id)
        assert (comment.author, comment.text) == (here.user(ICHIRO), "見ました")
        with pytest.raises(Forbidden):
            await here.board.withdraw_comment(here.user(HANAKO), post.id, comment.event_id)
        with pytest.raises(NotFound):
            await here.board.withdraw_comment(here.user(HANAKO), post.id, post.event_id)
        await here.board.withdraw_comment(here.user(ICHIRO), post.id, comment.event_id)
        assert (await here.reader.one(here.user(HANAKO), post.id))[1] == []
        with pytest.raises(InvalidParam):
            await here.board.comment(here.user(ICHIRO), post.id, " ")


async def test_who_has_left_the_room_and_writes_is_in_it_again(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        leave = here.street.node.membership.leave
        await leave(here.room_id, here.user(HANAKO))
        post = await here.write(HANAKO)
        await leave(here.room_id, here.user(ICHIRO))
        await here.board.comment(here.user(ICHIRO), post.id, "見ました")
        await leave(here.room_id, here.user(MISAKI))
        album = await here.gallery.begin(here.user(MISAKI), "夏まつり")
        await here.gallery.add(here.user(MISAKI), album.id, [PHOTO], has_consent=True)
        await here.street.node.membership.ban(here.room_id, here.user(CHAIR), here.user(HANAKO))
        with pytest.raises(Forbidden):
            await here.write(HANAKO)


async def test_words_are_found_in_posts_and_below_them(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        first = await here.write(HANAKO, "集会所の カギ", text="見つけました")
        second = await here.write(HANAKO, "自転車", text="青いです")
        await here.board.comment(here.user(ICHIRO), second.id, "カギは ありますか")
        found = await here.reader.search(here.user(MISAKI), "カギ")
        assert [post.id for post in found.posts] == [second.id, first.id]
        assert (await here.reader.search(here.user(MISAKI), "犬")).posts == []
        assert (await here.reader.search(here.user(MISAKI), "  ")).posts == []
        await here.board.withdraw(here.user(HANAKO), first.id)
        assert [post.id for post in (await here.reader.search(here.user(MISAKI), "カギ")).posts] == [second.id]


async def test_the_list_comes_in_pages_and_new_posts_are_counted(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        for number in range(23):
            post = await here.write(HANAKO, f"話 {number}")
        page = await here.reader.page(here.user(ICHIRO))
        rest = await here.reader.page(here.user(ICHIRO), after=page.next)
        titles = [post.writing.title for post in (*page.posts, *rest.posts)]
        assert sorted(titles) == sorted(f"話 {number}" for number in range(23))
        assert (len(page.posts), rest.next) == (20, "")
        assert await here.reader.number_of_new(here.user(ICHIRO)) == 20
        await here.street.read(ICHIRO, here.room_id, post.event_id)
        assert await here.reader.number_of_new(here.user(ICHIRO)) == 0
        await here.write(HANAKO, "もうひとつ")
        assert await here.reader.number_of_new(here.user(ICHIRO)) == 1


async def test_what_cannot_be_posted_is_refused(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"title": ""}, {"title": "あ" * 61}, {"text": ""}, {"text": "あ" * 4001}, {"place": "あ" * 101},
        {"photos": (PHOTO,) * 9},
    ]
    async with neighbours(tmp_path) as here:
        for words in wrong:
            with pytest.raises(InvalidParam):
                await here.write(HANAKO, **words)
        with pytest.raises(Forbidden):
            await here.board.write("@nobody:sakura.example", Writing(category=Category.TALK, title="a", text="b"))
        assert await here.said(here.room_id) == []


async def test_signs_that_no_table_can_hold_break_nothing(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        said = await here.street.say(HANAKO, here.room_id, "木が\0たおれています")
        await here.street.say(ICHIRO, here.room_id, "どこ\0ですか", said)
        await here.street.say(ICHIRO, here.room_id, "だれ", "$\0")
        wrong: dict[str, object] = {
            "msgtype": "m.image", "body": "a\0", "url": "mxc://a/b", "info": {"mimetype": "image/png"},
        }
        await here.street.send(ICHIRO, here.room_id, "m.room.message", wrong)
        (post,) = (await here.reader.page(here.user(CHAIR))).posts
        assert post.writing.text == "木が\ufffdたおれています"
        _, (comment,) = await here.reader.one(here.user(CHAIR), post.id)
        assert comment.text == "どこ\ufffdですか"
