"""The side that is asked to share: an officer reads what a code offers, chooses what to show, and agrees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from federation.links.codes import Code
from federation.links.joining import Asker
from federation.links.model import Party
from federation.sharing.book import ShareBook
from federation.sharing.codes import read_code
from federation.sharing.model import SHARING, Content, Share, ShareOffer, ShareState, Terms
from federation.sharing.rooms import ShareRooms
from server.foundation.errors import Refused
from server.rooms.ports import PeerFailed

logger = logging.getLogger(__name__)

SUMMARY_PATH: Final = "/_matrix/federation/unstable/jp.kairan/share/summary"
AGREE_PATH: Final = "/_matrix/federation/unstable/jp.kairan/share/agree"
UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class ShareJoining:
    """Agreeing to what neighbours offer."""

    def __init__(
        self, book: ShareBook, rooms: ShareRooms, asker: Asker, begun: Callable[[Share], None]
    ) -> None:
        self._book = book
        self._begin = begun
        self._rooms = rooms
        self._asker = asker

    async def summary(self, officer: str, code: str) -> ShareOffer:
        """What a code offers; nothing is agreed by looking. Raises ``Forbidden`` or ``Refused`` in plain words."""
        self._book.require(officer)
        return await self._summary(read_code(code))

    async def agree(self, officer: str, code: str, terms: Terms) -> Share:
        """Agree, and show ``terms``: at most the subjects that were offered. Answers the share in force.

        Where the network fails in between, the same code may be entered again, and a share that was begun is also
        completed by itself at the next start.
        """
        self._book.require(officer)
        read = read_code(code)
        offer = await self._summary(read)
        if not terms.subjects <= offer.terms.subjects:
            raise Refused("相手が えらんでいないものは、分け合えません", code="M_BAD_STATE", status=409)
        known = self._book.with_server(read.server)
        if known is not None and known.is_in_force:
            raise Refused("この相手とは、もう分け合っています", code="M_BAD_STATE", status=409)
        mine = self._book.us.party.as_json()
        answer = await self._asker.ask(
            read.server, "POST", AGREE_PATH, content={"code": read.secret, "party": mine, "terms": terms.as_json()})
        share = self._begun(_room_in(answer), offer, terms)
        await self._book.save(share)
        return await self.complete(share)

    async def complete(self, share: Share) -> Share:
        """Enter the room of a share that was agreed, and say so there. Doing it twice is doing it once."""
        await self._rooms.verbs.membership.join(share.room_id, self._book.us.user_id, via=[share.server])
        room = await self._rooms.verbs.rooms.get(share.room_id)
        theirs = room.content(SHARING, share.user_id)
        if not theirs or room.create_event.sender != share.user_id:
            raise PeerFailed("相手の約束が、分け合いの部屋にありません")
        # What holds is what stands in the room; it must not be more than what our officer has read.
        taken = _terms_in(theirs)
        if not taken.subjects <= share.given.subjects or not _is_among(taken, share.taken):
            raise PeerFailed("相手の約束が、コードで見たものとちがいます")
        joined = replace(
            share, state=ShareState.IN_FORCE, taken=taken, space_id=_text(theirs, "space"),
            board_id=_text(theirs, "board"), changed_ts=self._book.clock.now_ms(),
        )
        await self._rooms.say(joined)
        await self._book.save(joined)
        self._begin(joined)
        return joined

    async def complete_all(self) -> None:
        """Go on with what an interrupted run has begun."""
        for share in self._book.shares():
            if share.state is ShareState.AGREEING and not share.is_ours:
                try:
                    await self.complete(share)
                except Refused as refused:
                    logger.warning("a share could not be completed: %s", refused)

    async def _summary(self, code: Code) -> ShareOffer:
        answer = await self._asker.ask(code.server, "POST", SUMMARY_PATH, content={"code": code.secret})
        try:
            return read_offer(answer, code.server)
        except UNREADABLE:
            raise PeerFailed("相手の答えが読めません") from None

    def _begun(self, room_id: str, offer: ShareOffer, terms: Terms) -> Share:
        now, them = self._book.clock.now_ms(), offer.party
        return Share(
            room_id=room_id, server=them.server, user_id=them.user_id, name=them.name, kind=them.kind, is_ours=False,
            given=terms, taken=offer.terms, state=ShareState.AGREEING, begun_ts=now, changed_ts=now,
        )


def offer_as_json(offer: ShareOffer) -> Content:
    """As the door answers it."""
    return {"party": offer.party.as_json(), "terms": offer.terms.as_json(), "expires_ts": offer.expires_ts}


def read_offer(value: Any, server: str) -> ShareOffer:
    """Read that; raises what cannot be read, also where somebody else answers than who was asked."""
    party = Party.from_json(value["party"])
    if party.server != server or party.user_id.partition(":")[2] != server or not party.name.strip():
        raise Refused("名のった相手と、たずねた相手がちがいます")
    return ShareOffer(party=party, terms=Terms.from_json(value["terms"]), expires_ts=int(value["expires_ts"]))


def _terms_in(half: Mapping[str, Any]) -> Terms:
    try:
        return Terms.from_json(half["terms"])
    except UNREADABLE:
        raise PeerFailed("相手の約束が読めません") from None


def _is_among(terms: Terms, offered: Terms) -> bool:
    return terms.subjects <= offered.subjects and {item.id for item in terms.facilities} <= {
        item.id for item in offered.facilities}


def _text(half: Mapping[str, Any], key: str) -> str:
    value = half.get(key)
    return value if isinstance(value, str) and value.startswith("!") and len(value) <= 255 else ""


def _room_in(answer: object) -> str:
    room_id = answer.get("room_id") if isinstance(answer, dict) else None
    if not isinstance(room_id, str) or not room_id.startswith("!"):
        raise PeerFailed("相手の答えが読めません")
    return room_id
