"""Progress of an association comes up over a link: kept where it is for us, passed on where it is for those above."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from federation.figures import progress_store
from federation.figures.progress import Progress
from federation.figures.progress_telling import send_progress
from federation.links.book import LinkBook
from federation.links.inbox import NotYet
from federation.links.inbox_store import Letter
from federation.links.model import Direction, Link, NodeKind, is_within
from federation.links.proofs import Proof, Proofs
from server.foundation.errors import Forbidden, Refused
from server.rooms.send_event import EventSender
from server.storage.database import Writes

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)
_PATIENCE_MS: Final = 24 * 3_600_000
_AHEAD_MS: Final = 10 * 60_000


class ProgressHearing:
    """Reads what associations tell of themselves."""

    def __init__(self, book: LinkBook, proofs: Proofs, sender: EventSender) -> None:
        self._book = book
        self._proofs = proofs
        self._sender = sender

    async def take(self, letter: Letter, link: Link, signed: Any) -> None:
        """One of them. Raises ``Forbidden``, or ``NotYet`` where keys cannot be had now. Twice is once."""
        try:
            progress = Progress.from_json(signed)
        except _UNREADABLE:
            raise Forbidden("読めない、町内会のようすです") from None
        self._require_own(link, progress)
        known = await progress_store.find(self._book.database, progress.server)
        if known is not None and progress.ts < known.progress.ts and self._book.us.server in progress.to:
            return  # something newer is here; an old consent must not come back
        await self._require_signed(letter, link, progress, signed)
        if self._book.us.server in progress.to:
            writes = Writes()
            progress_store.put(writes, progress, signed, link.room_id)
            await asyncio.shield(self._book.database.submit(writes))
        await self._pass_on(progress, signed)

    async def _pass_on(self, progress: Progress, signed: Any) -> None:
        """To those above for whom it is; again where the letter is read again."""
        for above in self._book.in_force(Direction.ABOVE):
            if above.server in progress.to:
                await send_progress(self._sender, self._book.us.user_id, above, signed)

    def _require_own(self, link: Link, progress: Progress) -> None:
        """An association tells of itself; a federation hands on what those in its areas tell."""
        if progress.server != link.server:
            within = progress.areas and all(
                any(is_within(code, wider) for wider in link.terms.codes) for code in progress.areas)
            if link.kind is not NodeKind.FEDERATION or not within:
                raise Forbidden("ほかの町内会のようすを知らせてきました")
        above = {item.server for item in self._book.in_force(Direction.ABOVE)}
        if not {self._book.us.server, *above} & set(progress.to):
            raise Forbidden("こちらあてでない、町内会のようすです")
        if progress.ts > self._book.clock.now_ms() + _AHEAD_MS:
            raise Forbidden("日時が先すぎる知らせです。どちらかの時計が合っていません")

    async def _require_signed(self, letter: Letter, link: Link, progress: Progress, signed: Any) -> None:
        proof = await self._proofs.look(signed, progress.server, progress.ts, [link.server])
        if proof is Proof.UNKNOWN and self._book.clock.now_ms() < letter.ts + _PATIENCE_MS:
            raise NotYet
        if proof is not Proof.TRUE:
            raise Forbidden("町内会のようすの署名が正しくありません")
