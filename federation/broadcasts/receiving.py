"""A notice comes over a link: who may speak to whom, signed by whom, for whom; then it is shown, held, or refused.

A notice counts once, whatever ways it comes by. What is refused is never shown to a resident, is logged, and stands in
the officers' list with its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from federation.broadcasts import notices_store
from federation.broadcasts.model import Content, Kind, Notice, Priority, Record, Stage, Standing
from federation.broadcasts.notices_store import Way
from federation.broadcasts.sending import Sending
from federation.broadcasts.showing import Showing
from federation.links.book import LinkBook
from federation.links.inbox import NotYet
from federation.links.inbox_store import Letter
from federation.links.model import Direction, Link, NodeKind, covers, touches
from federation.links.proofs import Proof, Proofs
from server.foundation.canonical_json import canonical_json
from server.foundation.errors import Forbidden, Refused
from server.foundation.keyed_locks import KeyedLocks
from server.storage.database import Writes

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)
# How long a notice waits for the keys of whoever is said to have signed it.
_PATIENCE_MS: Final = 24 * 3_600_000
_WHAT: Final = "一斉配信"
# So far may clocks of servers differ.
_AHEAD_MS: Final = 10 * 60_000


class Receiving:
    """Reads the letters of broadcasts."""

    def __init__(self, book: LinkBook, proofs: Proofs, showing: Showing, sending: Sending) -> None:
        self._book = book
        self._proofs = proofs
        self._showing = showing
        self._sending = sending
        # One notice is changed by one at a time.
        self.deciding = KeyedLocks()
        self._followers: list[Callable[[Record], None]] = []

    def listen(self, follower: Callable[[Record], None]) -> None:
        """Call ``follower`` with each notice that has come, was decided upon or has changed."""
        self._followers.append(follower)

    def announce(self, record: Record) -> None:
        """Tell those who listen."""
        for follower in self._followers:
            follower(record)

    async def hear(self, letter: Letter) -> None:
        """Read one letter. Raises ``NotYet`` where the keys cannot be had now."""
        server = letter.sender.partition(":")[2]
        title = _title_in(letter.content)
        try:
            link = self._link_of(letter)
            notice, signed = _read(letter.content)
            await self._require_authentic(letter, link, notice, signed)
            self._require_for_us(link, notice)
            async with self.deciding.hold(notice.key):
                await self._take(letter, link, notice, signed)
        except Forbidden as refused:
            await self._book.refuse(server, f"{_WHAT}「{title}」", refused.reason)

    # ---- who may speak ----------------------------------------------------------------------------------------------

    def _link_of(self, letter: Letter) -> Link:
        link = self._book.find(letter.room_id)
        if link is None:
            raise Forbidden("つながりのない相手が、一斉配信を送ってきました")
        if link.direction is not Direction.ABOVE or letter.sender != link.user_id:
            raise Forbidden("一斉配信を送る権限のない人が、送ってきました")
        if not link.is_in_force:
            raise Forbidden("このつながりは、もう終わっています")
        return link

    async def _require_authentic(self, letter: Letter, link: Link, notice: Notice, signed: Content) -> None:
        if notice.origin == link.server:
            if notice.from_kind is not link.kind:
                raise Forbidden("名のり（市・連合会）が、つながりの相手とちがいます")
        else:
            await self._require_mandate(letter, link, notice)
        await self._require_signed(letter, signed, notice.origin, notice.changed_ts, link, (
            "署名が正しくありません。書きかえられたか、にせものです"))

    async def _require_mandate(self, letter: Letter, link: Link, notice: Notice) -> None:
        """Whoever passes on what others say, may: those others have said so, signed."""
        for mandate in link.mandates:
            if mandate.get("issuer") != notice.origin or mandate.get("holder") != link.server:
                continue
            if mandate.get("issuer_kind") != notice.from_kind.value or not _touches(mandate, notice):
                continue
            await self._require_signed(letter, mandate, notice.origin, int(mandate["ts"]), link, (
                "伝えてよいという証明が正しくありません"))
            return
        raise Forbidden("この相手は、その市・連合会の知らせを伝える約束がありません")

    async def _require_signed(
        self, letter: Letter, signed: Content, server: str, ts: int, link: Link, otherwise: str
    ) -> None:
        proof = await self._proofs.look(signed, server, ts, [link.server])
        if proof is Proof.UNKNOWN and self._book.clock.now_ms() < letter.ts + _PATIENCE_MS:
            raise NotYet
        if proof is not Proof.TRUE:
            raise Forbidden(otherwise)

    def _require_for_us(self, link: Link, notice: Notice) -> None:
        now, said = self._book.clock.now_ms(), notice.message
        if now >= notice.expires_ts and not notice.stage.is_over:
            raise Forbidden("掲載の期限が切れた知らせです")
        if notice.changed_ts > now + _AHEAD_MS:
            raise Forbidden("日時が先すぎる知らせです。どちらかの時計が合っていません")
        passes_on = self._book.us.kind is NodeKind.FEDERATION and touches(link.terms.codes, said.areas)
        if not passes_on and not covers(said.areas, link.terms.codes):
            raise Forbidden("この地域あての知らせではありません")
        if said.category not in link.terms.categories:
            raise Forbidden(f"受けとる約束をしていない分野（{said.category.label}）です")

    # ---- what becomes of it -----------------------------------------------------------------------------------------

    async def _take(self, letter: Letter, link: Link, notice: Notice, signed: Content) -> None:
        database = self._book.database
        known = await notices_store.find(database, notice.key)
        ways = await notices_store.ways_of(database, notice.key) if known is not None else []
        self._require_not_replayed(letter, link, notice, ways)
        if known is not None and known.is_own:
            raise Forbidden("ここから送ったものが、送り返されてきました")
        if known is not None and notice.revision <= known.notice.revision:
            await self._again(letter, link, notice, signed, known)
            return
        if known is not None and not _same_thing(known.notice, notice):
            raise Forbidden("前の知らせと、あて先や種類がちがう訂正です")
        record = self._next(known, notice, signed)
        await self._keep(letter, link, record, notice)
        await self._carry_out(record)

    def _require_not_replayed(self, letter: Letter, link: Link, notice: Notice, ways: Sequence[Way]) -> None:
        """The same revision over the same link, in another event."""
        for way in ways:
            if (way.revision, way.room_id) == (notice.revision, link.room_id) and way.event_id != letter.event_id:
                raise Forbidden("前に届いた知らせが、もう一度送られてきました")

    async def _again(self, letter: Letter, link: Link, notice: Notice, signed: Content, known: Record) -> None:
        """It came before: by another link, or this very letter was being read when the node was stopped."""
        kept = await notices_store.original(self._book.database, notice.key, notice.revision)
        if kept is None:
            raise Forbidden("もっと新しい知らせが届いた後に、古いものが届きました")
        if canonical_json(kept) != canonical_json(signed):
            raise Forbidden("同じ番号で、中身のちがう知らせです")
        writes = Writes()
        notices_store.add_way(writes, Way(
            notice.key, notice.revision, link.room_id, letter.event_id, self._book.clock.now_ms()))
        await asyncio.shield(self._book.database.submit(writes))
        if notice.revision == known.notice.revision:
            await self._carry_out(known)

    def _next(self, known: Record | None, notice: Notice, signed: Content) -> Record:
        if known is not None:
            standing = Standing.ARRIVED if known.standing in (Standing.SHOWN, Standing.PASSED) else known.standing
            return known.now(notice=notice, signed=signed, standing=standing)
        standing = Standing.HELD if self._waits_for_an_officer(notice) else Standing.ARRIVED
        if notice.stage is Stage.CANCELLED:
            standing = Standing.DECLINED  # it was taken back before we have seen it
        return Record(notice=notice, signed=signed, standing=standing, received_ts=self._book.clock.now_ms())

    def _waits_for_an_officer(self, notice: Notice) -> bool:
        said = notice.message
        is_real_check = said.kind is Kind.SAFETY_CHECK and not said.drill
        return said.category in self._book.held and said.priority is not Priority.ALERT and not is_real_check

    async def _keep(self, letter: Letter, link: Link, record: Record, notice: Notice) -> None:
        """The notice, its original, the way that it came, and the ways that it goes on: one commit."""
        writes = Writes()
        notices_store.put(writes, record)
        now = self._book.clock.now_ms()
        notices_store.add_way(writes, Way(notice.key, notice.revision, link.room_id, letter.event_id, now))
        if self._book.us.kind is not NodeKind.ASSOCIATION:
            self._sending.plan(
                writes, notice, await self._sending.rooms_that_had(notice.key), skip=notice.origin)
        await asyncio.shield(self._book.database.submit(writes))

    async def _carry_out(self, record: Record) -> None:
        """Pass it on, show it. Doing it twice is doing it once."""
        if self._book.us.kind is not NodeKind.ASSOCIATION:
            await self._sending.deliver()
        if record.standing is Standing.ARRIVED:
            await self.show(record)
        else:
            self.announce(record)

    async def show(self, record: Record) -> Record:
        """Show a notice to the association, or bring what is shown to its newest revision."""
        if record.circular_id or record.twin_id:
            await self._showing.follow(record)
        elif record.notice.stage is not Stage.CANCELLED and covers(record.notice.message.areas, self._own_areas()):
            record = await self._showing.show(record)
            if record.notice.stage is Stage.CLOSED:
                await self._showing.follow(record)
        is_seen = record.circular_id or record.twin_id
        shown = record.now(standing=Standing.SHOWN if is_seen else Standing.PASSED)
        writes = Writes()
        notices_store.put(writes, shown)
        await asyncio.shield(self._book.database.submit(writes))
        self.announce(shown)
        return shown

    def _own_areas(self) -> list[str]:
        return [code for link in self._book.in_force(Direction.ABOVE) for code in link.terms.codes]


def _read(content: Content) -> tuple[Notice, Content]:
    signed = content.get("notice")
    if not isinstance(signed, dict):
        raise Forbidden("読めない知らせです")
    try:
        return Notice.from_json(signed), signed
    except _UNREADABLE:
        raise Forbidden("読めない知らせです") from None


def _title_in(content: Content) -> str:
    signed: Any = content.get("notice")
    title = signed.get("title") if isinstance(signed, dict) else None
    return title[:60] if isinstance(title, str) else "？"


def _touches(mandate: Content, notice: Notice) -> bool:
    areas = mandate.get("areas")
    return isinstance(areas, list) and touches([str(code) for code in areas], notice.message.areas)


def _same_thing(before: Notice, after: Notice) -> bool:
    one, other = before.message, after.message
    return (
        (one.kind, one.areas, one.for_officers, one.choices, one.drill)
        == (other.kind, other.areas, other.for_officers, other.choices, other.drill)
        and before.sent_ts == after.sent_ts and before.from_kind is after.from_kind
    )
