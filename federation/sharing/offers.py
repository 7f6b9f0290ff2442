"""The side that asks a neighbour to share: codes, what they offer, and the room when the neighbour agrees."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from federation.links.codes import new_secret
from federation.links.model import MAX_NAME, Party
from federation.sharing import codes, shares_store
from federation.sharing.book import ShareBook
from federation.sharing.model import Share, ShareCode, ShareOffer, ShareState, Terms
from federation.sharing.rooms import ShareRooms
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters, server_name_of
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Writes

_DAY_MS: Final = 86_400_000
_MOST_OPEN: Final = 50
_REASONS: Final = {
    "used": "このコードは、もう使われています", "expired": "このコードは、期限が切れています",
    "withdrawn": "このコードは、取り消されています",
}


@dataclass(frozen=True, slots=True)
class ShareCard:
    """A code to be handed over; ``text`` is shown only now."""

    text: str
    record: ShareCode


class ShareOffers:
    """Codes of this node, and who brings them."""

    def __init__(self, book: ShareBook, rooms: ShareRooms) -> None:
        self._book = book
        self._rooms = rooms
        self._using = KeyedLocks()

    async def offer(self, officer: str, name: str, terms: Terms, days: int = 14) -> ShareCard:
        """A code for one neighbour, called ``name`` in our list. Nothing is shown to anybody before they agree."""
        self._book.require(officer)
        name, now = " ".join(name.split()), self._book.clock.now_ms()
        if not name or len(name) > MAX_NAME:
            raise InvalidParam(f"相手の名前を、1字から{MAX_NAME}字で書いてください")
        if not 1 <= days <= 60:
            raise InvalidParam("期限は60日までです")
        known = await shares_store.newest_codes(self._book.database, 500)
        if sum(item.state_at(now) == "open" for item in known) >= _MOST_OPEN:
            raise InvalidParam("まだ使われていないコードが多すぎます。いらないものを取り消してください")
        secret = new_secret()
        record = ShareCode(
            hash=codes.hash_of(secret), number=random_letters(6).upper(), name=name, terms=terms, issuer=officer,
            created_ts=now, expires_ts=now + days * _DAY_MS,
        )
        writes = Writes()
        shares_store.put_code(writes, record)
        await asyncio.shield(self._book.database.submit(writes))
        return ShareCard(codes.as_text(self._book.us.public_url, self._book.us.server, secret), record)

    async def codes(self, officer: str, limit: int = 50) -> list[ShareCode]:
        """The codes that were made, the newest first."""
        self._book.require(officer)
        return await shares_store.newest_codes(self._book.database, limit)

    async def withdraw(self, officer: str, code_hash: str) -> None:
        """Nobody may use this code any more."""
        self._book.require(officer)
        writes = Writes()
        shares_store.withdraw_code(writes, code_hash, self._book.clock.now_ms())
        await asyncio.shield(self._book.database.submit(writes))

    # ---- whoever brings one -----------------------------------------------------------------------------------------

    async def summary(self, server: str, secret: str) -> ShareOffer:
        """What a code offers; nothing is agreed by looking. Raises ``NotFound`` or ``Refused``."""
        record = await self._usable(server, secret)
        return ShareOffer(party=self._book.us.party, terms=record.terms, expires_ts=record.expires_ts)

    async def agree(self, server: str, secret: str, party: Party, terms: Terms) -> str:
        """A neighbour agrees, and shows ``terms``: the room of the share, into which it is invited.

        The same server may ask again where it did not hear the answer. Raises ``Refused``; then nothing has changed.
        """
        if party.server != server or server_name_of(party.user_id) != server or server == self._book.us.server:
            raise Forbidden("名のった相手と、つないできた相手がちがいます")
        async with self._using.hold(codes.hash_of(secret)):
            record = await self._usable(server, secret)
            if not terms.subjects <= record.terms.subjects:
                await self._book.refuse(server, "コードで決めたより多くのことを求められました")
                raise Forbidden("コードで決めたことと、ちがうことが求められています")
            room_id = record.room_id or await self._begin(record, party, terms)
            share = self._book.find(room_id)
            if share is None or share.state is ShareState.ENDED or share.user_id != party.user_id:
                raise Refused(_REASONS["used"], code="M_BAD_STATE", status=409)
            await self._rooms.call(room_id, party.user_id)
        return room_id

    async def _usable(self, server: str, secret: str) -> ShareCode:
        record = await shares_store.find_code(self._book.database, codes.hash_of(secret))
        if record is None:
            await self._book.refuse(server, "この町内会が出していないコードです")
            raise NotFound("そのコードはありません")
        state = record.state_at(self._book.clock.now_ms())
        if state == "open" or (state == "used" and record.used_by == server):
            return record
        await self._book.refuse(server, _REASONS[state])
        raise Refused(_REASONS[state], code="M_BAD_STATE", status=409)

    async def _begin(self, record: ShareCode, party: Party, terms: Terms) -> str:
        """The room, the share and the use of the code, in one commit."""
        if self._book.with_server(party.server) is not None:
            raise Refused("この相手とは、もう分け合っています", code="M_BAD_STATE", status=409)
        now = self._book.clock.now_ms()
        # What the neighbour does not want to share, we do not show it either.
        ours = Terms(terms.subjects, record.terms.facilities if _has_facilities(terms) else ())
        share = Share(
            room_id="", server=party.server, user_id=party.user_id, name=party.name.strip() or record.name,
            kind=party.kind, is_ours=True, given=ours, taken=terms, state=ShareState.AGREEING, begun_ts=now,
            changed_ts=now,
        )
        made: list[str] = []

        def also(room_id: str, writes: Writes) -> None:
            made.append(room_id)
            self._book.put(writes, replace(share, room_id=room_id))
            shares_store.put_code(writes, replace(record, used_by=party.server, room_id=room_id))

        await self._rooms.create(share, also)
        return made[0]


def _has_facilities(terms: Terms) -> bool:
    return any(item.value == "facilities" for item in terms.subjects)
