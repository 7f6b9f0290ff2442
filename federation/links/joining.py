"""The side that is invited: an officer reads what a code offers, agrees to it, and the link begins."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from federation.links.book import LinkBook
from federation.links.codes import Code, read_code
from federation.links.halves import Halves, readable_mandates
from federation.links.model import (
    LINK,
    Category,
    Direction,
    Link,
    LinkState,
    Party,
    Summary,
    Terms,
    Told,
)
from federation.links.offers import RoomVerbs
from server.foundation.errors import Refused
from server.rooms.ports import PeerFailed

logger = logging.getLogger(__name__)

SUMMARY_PATH: Final = "/_matrix/federation/unstable/jp.kairan/link/summary"
AGREE_PATH: Final = "/_matrix/federation/unstable/jp.kairan/link/agree"
_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


class Asker(Protocol):
    """Asks other servers, signed."""

    async def ask(self, server: str, method: str, path: str, *, content: Mapping[str, Any]) -> Any:
        """The JSON of the answer; raises ``PeerFailed``."""


class Joining:
    """Accepting invitations."""

    def __init__(
        self, book: LinkBook, halves: Halves, rooms: RoomVerbs, asker: Asker
    ) -> None:
        self._book = book
        self._halves = halves
        self._rooms = rooms
        self._asker = asker

    async def summary(self, officer: str, code: str) -> Summary:
        """What a code offers; nothing is agreed by looking. Raises ``Forbidden`` or ``Refused`` in plain words."""
        self._book.require(officer)
        return await self._summary(read_code(code))

    async def agree(
        self, officer: str, code: str, *, categories: Iterable[Category] | None = None,
        told: Iterable[Told] | None = None,
    ) -> Link:
        """Agree to what a code offers, or to less of it: only some categories, only some figures.

        Answers the link in force. Where the network fails in between, the same code may be entered again, and a link
        that was begun is also completed by itself at the next start.
        """
        self._book.require(officer)
        read = read_code(code)
        summary = await self._summary(read)
        if self._book.with_server(read.server) is not None:
            raise Refused("この相手とは、もうつながっています", code="M_BAD_STATE", status=409)
        terms = _less(summary.terms, categories, told)
        mine = self._book.us.party
        answer = await self._asker.ask(
            read.server, "POST", AGREE_PATH,
            content={"code": read.secret, "party": mine.as_json(), "terms": terms.as_json()},
        )
        link = self._begun(_room_in(answer), summary, terms)
        await self._book.save(link)
        return await self.complete(link)

    async def complete(self, link: Link) -> Link:
        """Enter the room of a link that was agreed, and say so there. Doing it twice is doing it once."""
        me = self._book.us.user_id
        await self._rooms.membership.join(link.room_id, me, via=[link.server])
        room = await self._rooms.rooms.get(link.room_id)
        theirs = room.content(LINK, link.user_id)
        if not theirs or room.create_event.sender != link.user_id:
            raise PeerFailed("相手の約束が、つながりの部屋にありません")
        await self._halves.say(link)
        joined = replace(
            link, state=LinkState.IN_FORCE, mandates=readable_mandates(theirs.get("mandates")),
            changed_ts=self._book.clock.now_ms(),
        )
        await self._book.save(joined)
        await self._halves.say_again_below()
        return joined

    async def complete_all(self) -> None:
        """Go on with what an interrupted run has begun."""
        for link in self._book.links(Direction.ABOVE):
            if link.state is LinkState.AGREEING:
                try:
                    await self.complete(link)
                except Refused as refused:
                    logger.warning("a link could not be completed: %s", refused)

    async def _summary(self, code: Code) -> Summary:
        answer = await self._asker.ask(
            code.server, "POST", SUMMARY_PATH, content={"code": code.secret}
        )
        try:
            return read_summary(answer, code.server)
        except _UNREADABLE:
            raise PeerFailed("相手の答えが読めません") from None

    def _begun(self, room_id: str, summary: Summary, terms: Terms) -> Link:
        now, them = self._book.clock.now_ms(), summary.party
        return Link(
            room_id=room_id, direction=Direction.ABOVE, server=them.server, user_id=them.user_id, name=them.name,
            kind=them.kind, terms=terms, offered=summary.terms, state=LinkState.AGREEING, begun_ts=now,
            changed_ts=now,
        )


def summary_as_json(summary: Summary) -> dict[str, Any]:
    """As the door answers it."""
    return {
        "party": summary.party.as_json(), "terms": summary.terms.as_json(), "expires_ts": summary.expires_ts,
        "above": list(summary.above),
    }


def read_summary(value: Mapping[str, Any], server: str) -> Summary:
    """Read that; raises what cannot be read, also where somebody else answers than who was asked."""
    party = Party.from_json(value["party"])
    if party.server != server or party.user_id.partition(":")[2] != server:
        raise Refused("名のった相手と、たずねた相手がちがいます")
    return Summary(
        party=party, terms=Terms.from_json(value["terms"]), expires_ts=int(value["expires_ts"]),
        above=[str(name) for name in value.get("above", ())][:20],
    )


def _less(offered: Terms, categories: Iterable[Category] | None, told: Iterable[Told] | None) -> Terms:
    return replace(
        offered,
        categories=offered.categories if categories is None else frozenset(categories) & offered.categories,
        told=offered.told if told is None else frozenset(told) & offered.told,
    )


def _room_in(answer: object) -> str:
    room_id = answer.get("room_id") if isinstance(answer, dict) else None
    if not isinstance(room_id, str) or not room_id.startswith("!"):
        raise PeerFailed("相手の答えが読めません")
    return room_id
