"""What a neighbour tells is judged and kept: only what was agreed, only of themselves, and only so much of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from federation.links.inbox_store import Letter
from federation.sharing import things_store
from federation.sharing.book import ShareBook
from federation.sharing.contents import (
    Told,
    read_answer,
    read_far_facility,
    read_gathering,
    read_request,
    read_told,
)
from federation.sharing.hazards import read_hazard
from federation.sharing.model import Kind, Share
from federation.sharing.things_store import Taken
from server.foundation.errors import Forbidden, InvalidParam, Refused
from server.storage.database import Writes

_UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, IndexError)
_HOUR_MS: Final = 3_600_000
_MOST_AN_HOUR: Final = 600
# So long it is remembered that something is gone, so that what is older and comes later does not bring it back.
_GONE_MS: Final = 30 * 86_400_000
_READERS: Final[Mapping[Kind, Callable[[str, Mapping[str, Any]], object]]] = {
    Kind.GATHERING: read_gathering, Kind.FACILITY: read_far_facility, Kind.HAZARD: read_hazard,
    Kind.REQUEST: read_request, Kind.ANSWER: read_answer,
}
_WITH_GONE: Final = 5
OnRequest = Callable[[Share, Taken], Awaitable[None]]


class Taking:
    """Reads the letters of neighbours."""

    def __init__(self, book: ShareBook) -> None:
        self._book = book
        self._on_request: OnRequest | None = None
        self._heard: dict[str, tuple[int, int]] = {}

    def on_request(self, follower: OnRequest) -> None:
        """Who decides upon requests for our facilities; may be called twice with the same."""
        self._on_request = follower

    async def hear(self, letter: Letter) -> None:
        """Read one letter."""
        try:
            share, told = self._judged(letter)
            await self._take(share, told)
        except Refused as refused:
            await self._book.refuse(letter.sender.partition(":")[2], refused.reason)

    async def forget_what_is_gone(self) -> None:
        """Rows of things that are gone, after a while."""
        writes = Writes()
        things_store.drop_gone(writes, self._book.clock.now_ms() - _GONE_MS)
        await asyncio.shield(self._book.database.submit(writes))

    def _judged(self, letter: Letter) -> tuple[Share, Told]:
        """What is told, where it may be; raises ``Refused``."""
        share = self._share_of(letter)
        self._require_not_too_much(share)
        try:
            told = read_told(letter.content)
            self._require_agreed(share, told)
        except _UNREADABLE:
            raise InvalidParam("読めない知らせでした") from None
        return share, told

    # ---- who may say what -------------------------------------------------------------------------------------------

    def _share_of(self, letter: Letter) -> Share:
        share = self._book.find(letter.room_id)
        if share is None:
            raise Forbidden("分け合っていない相手が、知らせを送ってきました")
        if letter.sender != share.user_id:
            raise Forbidden("分け合いの相手ではない人が、知らせを送ってきました")
        if not share.is_in_force:
            raise Forbidden("この分け合いは、おわっています")
        return share

    def _require_not_too_much(self, share: Share) -> None:
        now = self._book.clock.now_ms()
        since, heard = self._heard.get(share.room_id, (now, 0))
        if now - since >= _HOUR_MS:
            since, heard = now, 0
        self._heard[share.room_id] = (since, heard + 1)
        if heard >= _MOST_AN_HOUR:
            raise Forbidden("知らせが多すぎます。1時間、受けとりません")

    def _require_agreed(self, share: Share, told: Told) -> None:
        if not share.shares(told.kind.subject):
            raise Forbidden(f"分け合う約束をしていないもの（{told.kind.subject.label}）です")
        if told.value is None:
            return
        _READERS[told.kind](told.id, told.value)
        if told.kind is Kind.FACILITY and not share.taken.opens(told.id):
            raise Forbidden("約束していない集会所などです")
        if told.kind is Kind.REQUEST and not share.given.opens(read_request(told.id, told.value).wish.facility_id):
            raise Forbidden("見せていない集会所などの予約を、たのまれました")

    # ---- keeping it -------------------------------------------------------------------------------------------------

    async def _take(self, share: Share, told: Told) -> None:
        database, kind = self._book.database, told.kind.value
        known = await things_store.find_taken(database, share.room_id, kind, told.id)
        if known is not None and told.revision < known.revision:
            return  # it was overtaken on its way
        if known is None:
            if told.value is None:
                return
            there, rows = await things_store.count_taken(database, share.room_id, kind)
            if there >= told.kind.most or rows >= told.kind.most * _WITH_GONE:
                raise Forbidden(f"{told.kind.subject.label}が多すぎます（{told.kind.most}まで）")
        if known is None or told.revision > known.revision:
            known = Taken(
                share.room_id, kind, told.id, told.revision, told.value or {}, self._book.clock.now_ms(),
                known.note if known is not None else "")
            writes = Writes()
            things_store.take(writes, known)
            await asyncio.shield(database.submit(writes))
            self._book.move()
        # Also for a letter that is read again, since the node may have been stopped right here.
        if told.kind is Kind.REQUEST and self._on_request is not None:
            await self._on_request(share, known)
