"""Building what associations tell of their progress, and what those above read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.figures.progress_counting import ProgressCounting
from federation.figures.progress_hearing import ProgressHearing
from federation.figures.progress_tables import ProgressTables
from federation.figures.progress_telling import ProgressTelling
from federation.links.book import LinkBook
from federation.links.model import NodeKind
from federation.links.proofs import Proofs
from server.accounts.sessions_store import users_seen_since
from server.accounts.web_sessions_store import web_users_seen_since
from server.assembly.node import Node
from server.association.circulars.reader import CircularReader
from server.foundation.tasks import keep_doing

_EVERY_S: Final = 6 * 3_600.0


@dataclass(frozen=True, slots=True)
class ProgressVerbs:
    """Telling (an association), hearing and reading (those above)."""

    telling: ProgressTelling
    hearing: ProgressHearing
    tables: ProgressTables


def open_progress(node: Node, book: LinkBook, proofs: Proofs) -> ProgressVerbs:
    """All of it; an association tells a few times a day what has moved, where its desk has chosen somebody."""
    core, members, services = node.core, node.association.members, node.services

    async def seen(since: int) -> set[str]:
        return await users_seen_since(core.database, since) | await web_users_seen_since(core.database, since)

    circulars = CircularReader(core.database, members, services.receipts)
    counting = ProgressCounting(members, circulars, core.clock, seen)
    telling = ProgressTelling(book, services.sender, counting.count)
    if book.us.kind is NodeKind.ASSOCIATION:
        core.tasks.start("progress", keep_doing("progress", telling.step, core.clock, every_s=_EVERY_S))
    return ProgressVerbs(telling, ProgressHearing(book, proofs, services.sender), ProgressTables(book))
