"""Writing on the board, answering, taking back, telling that something is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from server.association.board import board_store as store
from server.association.board import moderation_store
from server.association.board.contents import (
    POST,
    RULES,
    comment_content,
    notice_content,
    photo_content,
    post_content,
    read_rules,
)
from server.association.board.holding import LOOK
from server.association.board.model import (
    MAX_COMMENT,
    MAX_REASON,
    Category,
    Comment,
    Post,
    Rules,
    Waiting,
    Writing,
    checked_line,
)
from server.association.members.members import Members
from server.association.members.model import Purpose, Right
from server.foundation.clock import Clock
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.ids import random_letters
from server.media.pictures import Picture
from server.rooms.membership import Membership
from server.rooms.reports import Reports
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Database, Writes

# Removes a file for good; a file that is gone already is no fault.
ForgetFile = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all verbs of the board stand on."""

    database: Database
    clock: Clock
    members: Members
    sender: EventSender
    membership: Membership
    reports: Reports
    forget_file: ForgetFile
    # Ids of posts that are being said and need no officer's yes (any more); the projection looks into it.
    passing: set[str]

    @property
    def room_id(self) -> str:
        """The board's room; raises ``NotFound`` before it is set up."""
        return self.members.hall_room(Purpose.BOARD)

    async def rules(self) -> Rules:
        """What officers allow."""
        room = await self.sender.rooms.get(self.room_id)
        return read_rules(room.content(RULES))

    async def post(self, post_id: str) -> Post:
        """One post; raises ``NotFound``."""
        post = await store.find_post(self.database, post_id)
        if post is None:
            raise NotFound("その投稿はありません")
        return post

    async def is_author(self, user_id: str, post: Post) -> bool:
        """Whether somebody has written it, also without their name."""
        if not post.is_anonymous:
            return post.author == user_id
        return await moderation_store.author_of(self.database, post.id) == user_id

    async def writer_of(self, post: Post) -> str | None:
        """The account of whoever has written it; for verbs that tell them something, never for a page."""
        return await moderation_store.author_of(self.database, post.id) if post.is_anonymous else post.author

    async def write(self, writes: Writes) -> None:
        """Commit rows that are in no room."""
        await asyncio.shield(self.database.submit(writes))

    async def come_in(self, user_id: str) -> None:
        """Whoever has left the board's room and writes on the board is in it again."""
        room = await self.sender.rooms.get(self.room_id)
        if room.membership(user_id) != "join":
            await self.membership.join(self.room_id, user_id)

    async def tell(self, user_id: str | None, text: str) -> None:
        """Tell somebody in their 窓口, as far as they are still there."""
        person = None if user_id is None else self.members.person_of_user(user_id)
        room_id = None if person is None else self.members.desk_room_of(person.id)
        if room_id is not None:
            node = self.members.node_user_id
            await self.sender.send(Draft(room_id, node, "m.room.message", notice_content(text)))

    async def tell_officers(self, text: str) -> None:
        """Tell those who answer residents that there is something to look at."""
        room_id, node = self.members.hall_room(Purpose.RECEPTION), self.members.node_user_id
        await self.sender.send(Draft(room_id, node, "m.room.message", notice_content(text)))

    async def take_out(self, post: Post, sender: str, reason: str = "") -> None:
        """Remove a post with its photos from the room, in somebody's name."""
        content = {"reason": reason} if reason else {}
        for event_id in [*await store.photos_of(self.database, post.event_id), post.event_id]:
            await self.sender.send(Draft(self.room_id, sender, "m.room.redaction", dict(content), redacts=event_id))


class Board:
    """What residents do on the board."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def rules(self) -> Rules:
        """What officers allow."""
        return await self._ground.rules()

    async def write(self, user_id: str, writing: Writing, *, anonymous: bool = False) -> Post | Waiting:
        """Put something on the board, or, where officers want to see it first, in their queue.

        Raises ``InvalidParam``, and ``Forbidden`` for strangers, closed categories and questions without a name where
        these are not allowed.
        """
        ground, writing = self._ground, writing.checked()
        self._require_member(user_id)
        rules = await ground.rules()
        may_all = ground.members.may(user_id, Right.MODERATE)
        if not may_all:
            rules.require_open(writing.category)
        if anonymous and not (rules.anonymous and writing.category is Category.QUESTION):
            raise Forbidden("名前を出さない投稿は、いまはできません")
        if not rules.approve or may_all:
            return await self.publish(user_id, random_letters(12), writing, anonymous=anonymous)
        item = Waiting(random_letters(12), user_id, writing, anonymous, ground.clock.now_ms())
        writes = Writes()
        moderation_store.add_waiting(writes, item)
        await ground.write(writes)
        await ground.tell_officers(f"【掲示板】確認を待っている投稿があります。{LOOK}")
        return item

    async def publish(self, user_id: str, post_id: str, writing: Writing, *, anonymous: bool) -> Post:
        """Say it in the room: as its author, or in the node's name. Whoever asks without a name stands in a table
        before anything is said.
        """
        ground = self._ground
        sender = ground.members.node_user_id if anonymous else user_id
        if anonymous:
            writing = _without_names(writing)
            await self._note_author(post_id, user_id)
        else:
            await ground.come_in(user_id)
        content = post_content(post_id, writing, anonymous=anonymous)
        ground.passing.add(post_id)
        try:
            root = (await ground.sender.send(Draft(ground.room_id, sender, "m.room.message", content))).event_id
        except BaseException:
            await self._forget_author(post_id, anonymous=anonymous)
            raise
        finally:
            ground.passing.discard(post_id)
        await self._show_photos(sender, writing.photos, post_id, root)
        return await ground.post(content[POST]["id"])

    async def comment(self, user_id: str, post_id: str, text: str) -> None:
        """Answer below a post. Whoever has asked without a name answers without it, too."""
        ground, words = self._ground, checked_line(text, "コメント", MAX_COMMENT)
        self._require_member(user_id)
        post = await ground.post(post_id)
        if post.is_removed:
            raise InvalidParam("この投稿は、もうありません", status=409)
        hidden = post.is_anonymous and await ground.is_author(user_id, post)
        content = comment_content(words, post.event_id, by_author=hidden)
        sender = ground.members.node_user_id if hidden else user_id
        if not hidden:
            await ground.come_in(user_id)
        await ground.sender.send(Draft(ground.room_id, sender, "m.room.message", content))

    async def withdraw(self, user_id: str, post_id: str) -> None:
        """Take one's own post back: its words are gone from the room, its photos from the disk."""
        post = await self._ground.post(post_id)
        if not await self._ground.is_author(user_id, post):
            raise Forbidden("自分の投稿だけを、けせます")
        if post.is_removed:
            return
        await self._ground.take_out(post, post.author)
        for photo in post.writing.photos:
            await self._ground.forget_file(photo.url)

    async def withdraw_comment(self, user_id: str, post_id: str, event_id: str) -> None:
        """Take one's own comment back."""
        comment = await self._comment_on(await self._ground.post(post_id), event_id)
        post = await self._ground.post(post_id)
        mine = comment.author == user_id or (comment.by_author and await self._ground.is_author(user_id, post))
        if not mine:
            raise Forbidden("自分のコメントだけを、けせます")
        if not comment.is_removed:
            draft = Draft(self._ground.room_id, comment.author, "m.room.redaction", {}, redacts=event_id)
            await self._ground.sender.send(draft)

    async def report(self, user_id: str, post_id: str, reason: str, comment_event: str = "") -> None:
        """Tell the officers that a post or a comment is wrong; the same as the report of any Matrix client."""
        ground, words = self._ground, checked_line(reason, "理由", MAX_REASON)
        self._require_member(user_id)
        post = await ground.post(post_id)
        target = (await self._comment_on(post, comment_event)).event_id if comment_event else post.event_id
        await ground.come_in(user_id)
        await ground.reports.report_event(user_id, ground.room_id, target, words)
        await ground.tell_officers(f"【掲示板】通報がありました。{LOOK}")

    def _require_member(self, user_id: str) -> None:
        if self._ground.members.person_of_user(user_id) is None:
            raise Forbidden("掲示板は、町内会の会員が使えます")

    async def _comment_on(self, post: Post, event_id: str) -> Comment:
        found = await store.comments_of_events(self._ground.database, [event_id])
        if not found or found[0].post_event != post.event_id:
            raise NotFound("そのコメントはありません")
        return found[0]

    async def _note_author(self, post_id: str, user_id: str) -> None:
        writes = Writes()
        moderation_store.add_author(writes, post_id, user_id, self._ground.clock.now_ms())
        await self._ground.write(writes)

    async def _forget_author(self, post_id: str, *, anonymous: bool) -> None:
        if anonymous:
            writes = Writes()
            moderation_store.drop_author(writes, post_id)
            await self._ground.write(writes)

    async def _show_photos(self, sender: str, photos: Sequence[Picture], post_id: str, root: str) -> None:
        await self._ground.sender.send_many([
            Draft(self._ground.room_id, sender, "m.room.message", photo_content(photo, post_id, root))
            for photo in photos
        ])


def _without_names(writing: Writing) -> Writing:
    """What a telephone calls a photo may say whose it is."""
    photos = tuple(
        Picture(item.url, f"写真{number}", item.mimetype, item.size) for number, item in enumerate(writing.photos, 1)
    )
    return Writing(
        category=writing.category, title=writing.title, text=writing.text, place=writing.place, photos=photos,
    )
