"""The desk that writes: send, correct, close, cancel; and the way down over every link that leads to the audience.

That a notice shall go over a link is a row, and that it has gone is written in the transaction of its event: whoever is
stopped in the middle goes on behind the last one, and nothing goes twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from federation.broadcasts import notices_store, public_store, sends_store
from federation.broadcasts.model import (
    BROADCAST,
    Content,
    Kind,
    Message,
    Notice,
    Priority,
    Record,
    Stage,
    Standing,
    event_content,
)
from federation.broadcasts.public import Openness, is_to_be_public
from federation.broadcasts.sends_store import Send
from federation.links.book import LinkBook
from federation.links.model import Direction, Link, touches
from server.foundation.errors import Forbidden, InvalidParam, NotFound, Refused
from server.foundation.ids import random_letters
from server.foundation.keyed_locks import KeyedLocks
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Writes

logger = logging.getLogger(__name__)

_ID_LETTERS: Final = 14
_TOGETHER: Final = 50
_MOST_CAUGHT_UP: Final = 100
DEFAULT_VALID_MS: Final = 60 * 86_400_000


class Sending:
    """Broadcasts of this node."""

    def __init__(self, book: LinkBook, sender: EventSender) -> None:
        self._book = book
        self._sender = sender
        self._changing = KeyedLocks()
        self._delivering = asyncio.Lock()

    # ---- the desk ---------------------------------------------------------------------------------------------------

    async def send(self, officer: str, message: Message, openness: Openness = Openness.NO) -> Record:
        """Send a broadcast, also to everybody who reads the public feeds where ``openness`` is so.

        Answers when it is written and on its way; ``Forbidden``, ``InvalidParam``, ``Refused``.
        """
        await self._require_desk(officer)
        notice = self.as_notice(message)
        if not self.links_for(message):
            raise Refused("このあて先につながっている町内会・連合会が、まだありません", code="M_NOT_FOUND", status=404)
        return await self._publish(notice, None, is_public=is_to_be_public(notice.message, openness))

    def as_notice(self, message: Message) -> Notice:
        """A message as it would be sent now; raises ``InvalidParam`` where it cannot be."""
        now, us = self._book.clock.now_ms(), self._book.us
        notice = Notice(
            origin=us.server, id=random_letters(_ID_LETTERS), revision=1, stage=Stage.SENT, from_name=us.party.name,
            from_kind=us.kind, message=_cleaned(message), sent_ts=now, changed_ts=now,
            expires_ts=now + DEFAULT_VALID_MS if message.expires_ts is None else message.expires_ts,
        )
        notice.check()
        if message.deadline is not None and message.deadline <= now:
            raise InvalidParam("期限は、これからの日時にしてください")
        return notice

    async def correct(self, officer: str, key: str, message: Message, reason: str = "") -> Record:
        """Put a corrected text in the place of the old one, everywhere. Audience, kind and choices stay."""
        async with self._changing.hold(key):
            before = await self._own(officer, key)
            old = before.notice.message
            said = replace(
                _cleaned(message), areas=old.areas, kind=old.kind, choices=old.choices, most=old.most,
                drill=old.drill, for_officers=old.for_officers,
            )
            return await self._change(before, Stage.CORRECTED, reason, said)

    async def close(self, officer: str, key: str, reason: str = "") -> Record:
        """End a survey or a safety check everywhere; the last figures come by themselves."""
        async with self._changing.hold(key):
            before = await self._own(officer, key)
            if before.notice.message.kind is Kind.NOTICE:
                raise Refused("お知らせは締め切れません。取り消すことはできます", code="M_BAD_STATE")
            return await self._change(before, Stage.CLOSED, reason, before.notice.message)

    async def cancel(self, officer: str, key: str, reason: str = "") -> Record:
        """Take a broadcast back, everywhere."""
        async with self._changing.hold(key):
            before = await self._own(officer, key)
            return await self._change(before, Stage.CANCELLED, reason, before.notice.message)

    async def sent(self, officer: str, limit: int = 50, before_ts: int | None = None) -> list[Record]:
        """What was sent from here, the newest first."""
        self._book.require(officer)
        return await notices_store.newest(self._book.database, limit, [Standing.OWN], before_ts)

    def links_for(self, message: Message) -> list[Link]:
        """The links that lead to the audience of a message: by area and category."""
        return self._links(message.areas, message.category.value)

    async def sends(self, officer: str, key: str) -> list[tuple[Link, Send]]:
        """Over which links a notice goes or has gone."""
        self._book.require(officer)
        found = [(self._book.find(send.room_id), send) for send in await sends_store.sends_of(self._book.database, key)]
        return [(link, send) for link, send in found if link is not None]

    # ---- the way down -----------------------------------------------------------------------------------------------

    def plan(self, writes: Writes, notice: Notice, also: Iterable[str] = (), skip: str = "") -> None:
        """Rows for every link that leads to the audience, and for ``also``; not back to ``skip``."""
        said, now = notice.message, self._book.clock.now_ms()
        rooms = [link.room_id for link in self._links(said.areas, said.category.value) if link.server != skip]
        for room_id in dict.fromkeys([*rooms, *also]):
            urgent = said.priority is Priority.ALERT
            sends_store.plan(writes, Send(notice.key, notice.revision, room_id, urgent, "", now))

    async def catch_up(self, link: Link) -> None:
        """Whoever is newly linked gets what still concerns them: alerts, and what can still be answered."""
        now, writes = self._book.clock.now_ms(), Writes()
        for record in await notices_store.newest(self._book.database, _MOST_CAUGHT_UP, list(Standing)):
            notice, said = record.notice, record.notice.message
            concerns = said.priority is Priority.ALERT or said.kind is not Kind.NOTICE
            if not concerns or notice.stage.is_over or now >= notice.expires_ts or notice.origin == link.server:
                continue
            if link in self.links_for(said):
                urgent = said.priority is Priority.ALERT
                sends_store.plan(writes, Send(notice.key, notice.revision, link.room_id, urgent, "", now))
        if writes.rows:
            await asyncio.shield(self._book.database.submit(writes))
            await self.deliver()

    async def rooms_that_had(self, key: str) -> list[str]:
        """The rooms of links in force over which an earlier revision was planned."""
        had = [send.room_id for send in await sends_store.sends_of(self._book.database, key)]
        in_force = {link.room_id for link in self._book.in_force(Direction.BELOW)}
        return [room_id for room_id in dict.fromkeys(had) if room_id in in_force]

    async def deliver(self) -> None:
        """Send what is planned and has not gone; alerts first. Doing it twice is doing it once."""
        async with self._delivering:
            tried: set[Send] = set()
            while True:
                waiting = await sends_store.waiting(self._book.database, _TOGETHER)
                if not waiting:
                    return
                if stuck := tried.intersection(waiting):
                    logger.error("notices have gone and are not written down: %d", len(stuck))
                    return
                tried.update(waiting)
                drafts = {send: draft for send in waiting if (draft := await self._draft(send)) is not None}
                await self._give_up([send for send in waiting if send not in drafts])
                await self._send_all(drafts)

    async def _draft(self, send: Send) -> Draft | None:
        link = self._book.find(send.room_id)
        signed = await notices_store.original(self._book.database, send.key, send.revision)
        if link is None or not link.is_in_force or signed is None:
            return None
        content = event_content(Notice.from_json(signed), signed)
        return Draft(send.room_id, self._book.us.user_id, BROADCAST, content)

    async def _send_all(self, drafts: dict[Send, Draft]) -> None:
        try:
            await self._sender.send_many(list(drafts.values()))
        except Refused:
            await self._send_each(drafts)

    async def _send_each(self, drafts: dict[Send, Draft]) -> None:
        """One room that takes nothing must not keep the others waiting."""
        for send, draft in drafts.items():
            try:
                await self._sender.send(draft)
            except Refused as refused:
                logger.warning("a notice could not be sent: %s", refused)
                await self._give_up([send])

    async def _give_up(self, sends: Iterable[Send]) -> None:
        """Where a link was ended meanwhile, nothing goes any more."""
        writes = Writes()
        for send in sends:
            sends_store.give_up(writes, send)
        if writes.rows:
            await asyncio.shield(self._book.database.submit(writes))

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _links(self, areas: Iterable[str], category: str) -> list[Link]:
        wanted = list(areas)
        return [
            link for link in self._book.in_force(Direction.BELOW)
            if touches(link.terms.codes, wanted) and category in link.terms.categories
        ]

    async def _change(self, before: Record, stage: Stage, reason: str, said: Message) -> Record:
        old = before.notice
        if old.stage.is_over:
            raise Refused(f"これはもう{old.stage.label}", code="M_BAD_STATE")
        notice = replace(
            old, revision=old.revision + 1, stage=stage, message=said, reason=reason.strip(),
            changed_ts=self._book.clock.now_ms(),
        )
        return await self._publish(notice, before)

    async def _publish(self, notice: Notice, before: Record | None, *, is_public: bool = False) -> Record:
        notice.check()
        signed = self._signed(notice)
        record = Record(notice=notice, signed=signed, standing=Standing.OWN, received_ts=notice.sent_ts)
        writes = Writes()
        notices_store.put(writes, record)
        self.plan(writes, notice, await self.rooms_that_had(notice.key) if before is not None else ())
        if is_public:
            public_store.make_public(writes, notice.key, notice.changed_ts)
        elif before is not None:
            public_store.note_revision(writes, notice.key, notice.changed_ts)
        await asyncio.shield(self._book.database.submit(writes))
        await self.deliver()
        return record

    def _signed(self, notice: Notice) -> Content:
        identity = self._sender.identity
        return sign_json(notice.as_json(), identity.server_name, identity.key)

    async def _require_desk(self, officer: str) -> None:
        try:
            self._book.require(officer)
        except Forbidden:
            await self._book.refuse(self._book.us.server, "一斉配信", "一斉配信の役でない人が送ろうとしました")
            raise
        if not self._book.us.kind.may_invite:
            raise Forbidden("町内会のノードからは、一斉配信はできません")

    async def _own(self, officer: str, key: str) -> Record:
        await self._require_desk(officer)
        record = await notices_store.find(self._book.database, key)
        if record is None or not record.is_own:
            raise NotFound("その一斉配信はありません")
        return record


def _cleaned(message: Message) -> Message:
    """Without doubles and blanks around."""
    return replace(
        message, title=message.title.strip(), text=message.text.strip(), office=message.office.strip(),
        areas=tuple(dict.fromkeys(message.areas)), choices=tuple(item.strip() for item in message.choices),
    )
