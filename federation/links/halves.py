"""The two halves of a link in its room: each side says for itself what it agrees to, and when it ends.

Event ``jp.kairan.link``, a state event whose state key is the account that says it, so that neither side can speak for
the other; each is signed by its server like every event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from federation.links.book import LinkBook
from federation.links.inbox_store import Letter
from federation.links.model import LINK, MAX_NAME, Content, Direction, Link, LinkState, NodeKind, Party, Terms
from server.foundation.errors import InvalidParam, Refused
from server.foundation.signatures import SigningKey, sign_json
from server.rooms.send_event import Draft, EventSender

logger = logging.getLogger(__name__)

MANDATE: Final = "jp.kairan.mandate"
MAX_REASON: Final = 300
_MOST_MANDATES: Final = 20
_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)


def half_content(us: Party, terms: Terms, now_ms: int, mandates: tuple[Content, ...] = ()) -> Content:
    """What one side says when it agrees."""
    content: Content = {
        "state": LinkState.IN_FORCE.value, "party": us.as_json(), "terms": terms.as_json(), "ts": now_ms,
        "body": f"{us.name}（{us.kind.label}）",
    }
    return {**content, "mandates": list(mandates)} if mandates else content


def make_mandate(us: Party, key: SigningKey, holder: str, terms: Terms, now_ms: int) -> Content:
    """The city says, signed, that a federation of associations may pass its notices on."""
    return sign_json({
        "type": MANDATE, "issuer": us.server, "issuer_name": us.name, "issuer_kind": us.kind.value, "holder": holder,
        "areas": terms.codes, "ts": now_ms,
    }, us.server, key)


def readable_mandates(value: object) -> tuple[Content, ...]:
    """The mandates that a half carries, as far as they look like some; whether they are true is for the reader."""
    found = value if isinstance(value, list) else []
    return tuple(
        item for item in found[:_MOST_MANDATES]
        if isinstance(item, dict) and item.get("type") == MANDATE and isinstance(item.get("issuer"), str)
        and isinstance(item.get("signatures"), dict)
    )


class Halves:
    """Says our half, and hears the other's."""

    def __init__(self, book: LinkBook, sender: EventSender) -> None:
        self._book = book
        self._sender = sender
        self._followers: list[Callable[[Link], None]] = []

    def listen(self, follower: Callable[[Link], None]) -> None:
        """Call ``follower`` with each link to one below that has come into force."""
        self._followers.append(follower)

    def own_content(self, link: Link) -> Content:
        """Our half as it is to stand now."""
        us, terms = self._book.us.party, link.offered if link.direction is Direction.BELOW else link.terms
        mandates: tuple[Content, ...] = ()
        if link.direction is Direction.BELOW:
            mandates = self._mandates_for(link)
        return half_content(us, terms, link.begun_ts, mandates)

    def _mandates_for(self, link: Link) -> tuple[Content, ...]:
        """What lets the one below pass our notices on; or what lets us pass on those of the ones above us."""
        us = self._book.us
        if us.kind is NodeKind.CITY:
            if link.kind is not NodeKind.FEDERATION:
                return ()
            return (make_mandate(us.party, self._sender.identity.key, link.server, link.offered, link.begun_ts),)
        return tuple(
            mandate for above in self._book.in_force(Direction.ABOVE) for mandate in above.mandates
            if mandate.get("holder") == us.server
        )

    async def say(self, link: Link) -> None:
        """Say our half, unless it stands so already."""
        await self._sender.send(self._draft(link, self.own_content(link)))

    async def say_again_below(self) -> None:
        """Whose notices we pass on has changed: those below us hear of it."""
        for link in self._book.in_force(Direction.BELOW):
            await self.say(link)

    async def end(self, officer: str, room_id: str, reason: str = "") -> Link:
        """End a link; from now on nothing of the other side is taken, and nothing goes there."""
        link = self._book.get(officer, room_id)
        if link.state is LinkState.ENDED:
            raise Refused("このつながりは、もう終わっています", code="M_BAD_STATE")
        if len(reason) > MAX_REASON:
            raise InvalidParam(f"理由は{MAX_REASON}字までです")
        now = self._book.clock.now_ms()
        content = {**self.own_content(link), "state": LinkState.ENDED.value, "reason": reason, "ts": now}
        await self._sender.send(self._draft(link, content))
        ended = replace(link, state=LinkState.ENDED, changed_ts=now, reason=reason or "こちらから終わりにしました")
        await self._book.save(ended)
        if link.direction is Direction.ABOVE:
            await self.say_again_below()
        return ended

    async def hear(self, letter: Letter) -> None:
        """The other side has said its half, or ended the link."""
        link = self._book.find(letter.room_id)
        if link is None or letter.sender == self._book.us.user_id:
            return
        try:
            await self._follow(link, letter)
        except _UNREADABLE as fault:
            reason = fault.reason if isinstance(fault, Refused) else "つながりの知らせが読めません"
            await self._book.refuse(letter.sender.partition(":")[2], "つながり", reason)

    async def _follow(self, link: Link, letter: Letter) -> None:
        if letter.sender != link.user_id:
            raise Refused("つながりの相手ではない人が、つながりの知らせを送りました")
        if link.state is LinkState.ENDED:
            return
        now = self._book.clock.now_ms()
        if letter.content["state"] == LinkState.ENDED.value:
            reason = str(letter.content.get("reason", ""))[:MAX_REASON] or "相手が終わりにしました"
            await self._book.save(replace(link, state=LinkState.ENDED, changed_ts=now, reason=reason))
        else:
            heard = replace(agreed(link, letter.content), changed_ts=now)
            await self._book.save(heard)
            if heard.direction is Direction.BELOW:
                for follower in self._followers:
                    follower(heard)
        if link.direction is Direction.ABOVE:
            await self.say_again_below()

    def _draft(self, link: Link, content: Content) -> Draft:
        me = self._book.us.user_id
        return Draft(link.room_id, me, LINK, content, state_key=me)


def agreed(link: Link, half: Mapping[str, Any]) -> Link:
    """A link with what the other side says; raises ``Refused`` where it takes more than was offered."""
    party = Party.from_json(half["party"])
    if party.server != link.server or party.user_id != link.user_id or party.kind is not link.kind:
        raise Refused("つながりの相手が、約束とちがう名のり方をしました")
    name = party.name.strip()[:MAX_NAME] or link.name
    if link.direction is Direction.ABOVE:
        return replace(link, name=name, mandates=readable_mandates(half.get("mandates")))
    terms = Terms.from_json(half["terms"])
    if not terms.is_no_more_than(link.offered):
        raise Refused("招待で決めたより多くのことを求められました")
    return replace(link, name=name, terms=terms, state=LinkState.IN_FORCE)
