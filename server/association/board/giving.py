"""Giving away (譲ります): offered, asked for, promised to one of them, handed over (R30).

Who would like to have it is told to the giver alone, in their own 窓口; the board says only how far it has come.
"""

from __future__ import annotations

from server.association.board import board_store as store
from server.association.board.actions import Ground
from server.association.board.contents import answer_content, edit_content, request_content
from server.association.board.model import MAX_NOTE, Post, Request, State, checked_line
from server.foundation.errors import Forbidden, InvalidParam, NotFound
from server.foundation.keyed_locks import KeyedLocks
from server.rooms.send_event import Draft


class Giving:
    """What givers and those who ask do, one at a time for each thing."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._turns = KeyedLocks()

    async def requests(self, user_id: str, post: Post) -> list[Request]:
        """Who would like to have it: all of them for the giver, for everybody else their own."""
        found = await store.requests_for(self._ground.database, post.id) if post.is_gift else []
        return found if post.author == user_id else [item for item in found if item.user_id == user_id]

    async def ask(self, user_id: str, post_id: str, note: str = "") -> None:
        """Ask for it; twice is once. Raises ``InvalidParam`` (409) where it is promised to somebody already."""
        words = checked_line(note, "ひとこと", MAX_NOTE, needed=False)
        async with self._turns.hold(post_id):
            post = await self._gift(post_id, State.OPEN)
            if self._ground.members.person_of_user(user_id) is None or post.author == user_id:
                raise Forbidden("ほかの人がゆずるものだけに、申しこめます")
            if await self.requests(user_id, post):
                return
            room_id = self._desk_of(post.author)
            if room_id is None:
                raise NotFound("ゆずる人が、もういません")
            node = self._ground.members.node_user_id
            content = request_content(post, user_id, words)
            await self._ground.sender.send(Draft(room_id, node, "m.room.message", content))

    async def take_back(self, user_id: str, post_id: str) -> None:
        """Do not want it any more."""
        async with self._turns.hold(post_id):
            post = await self._ground.post(post_id)
            room_id, node = self._desk_of(post.author), self._ground.members.node_user_id
            for item in await store.requests_for(self._ground.database, post_id):
                if item.user_id == user_id and room_id is not None:
                    await self._ground.sender.send(
                        Draft(room_id, node, "m.room.redaction", {}, redacts=item.event_id))
                    if item.is_granted and post.state is State.PROMISED:
                        await self._ground.sender.send(self._edit(post, State.OPEN))

    async def promise(self, user_id: str, post_id: str, to: str) -> None:
        """Say for whom it is; they are told, and the board says that it is promised. In one commit."""
        async with self._turns.hold(post_id):
            post = await self._own(user_id, post_id, State.OPEN)
            asked = {item.user_id for item in await store.requests_for(self._ground.database, post_id)}
            if to not in asked:
                raise NotFound("その人は、申しこんでいません")
            drafts = [self._edit(post, State.PROMISED), *self._answers(post, [to], granted=True)]
            await self._ground.sender.send_many(drafts)

    async def offer_again(self, user_id: str, post_id: str) -> None:
        """It has come to nothing: others may have it."""
        async with self._turns.hold(post_id):
            post = await self._own(user_id, post_id, State.PROMISED)
            granted = await self._granted(post)
            drafts = [self._edit(post, State.OPEN), *self._answers(post, granted, granted=False)]
            await self._ground.sender.send_many(drafts)

    async def hand_over(self, user_id: str, post_id: str) -> None:
        """It is done: gone from the list, and whoever else has asked is told."""
        async with self._turns.hold(post_id):
            post = await self._own(user_id, post_id, State.OPEN, State.PROMISED)
            granted = await self._granted(post)
            asked = await store.requests_for(self._ground.database, post_id)
            others = [item.user_id for item in asked if item.user_id not in granted]
            drafts = [self._edit(post, State.HANDED_OVER), *self._answers(post, others, granted=False)]
            await self._ground.sender.send_many(drafts)

    async def _granted(self, post: Post) -> list[str]:
        return [item.user_id for item in await store.requests_for(self._ground.database, post.id) if item.is_granted]

    async def _own(self, user_id: str, post_id: str, *states: State) -> Post:
        post = await self._gift(post_id, *states)
        if post.author != user_id:
            raise Forbidden("ゆずる人だけができます")
        return post

    async def _gift(self, post_id: str, *states: State) -> Post:
        post = await self._ground.post(post_id)
        if not post.is_gift:
            raise NotFound("ゆずるものではありません")
        if post.state not in states:
            raise InvalidParam(f"いまは「{post.state.label}」です。もう一度ひらいてください", status=409)
        return post

    def _desk_of(self, user_id: str) -> str | None:
        person = self._ground.members.person_of_user(user_id)
        return None if person is None else self._ground.members.desk_room_of(person.id)

    def _edit(self, post: Post, state: State) -> Draft:
        return Draft(self._ground.room_id, post.author, "m.room.message", edit_content(post, state))

    def _answers(self, post: Post, to: list[str], *, granted: bool) -> list[Draft]:
        rooms = [room_id for user_id in to if (room_id := self._desk_of(user_id)) is not None]
        node = self._ground.members.node_user_id
        content = answer_content(post, granted=granted)
        return [Draft(room_id, node, "m.room.message", content) for room_id in rooms]
