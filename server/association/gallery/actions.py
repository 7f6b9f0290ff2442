"""The gallery: beginning an album, adding photos, withdrawing them, not wanting to be seen, what officers decide."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.association.gallery import gallery_store as store
from server.association.gallery.contents import HIDDEN, album_content, photo_content
from server.association.gallery.model import (
    Album,
    AlbumLine,
    Objection,
    Photo,
    State,
    checked_photos,
    checked_reason,
)
from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.media.pictures import Picture
from server.rooms.membership import Membership
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

ForgetFile = Callable[[str], Awaitable[None]]
REMOVE, KEEP = "remove", "keep"
_ALBUMS: Final = 20
PHOTOS: Final = 60
_DECIDED: Final = 30


@dataclass(frozen=True, slots=True)
class GalleryGround:
    """What the verbs stand on."""

    database: Database
    clock: Clock
    members: Members
    sender: EventSender
    membership: Membership
    forget_file: ForgetFile


class Gallery:
    """Albums and photos."""

    def __init__(self, ground: GalleryGround) -> None:
        self._ground = ground
        self._turns = KeyedLocks()

    # ---- looking ---------------------------------------------------------------------------------------------------

    async def albums(self, user_id: str, after: str = "") -> tuple[list[AlbumLine], str]:
        """Albums, newest first, and where the next ones begin (empty: there are no more)."""
        self._require_member(user_id)
        found = await store.albums_before(self._ground.database, _ALBUMS + 1, _read_place(after))
        shown = found[:_ALBUMS]
        last = shown[-1] if len(found) > _ALBUMS else None
        return await self._lines(shown), f"{last.created_ms}_{last.id}" if last is not None else ""

    async def of_gathering(self, user_id: str, gathering_id: str) -> list[AlbumLine]:
        """The albums of a gathering (R13)."""
        self._require_member(user_id)
        return await self._lines(await store.albums_of_gathering(self._ground.database, gathering_id))

    async def album(self, user_id: str, album_id: str) -> Album:
        """One album; raises ``NotFound``."""
        self._require_member(user_id)
        album = await store.find_album(self._ground.database, album_id)
        if album is None or album.is_removed:
            raise NotFound("そのアルバムはありません")
        return album

    async def photos(self, user_id: str, album_id: str, after: int = -1) -> list[Photo]:
        """``PHOTOS`` photos of an album and one more where there are more, on from a position."""
        album = await self.album(user_id, album_id)
        return await store.photos_of(self._ground.database, album.id, PHOTOS + 1, after)

    async def photo(self, user_id: str, album_id: str, photo_id: str) -> Photo:
        """One photo. What is hidden is seen by those who decide about it, and by nobody else."""
        await self.album(user_id, album_id)
        photo = await store.find_photo(self._ground.database, photo_id)
        may_see_hidden = self._ground.members.may(user_id, Right.MODERATE)
        if photo is None or photo.album_id != album_id or not (
            photo.state is State.SHOWN or (photo.state is State.HIDDEN and may_see_hidden)
        ):
            raise NotFound("その写真は、ありません")
        return photo

    # ---- bringing --------------------------------------------------------------------------------------------------

    async def begin(self, user_id: str, title: str, note: str = "", gathering_id: str = "") -> Album:
        """A new album."""
        self._require_member(user_id)
        album = Album(random_letters(12), title, note, gathering_id).checked()
        await self._come_in(user_id)
        await self._ground.sender.send(Draft(self._room_id, user_id, "m.room.message", album_content(album)))
        return await self.album(user_id, album.id)

    async def add(self, user_id: str, album_id: str, pictures: Sequence[Picture], *, has_consent: bool) -> None:
        """Add photos to anybody's album; all of them or none. They come in the order in which they were chosen."""
        checked_photos(tuple(pictures), has_consent=has_consent)
        album = await self.album(user_id, album_id)
        await self._come_in(user_id)
        await self._ground.sender.send_many([
            Draft(self._room_id, user_id, "m.room.message", photo_content(random_letters(12), picture, album))
            for picture in pictures
        ])

    async def withdraw(self, user_id: str, album_id: str, photo_id: str) -> None:
        """Take one's own photo out: its message and its file are gone."""
        photo = await self.photo(user_id, album_id, photo_id)
        if photo.uploader != user_id:
            raise Forbidden("自分がのせた写真だけを、けせます")
        await self._redact(photo, user_id, {})
        await self._ground.forget_file(photo.picture.url)

    async def remove_album(self, user_id: str, album_id: str) -> None:
        """Take a whole album away: an empty one as whoever has begun it, any as somebody who looks after the board."""
        album = await self.album(user_id, album_id)
        is_moderator = self._ground.members.may(user_id, Right.MODERATE)
        photos = await store.photos_of(self._ground.database, album.id, 1)
        if not is_moderator and (album.author != user_id or photos):
            raise Forbidden("写真があるアルバムは、役員がけします")
        sender = user_id if album.author == user_id else self._ground.members.node_user_id
        while photos := await store.photos_of(self._ground.database, album.id, PHOTOS):
            for photo in photos:
                await self._redact(photo, self._ground.members.node_user_id, {})
                await self._ground.forget_file(photo.picture.url)
        await self._ground.sender.send(Draft(self._room_id, sender, "m.room.redaction", {}, redacts=album.event_id))

    # ---- not wanting to be seen ------------------------------------------------------------------------------------

    async def object_to(self, user_id: str, album_id: str, photo_id: str, reason: str = "") -> None:
        """「写っているので、のせないでください」: hidden at once, on pages and in clients; then officers decide."""
        words = checked_reason(reason)
        async with self._turns.hold(photo_id):
            photo = await self.photo(user_id, album_id, photo_id)
            if photo.state is State.HIDDEN:
                return
            writes = Writes()
            store.add_objection(writes, Objection(
                random_letters(12), photo.id, user_id, words, self._ground.clock.now_ms()))
            await self._write(writes)
            await self._redact(photo, self._ground.members.node_user_id, {HIDDEN: {}})
        await self._say(
            self._ground.members.hall_room(Purpose.RECEPTION),
            "【写真】「のせないでほしい」という申し出があり、写真をかくしました。役員のつくえの「掲示板と写真」を見てください。",
        )

    async def objections(self, officer: str) -> list[tuple[Objection, Photo]]:
        """What officers have to decide about, the oldest first."""
        self._ground.members.require(officer, Right.MODERATE)
        found = [(item, await store.find_photo(self._ground.database, item.photo_id))
                 for item in await store.open_objections(self._ground.database)]
        return [(item, photo) for item, photo in found if photo is not None and photo.state is State.HIDDEN]

    async def decided(self, officer: str) -> list[Objection]:
        """What was decided, the last first."""
        self._ground.members.require(officer, Right.MODERATE)
        return await store.decided_objections(self._ground.database, _DECIDED)

    async def decide(self, officer: str, photo_id: str, *, remove: bool, answer: str = "") -> None:
        """Remove a hidden photo for good, with its file, or put it back; whoever has asked is told."""
        self._ground.members.require(officer, Right.MODERATE)
        words = checked_reason(answer)
        async with self._turns.hold(photo_id):
            photo = await store.find_photo(self._ground.database, photo_id)
            asked = [item for item, found in await self.objections(officer) if found.id == photo_id]
            if photo is None or not asked:
                raise InvalidParam("ほかの役員が、もう決めました", status=409)
            if remove:
                await self._remove(photo, officer, words)
            else:
                await self._show_again(photo)
            writes = Writes()
            store.decide(writes, photo_id, REMOVE if remove else KEEP, officer, words)
            await self._write(writes)
        for item in asked:
            await self._tell(item.user_id, "写真をけしました。" if remove else "写真をもとにもどしました。", words)

    async def forget(self, user_id: str) -> None:
        """Somebody leaves the association."""
        writes = Writes()
        store.forget_objections_of(writes, user_id)
        await self._write(writes)

    # ---- parts -----------------------------------------------------------------------------------------------------

    @property
    def _room_id(self) -> str:
        return self._ground.members.hall_room(Purpose.BOARD)

    async def _come_in(self, user_id: str) -> None:
        """Whoever has left the room in which albums stand and brings photos is in it again."""
        room = await self._ground.sender.rooms.get(self._room_id)
        if room.membership(user_id) != "join":
            await self._ground.membership.join(self._room_id, user_id)

    async def _lines(self, albums: Sequence[Album]) -> list[AlbumLine]:
        known = await store.covers(self._ground.database, [album.id for album in albums])
        return [AlbumLine(album, *known.get(album.id, (0, None))) for album in albums]

    async def _redact(self, photo: Photo, sender: str, content: dict[str, object]) -> None:
        """Also where the node has said it, after it had hidden the photo."""
        draft = Draft(self._room_id, sender, "m.room.redaction", content, redacts=photo.event_id)
        try:
            await self._ground.sender.send(draft)
        except Forbidden:
            await self._ground.sender.send(replace(draft, sender=self._ground.members.node_user_id))

    async def _remove(self, photo: Photo, officer: str, reason: str) -> None:
        writes = Writes()
        store.remove_photo(writes, photo.id, officer, reason)
        await self._write(writes)
        await self._ground.forget_file(photo.picture.url)

    async def _show_again(self, photo: Photo) -> None:
        album = await store.find_album(self._ground.database, photo.album_id)
        if album is None or album.is_removed:
            raise InvalidParam("アルバムが、もうありません", status=409)
        content = photo_content(photo.id, photo.picture, album)
        node = self._ground.members.node_user_id
        await self._ground.sender.send(Draft(self._room_id, node, "m.room.message", content))

    async def _write(self, writes: Writes) -> None:
        await asyncio.shield(self._ground.database.submit(writes))

    async def _tell(self, user_id: str, text: str, reason: str) -> None:
        person = self._ground.members.person_of_user(user_id)
        room_id = None if person is None else self._ground.members.desk_room_of(person.id)
        if room_id is not None:
            await self._say(room_id, "\n".join([f"【写真】{text}", *([reason] if reason else [])]))

    async def _say(self, room_id: str, text: str) -> None:
        content = {"msgtype": "m.text", "body": text, "jp.kairan.gallery.notice": {}}
        await self._ground.sender.send(Draft(room_id, self._ground.members.node_user_id, "m.room.message", content))

    def _require_member(self, user_id: str) -> None:
        if self._ground.members.person_of_user(user_id) is None:
            raise Forbidden("写真は、町内会の会員が見られます")


def _read_place(text: str) -> tuple[int, str] | None:
    ts, _, album_id = text.partition("_")
    return (int(ts), album_id) if ts.isascii() and ts.isdigit() and len(ts) < 16 else None
