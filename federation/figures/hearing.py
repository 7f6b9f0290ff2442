"""Figures come up over a link: of whom they are, whether those may tell them, and for which notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from federation.broadcasts.sends_store import sends_of
from federation.figures import reports_store
from federation.figures.model import Report
from federation.figures.progress_hearing import ProgressHearing
from federation.links.book import LinkBook
from federation.links.inbox import NotYet
from federation.links.inbox_store import Letter
from federation.links.model import Direction, Link, NodeKind, is_within
from federation.links.proofs import Proof, Proofs
from server.foundation.errors import Forbidden, Refused
from server.storage.database import Writes

_UNREADABLE: Final = (Refused, KeyError, ValueError, TypeError, AttributeError)
_PATIENCE_MS: Final = 24 * 3_600_000
_MOST_REPORTS: Final = 100
_WHAT: Final = "人数の知らせ"


class Hearing:
    """Reads the letters of figures. ``wake`` is called when something new is to be passed on."""

    def __init__(
        self, book: LinkBook, proofs: Proofs, wake: Callable[[], None], progress: ProgressHearing
    ) -> None:
        self._book = book
        self._proofs = proofs
        self._wake = wake
        self._progress = progress

    async def hear(self, letter: Letter) -> None:
        """Read one letter; each report in it by itself. Raises ``NotYet`` where keys cannot be had now."""
        server = letter.sender.partition(":")[2]
        try:
            link = self._link_of(letter)
        except Forbidden as refused:
            await self._book.refuse(server, _WHAT, refused.reason)
            return
        waits = False
        for name, take in (("reports", self._take), ("progress", self._progress.take)):
            told = letter.content.get(name)
            for signed in told[:_MOST_REPORTS] if isinstance(told, list) else ():
                try:
                    await take(letter, link, signed)
                except NotYet:
                    waits = True
                except Forbidden as refused:
                    await self._book.refuse(server, _WHAT, refused.reason)
        if waits:
            raise NotYet

    def _link_of(self, letter: Letter) -> Link:
        link = self._book.find(letter.room_id)
        if link is None or link.direction is not Direction.BELOW or letter.sender != link.user_id:
            raise Forbidden("つながりのない相手が、人数を知らせてきました")
        if not link.is_in_force:
            raise Forbidden("このつながりは、もう終わっています")
        return link

    async def _take(self, letter: Letter, link: Link, signed: Any) -> None:
        try:
            report = Report.from_json(signed)
        except _UNREADABLE:
            raise Forbidden("読めない人数の知らせです") from None
        self._require_own(link, report)
        if link.room_id not in {send.room_id for send in await sends_of(self._book.database, report.key)}:
            raise Forbidden("そこへ送っていない知らせの人数です")
        known = await reports_store.find(self._book.database, report.key, report.server)
        if known is not None and report.seq <= known.seq:
            return
        proof = await self._proofs.look(signed, report.server, report.ts, [link.server])
        if proof is Proof.UNKNOWN and self._book.clock.now_ms() < letter.ts + _PATIENCE_MS:
            raise NotYet
        if proof is not Proof.TRUE:
            raise Forbidden("人数の知らせの署名が正しくありません")
        writes = Writes()
        reports_store.put(writes, report, signed, link.room_id)
        await asyncio.shield(self._book.database.submit(writes))
        self._wake()

    def _require_own(self, link: Link, report: Report) -> None:
        """A node tells its own figures; a federation also hands on those of associations in its areas."""
        if report.server != link.server:
            within = report.areas and all(
                any(is_within(code, wider) for wider in link.terms.codes) for code in report.areas)
            if link.kind is not NodeKind.FEDERATION or not within:
                raise Forbidden("ほかの町内会の人数を知らせてきました")
        if not set(report.sections) <= link.terms.told and report.server == link.server:
            raise Forbidden("約束していない人数を知らせてきました")
