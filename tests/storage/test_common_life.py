"""Tables of board, groups and gallery, on both databases."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from server.association.board import board_store as board
from server.association.board import moderation_store as moderation
from server.association.board.model import (
    Category,
    Comment,
    Decision,
    Post,
    Request,
    Standing,
    State,
    Waiting,
    Writing,
)
from server.association.gallery import gallery_store as gallery
from server.association.gallery.model import Album, Objection, Photo
from server.association.gallery.model import State as PhotoState
from server.association.groups import groups_store as groups
from server.association.groups.model import GroupFile
from server.association.members import members_store as members
from server.association.members.model import Block, Group, Household, Person
from server.media.pictures import Picture
from server.storage.database import Database, Writes
from server.storage.schema_version import migrate, migrations

_LATE = 2**40  # beyond 32 bits, as times and positions are
PHOTO = Picture("mxc://a/b", "猫.jpg", "image/jpeg", 10)
GIFT = Writing(category=Category.GIVE, title="机", text="80センチ", place="1班", photos=(PHOTO,))
POST = Post("one", "$one", "@a:b", GIFT, created_ms=_LATE, position=_LATE, revision=_LATE)


async def test_posts_of_the_category_that_there_was_for_dangers_are_kept_as_news(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    board.add_post(writes, POST)
    await database.submit(writes)
    (moved,) = [path for number, path in migrations() if number == 50]
    async with database.write() as tx:
        await tx.execute(text("UPDATE board_posts SET category = 'danger'"))
        await tx.execute(text(moved.read_text("utf-8")))
    assert await board.find_post(database, "one") == replace(POST, writing=replace(GIFT, category=Category.NEWS))


async def test_posts_comments_and_requests_are_kept_changed_and_removed(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    for post in (POST, replace(POST, event_id="$copy"), replace(POST, id="two", event_id="$two", created_ms=1)):
        board.add_post(writes, post)
    comment = Comment("$c", "", "@c:d", "はい", PHOTO, created_ms=_LATE, position=_LATE + 1)
    board.add_comment(writes, comment, "$one")
    board.add_comment(writes, replace(comment, event_id="$d", photo=None, position=_LATE + 2), "$c")
    board.add_comment(writes, replace(comment, event_id="$e"), "$nothing")
    board.add_photo(writes, "$p", "$one")
    board.add_request(writes, Request("one", "@c:d", "$r", "ほしい", False, _LATE))
    board.grant(writes, "one", "@c:d", granted=True)
    board.change_post(writes, "$one", "@other:b", replace(POST, state=State.HANDED_OVER, revision=_LATE + 9))
    board.change_post(writes, "$one", "@a:b", replace(POST, state=State.PROMISED, revision=_LATE + 3))
    board.change_words(writes, "$c", "@c:d", "いいえ", _LATE + 4)
    await database.submit(writes)
    shown = replace(POST, state=State.PROMISED, revision=_LATE + 3)
    assert await board.find_post(database, "one") == shown
    assert [post.id for post in await board.posts_before(database, 9)] == ["one", "two"]
    assert [post.id for post in await board.posts_before(database, 9, (_LATE, "one"), Category.GIVE, ["$x"])] == ["two"]
    assert await board.posts_before(database, 9, None, Category.TALK) == []
    assert [item.text for item in await board.comments_on(database, "$one")] == ["いいえ", "はい"]
    assert await board.numbers_of_comments(database, ["$one", "$two"]) == {"$one": 2}
    assert await board.count_after(database, _LATE - 1, 20) == 2
    assert await board.posts_of_events(database, ["$d"]) == [shown]
    assert await board.own_posts(database, "@x:y", ["one"], 9) == [shown]
    assert (await board.requests_for(database, "one"))[0].is_granted

    writes = Writes()
    for target, sender in (("$one", "@officer:b"), ("$two", "@a:b"), ("$c", "@c:d"), ("$p", "@a:b"), ("$r", "@n:b")):
        board.remove_event(writes, target, sender, "理由", _LATE + 5)
    await database.submit(writes)
    (removed,) = await board.removed_by_officers(database, 9)
    assert (removed.writing, removed.closed_by, removed.reason) == (GIFT, "@officer:b", "理由")
    gone = await board.find_post(database, "two")
    assert gone is not None
    assert (gone.writing.title, gone.writing.text, gone.writing.place, gone.writing.photos) == ("", "", "", ())
    assert [item.text for item in await board.comments_on(database, "$one")] == ["", "はい"]
    assert await board.photos_of(database, "$one") == []
    assert await board.requests_for(database, "one") == []


async def test_what_is_in_no_room_is_kept_and_forgotten(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    moderation.add_author(writes, "one", "@a:b", _LATE)
    moderation.add_waiting(writes, Waiting("w", "@a:b", GIFT, True, _LATE))
    moderation.add_waiting(writes, Waiting("v", "@c:d", GIFT, False, _LATE + 1))
    for ts in (_LATE, _LATE + 1):
        moderation.add_decision(writes, Decision(f"d{ts}", "$one", "one", "@o:b", "keep", "", ts))
    await database.submit(writes)
    assert await moderation.author_of(database, "one") == "@a:b"
    assert await moderation.anonymous_posts_of(database, "@a:b") == ["one"]
    assert [item.id for item in await moderation.waiting_posts(database)] == ["w", "v"]
    assert [item.id for item in await moderation.waiting_posts(database, "@c:d")] == ["v"]
    assert await moderation.last_decisions(database) == {"$one": _LATE + 1}
    assert [item.ts for item in await moderation.newest_decisions(database, 9)] == [_LATE + 1, _LATE]
    writes = Writes()
    moderation.decide_waiting(writes, "w", Standing.DECLINED, "@o:b", "広告")
    moderation.decide_waiting(writes, "w", Standing.APPROVED, "@p:b", "")
    await database.submit(writes)
    found = await moderation.find_waiting(database, "w")
    assert found == Waiting("w", "@a:b", GIFT, True, _LATE, Standing.DECLINED, "@o:b", "広告")
    writes = Writes()
    moderation.forget_author(writes, "@a:b")
    await database.submit(writes)
    assert await moderation.author_of(database, "one") is None
    assert await moderation.find_waiting(database, "w") is None


async def test_albums_photos_and_objections_are_kept(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    for number in (1, 2):
        gallery.add_album(writes, Album(f"a{number}", "夏", "", "g", "@a:b", f"$a{number}", _LATE + number))
        for place in (1, 2):
            photo = Photo(f"p{number}{place}", "", f"$p{number}{place}", "@a:b", PHOTO, ts=_LATE)
            gallery.add_photo(writes, replace(photo, position=_LATE + place), f"$a{number}")
    gallery.add_photo(writes, Photo("x", "", "$x", "@a:b", PHOTO), "$nothing")
    gallery.add_objection(writes, Objection("o", "p11", "@c:d", "写っています", _LATE))
    gallery.close_event(writes, "$p11", PhotoState.HIDDEN, "@n:b", "")
    await database.submit(writes)
    assert [album.id for album in await gallery.albums_before(database, 9)] == ["a2", "a1"]
    assert [album.id for album in await gallery.albums_before(database, 9, (_LATE + 2, "a2"))] == ["a1"]
    assert {key: (count, item.id) for key, (count, item) in (await gallery.covers(database, ["a1", "a2"])).items()} == {
        "a1": (1, "p12"), "a2": (2, "p21")}
    assert [photo.id for photo in await gallery.photos_of(database, "a2", 9, _LATE + 1)] == ["p22"]
    assert [item.photo_id for item in await gallery.open_objections(database)] == ["p11"]
    writes = Writes()
    gallery.show_again(writes, "p11", "$again")
    gallery.show_again(writes, "p12", "$stolen")
    gallery.decide(writes, "p11", "keep", "@o:b", "別の人")
    gallery.close_event(writes, "$a2", PhotoState.WITHDRAWN, "@a:b", "")
    await database.submit(writes)
    assert [photo.event_id for photo in await gallery.photos_of(database, "a1", 9)] == ["$again", "$p12"]
    assert [item.answer for item in await gallery.decided_objections(database, 9)] == ["別の人"]
    assert [album.id for album in await gallery.albums_of_gathering(database, "g")] == ["a1"]
    writes = Writes()
    gallery.forget_objections_of(writes, "@c:d")
    await database.submit(writes)
    assert await gallery.decided_objections(database, 9) == []


async def test_files_and_leaders_of_groups_are_kept(database: Database) -> None:
    await migrate(database)
    writes = Writes()
    paper = GroupFile("$f", "!r", "@a:b", Picture("mxc://a/c", "議事録.pdf", "application/pdf"), _LATE)
    groups.add_file(writes, paper)
    groups.add_file(writes, replace(paper, event_id="$g", file=PHOTO))
    members.put_group(writes, Group("g", "囲碁"))
    members.put_block(writes, Block("b", "1班"))
    members.put_household(writes, Household("h", "b", "佐藤"))
    members.put_person(writes, Person("p", "h", "佐藤"))
    members.enter_group(writes, "g", "p")
    for _ in range(2):
        members.set_leader(writes, "g", "p", leads=True)
    await database.submit(writes)
    assert await groups.files_in(database, "!r", photos=False, limit=9) == [paper]
    assert [item.event_id for item in await groups.files_in(database, "!r", photos=True, limit=9)] == ["$g"]
    register = await members.load_register(database)
    assert register.members_of_group("g") == register.leaders_of_group("g")
    writes = Writes()
    groups.drop_file(writes, "$f")
    members.set_leader(writes, "g", "p", leads=False)
    await database.submit(writes)
    assert await groups.find_file(database, "$f") is None
    assert (await members.load_register(database)).leaders_of_group("g") == []
