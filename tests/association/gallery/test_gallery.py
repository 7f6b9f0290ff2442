"""The gallery: albums, several photos at once, withdrawing, not wanting to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.gallery.model import State
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.media.pictures import Picture
from tests.association.neighbours import CHAIR, HANAKO, ICHIRO, MISAKI, OTHER_PHOTO, PHOTO, Neighbours, neighbours


async def album_with_photos(here: Neighbours) -> tuple[str, list[str]]:
    album = await here.gallery.begin(here.user(HANAKO), "夏まつり", "8月9日", "gathering1")
    await here.gallery.add(here.user(HANAKO), album.id, [PHOTO, OTHER_PHOTO], has_consent=True)
    return album.id, [photo.id for photo in await here.gallery.photos(here.user(ICHIRO), album.id)]


async def test_an_album_is_a_message_with_photos_in_its_thread(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        album_id, _ = await album_with_photos(here)
        album, first, _ = await here.said(here.room_id)
        assert album["body"] == "【写真】夏まつり\n8月9日"
        assert (first["msgtype"], first["m.relates_to"]["rel_type"]) == ("m.image", "m.thread")
        assert first["jp.kairan.gallery.photo"]["consent"] is True
        assert await here.titles(ICHIRO) == []
    async with neighbours(tmp_path) as here:
        lines, following = await here.gallery.albums(here.user(ICHIRO))
        assert ([(line.album.id, line.count) for line in lines], following) == ([(album_id, 2)], "")
        assert lines[0].cover is not None
        assert lines[0].cover.picture == PHOTO
        assert await here.gallery.of_gathering(here.user(ICHIRO), "gathering1") == lines
        await here.street.send(ICHIRO, here.room_id, "m.room.message", PHOTO.as_message(lines[0].album.event_id))
        assert len(await here.gallery.photos(here.user(ICHIRO), album_id)) == 3


async def test_photos_need_consent_and_are_photos(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        album = await here.gallery.begin(here.user(HANAKO), "夏まつり")
        wrong: list[tuple[list[Picture], bool]] = [
            ([PHOTO], False), ([], True), ([PHOTO] * 21, True),
            ([Picture("mxc://a/b", "a.pdf", "application/pdf")], True),
        ]
        for pictures, consent in wrong:
            with pytest.raises(InvalidParam):
                await here.gallery.add(here.user(HANAKO), album.id, pictures, has_consent=consent)
        with pytest.raises(NotFound):
            await here.gallery.add(here.user(HANAKO), "x", [PHOTO], has_consent=True)
        with pytest.raises(InvalidParam):
            await here.gallery.begin(here.user(HANAKO), "")
        with pytest.raises(Forbidden):
            await here.gallery.albums("@nobody:sakura.example")
        await here.gallery.remove_album(here.user(HANAKO), album.id)
        with pytest.raises(NotFound):
            await here.gallery.album(here.user(HANAKO), album.id)


async def test_whoever_brought_a_photo_withdraws_it_with_its_file(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        album_id, (first, second) = await album_with_photos(here)
        with pytest.raises(Forbidden):
            await here.gallery.withdraw(here.user(ICHIRO), album_id, first)
        await here.gallery.withdraw(here.user(HANAKO), album_id, first)
        assert here.forgotten == [PHOTO.url]
        assert [photo.id for photo in await here.gallery.photos(here.user(ICHIRO), album_id)] == [second]
        assert PHOTO.url not in str(await here.said(here.room_id))
        with pytest.raises(NotFound):
            await here.gallery.photo(here.user(CHAIR), album_id, first)


async def test_who_is_in_a_photo_has_it_hidden_at_once_and_officers_decide(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        album_id, (first, second) = await album_with_photos(here)
        chair, misaki = here.user(CHAIR), here.user(MISAKI)
        await here.gallery.object_to(misaki, album_id, first, "写っています")
        await here.gallery.object_to(misaki, album_id, second)
        assert await here.gallery.photos(here.user(ICHIRO), album_id) == []
        shown = str(await here.said(here.room_id))
        assert PHOTO.url not in shown
        assert OTHER_PHOTO.url not in shown
        for who in (misaki, here.user(HANAKO)):
            with pytest.raises(NotFound):
                await here.gallery.photo(who, album_id, first)
        assert (await here.gallery.photo(chair, album_id, first)).state is State.HIDDEN
        with pytest.raises(Forbidden):
            await here.gallery.objections(misaki)
        asked = await here.gallery.objections(chair)
        assert {(item.user_id, item.reason) for item, _ in asked} == {(misaki, "写っています"), (misaki, "")}
        with pytest.raises(Forbidden):
            await here.gallery.decide(misaki, first, remove=True)
        await here.gallery.decide(chair, first, remove=True, answer="けしました")
        await here.gallery.decide(chair, second, remove=False, answer="別の人でした")
        for photo in (first, second):
            with pytest.raises(InvalidParam, match="もう決めました"):
                await here.gallery.decide(chair, photo, remove=True)
        assert here.forgotten == [PHOTO.url]
        assert [photo.id for photo in await here.gallery.photos(misaki, album_id)] == [second]
        assert OTHER_PHOTO.url in str(await here.said(here.room_id))
        assert "もとにもどしました" in (await here.street.bodies(here.street.desk(MISAKI)))[-1]
        assert {item.decision for item in await here.gallery.decided(chair)} == {"remove", "keep"}
        await here.gallery.withdraw(here.user(HANAKO), album_id, second)
        assert here.forgotten == [PHOTO.url, OTHER_PHOTO.url]


async def test_an_officer_removes_a_whole_album(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as here:
        album_id, _ = await album_with_photos(here)
        for name in (HANAKO, ICHIRO):
            with pytest.raises(Forbidden):
                await here.gallery.remove_album(here.user(name), album_id)
        await here.gallery.remove_album(here.user(CHAIR), album_id)
        assert (await here.gallery.albums(here.user(ICHIRO)))[0] == []
        assert here.forgotten == [PHOTO.url, OTHER_PHOTO.url]
