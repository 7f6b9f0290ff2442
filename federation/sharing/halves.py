"""How a share begins on the side that has offered it, changes, and ends; each side speaks for itself."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from federation.links.inbox_store import Letter
from federation.links.model import Party
from federation.sharing.book import ShareBook
from federation.sharing.model import Share, ShareState, Terms
from federation.sharing.rooms import ShareRooms
from server.foundation.errors import Forbidden, InvalidParam, Refused

logger = logging.getLogger(__name__)

MAX_REASON: Final = 300
_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError)


class ShareHalves:
    """Hears what neighbours agree to, and ends shares."""

    def __init__(self, book: ShareBook, rooms: ShareRooms) -> None:
        self._book = book
        self._rooms = rooms
        self._begun: list[Callable[[Share], None]] = []
        self._over: list[Callable[[Share], Awaitable[None]]] = []

    def on_begin(self, follower: Callable[[Share], None]) -> None:
        """Call ``follower`` with each share that has come into force or has changed."""
        self._begun.append(follower)

    def on_end(self, follower: Callable[[Share], Awaitable[None]]) -> None:
        """Call ``follower`` with each share that has ended, before we leave its room. It may be called twice."""
        self._over.append(follower)

    def tell(self, share: Share) -> None:
        """Tell those who listen that a share is in force."""
        for follower in self._begun:
            follower(share)

    async def end(self, officer: str, room_id: str, reason: str = "") -> Share:
        """End a share. From now on nothing goes there, nothing is taken, and what was taken is gone."""
        share = self._book.get(officer, room_id)
        if share.state is ShareState.ENDED:
            raise Refused("この分け合いは、もうおわっています", code="M_BAD_STATE", status=409)
        if len(reason) > MAX_REASON:
            raise InvalidParam(f"わけは{MAX_REASON}字までです")
        ended = self._ended(share, reason or "こちらから おわりにしました")
        await self._book.save(ended)
        await self._rooms.say(share, ShareState.ENDED, reason)
        await self._clear(ended)
        return ended

    async def finish(self) -> None:
        """Do what an interrupted run has left of shares that are over."""
        for share in self._book.shares():
            if share.state is ShareState.ENDED and await self._is_inside(share):
                await self._rooms.say(share, ShareState.ENDED, share.reason)
                await self._clear(share)

    async def hear(self, letter: Letter) -> None:
        """The other side has said its half."""
        share = self._book.find(letter.room_id)
        try:
            if share is None:
                raise Forbidden("分け合っていない相手が、分け合いの知らせを送りました")
            if letter.sender != share.user_id:
                raise Forbidden("分け合いの相手ではない人が、分け合いの知らせを送りました")
            if share.state is not ShareState.ENDED:
                await self._follow(share, letter)
        except Refused as refused:
            await self._book.refuse(letter.sender.partition(":")[2], refused.reason)
        except _UNREADABLE:
            await self._book.refuse(letter.sender.partition(":")[2], "分け合いの知らせが読めません")

    async def _follow(self, share: Share, letter: Letter) -> None:
        content = letter.content
        if content["state"] == ShareState.ENDED.value:
            reason = str(content.get("reason", ""))[:MAX_REASON] or "相手が おわりにしました"
            ended = self._ended(share, reason)
            await self._book.save(ended)
            await self._clear(ended)
            return
        party, terms = Party.from_json(content["party"]), Terms.from_json(content["terms"])
        if (party.server, party.user_id) != (share.server, share.user_id):
            raise Forbidden("分け合いの相手が、約束とちがう名のり方をしました")
        if not is_no_more(terms, share.taken):
            raise Forbidden("コードで決めたより多くのことを求められました")
        # The name stays that which our officers have read: nobody becomes somebody else afterwards.
        heard = replace(
            share, taken=terms, state=ShareState.IN_FORCE, changed_ts=self._book.clock.now_ms(),
            space_id=share.space_id or _room_id(content.get("space")),
            board_id=share.board_id if share.is_ours else share.board_id or _room_id(content.get("board")),
        )
        await self._book.save(heard)
        self.tell(heard)

    def _ended(self, share: Share, reason: str) -> Share:
        now = self._book.clock.now_ms()
        return replace(share, state=ShareState.ENDED, changed_ts=now, reason=reason)

    async def _clear(self, share: Share) -> None:
        for follower in self._over:
            await follower(share)
        await self._rooms.leave(share.room_id)

    async def _is_inside(self, share: Share) -> bool:
        try:
            return await self._rooms.verbs.membership_of(share.room_id, self._book.us.user_id) == "join"
        except Refused:
            return False


def is_no_more(terms: Terms, agreed: Terms) -> bool:
    """Whether a side shows no more than was agreed."""
    return terms.subjects <= agreed.subjects and {item.id for item in terms.facilities} <= {
        item.id for item in agreed.facilities}


def _room_id(value: object) -> str:
    return value if isinstance(value, str) and value.startswith("!") and len(value) <= 255 else ""
