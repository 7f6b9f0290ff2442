"""The officers of an association: what came from above, what waits for them, their own note; and what is authentic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from federation.broadcasts import notices_store
from federation.broadcasts.model import MAX_NOTE, MAX_REASON, Notice, Record, Standing
from federation.broadcasts.receiving import Receiving
from federation.broadcasts.rendering import letter_of
from federation.broadcasts.showing import ids_of
from federation.links.book import LinkBook
from federation.links.proofs import Proof, Proofs
from server.association.circulars.model import Circular, State
from server.foundation.errors import InvalidParam, NotFound, Refused
from server.storage.database import Writes

_RECEIVED: Final = (Standing.ARRIVED, Standing.HELD, Standing.SHOWN, Standing.PASSED, Standing.DECLINED)

_NO_ORIGINAL: Final = "市・連合会からという印がありますが、署名つきの原本がありません"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a circular really comes from where it says. ``reason`` is for people."""

    is_authentic: bool
    reason: str
    # False for the association's own circulars, which say nothing of a city.
    is_from_above: bool = True
    origin: str = ""
    from_name: str = ""
    notice: Notice | None = None


class Desk:
    """Verbs about notices that have come."""

    def __init__(
        self, book: LinkBook, proofs: Proofs, receiving: Receiving,
        circular: Callable[[str], Awaitable[Circular | None]],
    ) -> None:
        self._book = book
        self._proofs = proofs
        self._receiving = receiving
        self._circular = circular

    async def received(
        self, officer: str, standing: Standing | None = None, limit: int = 50, before_ts: int | None = None
    ) -> list[Record]:
        """What came from above, the newest first; with ``Standing.HELD`` what waits for an officer."""
        self._book.require(officer)
        wanted = _RECEIVED if standing is None else (standing,)
        return await notices_store.newest(self._book.database, limit, wanted, before_ts)

    async def one(self, officer: str, key: str) -> Record:
        """One notice, own or received; raises ``Forbidden`` or ``NotFound``."""
        self._book.require(officer)
        record = await notices_store.find(self._book.database, key)
        if record is None:
            raise NotFound("その知らせはありません")
        return record

    async def approve(self, officer: str, key: str, note: str = "") -> Record:
        """Let a notice that waits go round."""
        async with self._receiving.deciding.hold(key):
            record = await self._held(officer, key)
            decided = record.now(
                standing=Standing.ARRIVED, decided_by=officer, decided_ts=self._book.clock.now_ms(),
                note=_checked_note(note),
            )
            await self._save(decided)
            return await self._receiving.show(decided)

    async def decline(self, officer: str, key: str, reason: str = "") -> Record:
        """Do not let it go round; the reason stays with us."""
        async with self._receiving.deciding.hold(key):
            record = await self._held(officer, key)
            if len(reason) > MAX_REASON:
                raise InvalidParam(f"理由は{MAX_REASON}字までです")
            declined = record.now(
                standing=Standing.DECLINED, decided_by=officer, decided_ts=self._book.clock.now_ms(), note=reason)
            await self._save(declined)
            self._receiving.announce(declined)
            return declined

    async def add_note(self, officer: str, key: str, note: str) -> Record:
        """Put the association's own words below a notice, or others in their place; they stay over corrections."""
        async with self._receiving.deciding.hold(key):
            record = await self.one(officer, key)
            if record.standing is not Standing.SHOWN or not record.circular_id:
                raise Refused("回覧になっている知らせにだけ、ひとことを付けられます", code="M_BAD_STATE")
            noted = record.now(note=_checked_note(note))
            await self._save(noted)
            return await self._receiving.show(noted)

    async def finish(self) -> None:
        """Show what had arrived when the node was stopped."""
        for record in await notices_store.newest(self._book.database, 1_000, [Standing.ARRIVED]):
            await self._receiving.show(record)

    # ---- authentic or not -------------------------------------------------------------------------------------------

    async def verify(self, item_id: str) -> Verdict:
        """Whether a circular (or poll, or safety check) says what whoever it names has signed. For everybody."""
        record = await notices_store.find_shown_as(self._book.database, item_id)
        circular = await self._circular(item_id)
        if record is None and circular is not None and circular.upstream:
            record = await self._being_shown(circular)
        if record is None:
            if circular is None:
                raise NotFound("その回覧はありません")
            if circular.upstream:
                return Verdict(is_authentic=False, reason=_NO_ORIGINAL, origin=circular.upstream.partition("/")[0])
            return Verdict(is_authentic=True, is_from_above=False, reason="この町内会の回覧です")
        return await self._judge(record, circular)

    async def _judge(self, record: Record, circular: Circular | None) -> Verdict:
        notice = record.notice

        def verdict(reason: str, *, is_authentic: bool = False) -> Verdict:
            return Verdict(is_authentic=is_authentic, reason=reason, origin=notice.origin,
                           from_name=notice.from_words, notice=notice)

        proof = await self._proofs.look(record.signed, notice.origin, notice.changed_ts)
        if proof is Proof.UNKNOWN:
            return verdict("いまは確かめられません。相手のサーバーの鍵が手に入りません")
        if proof is Proof.FALSE:
            return verdict("署名が正しくありません")
        if circular is not None and not _says_the_same(record, circular):
            return verdict("回覧の中身が、署名された原本とちがいます")
        return verdict(f"{notice.from_words}（{notice.origin}）が署名した本物です", is_authentic=True)

    async def _being_shown(self, circular: Circular) -> Record | None:
        """The notice of a circular that is just going out: its place is not written down yet."""
        record = await notices_store.find(self._book.database, circular.upstream)
        return record if record is not None and ids_of(record.notice)[0] == circular.id else None

    # ---- parts ------------------------------------------------------------------------------------------------------

    async def _held(self, officer: str, key: str) -> Record:
        record = await self.one(officer, key)
        if record.standing is not Standing.HELD:
            raise Refused("この知らせは、確認待ちではありません", code="M_BAD_STATE")
        return record

    async def _save(self, record: Record) -> None:
        writes = Writes()
        notices_store.put(writes, record)
        await asyncio.shield(self._book.database.submit(writes))


def _checked_note(note: str) -> str:
    if len(note) > MAX_NOTE:
        raise InvalidParam(f"ひとことは{MAX_NOTE}字までです")
    return note.strip()


def _says_the_same(record: Record, circular: Circular) -> bool:
    if circular.state is State.WITHDRAWN:
        return True  # it says nothing any more
    letter = letter_of(record.notice, record.note, 0)
    said = (letter.title.strip(), letter.text.strip(), letter.attachments)
    return (circular.title, circular.text, circular.attachments) == said
