"""What of our notices everybody may read: residents in no association, the local radio, other sites.

Only what was written here and is for everyone; whoever sends decides, and can change their mind. No figures and nothing
that an association has answered is ever read here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation.broadcasts import notices_store, public_store
from federation.broadcasts.model import Kind, Message, Notice, Priority, Stage
from federation.links.book import LinkBook
from federation.links.model import Category, NodeKind
from server.association.circulars.model import Attachment
from server.foundation.clock import tokyo_time
from server.foundation.errors import Forbidden, NotFound, Refused
from server.storage.database import Writes

_OPEN_BY_ITSELF: Final = (Category.ADMINISTRATION, Category.DISASTER)
_MARKS: Final = {Priority.ORDINARY: "", Priority.IMPORTANT: "【重要】", Priority.ALERT: "【緊急】"}
_STAGES: Final = {Stage.CORRECTED: "【訂正】", Stage.CANCELLED: "【取り消し】"}


class Openness(StrEnum):
    """Whether whoever sends wants it to be public; ``BY_CATEGORY``: 行政, 防災 and every alert are."""

    BY_CATEGORY = "by_category"
    YES = "yes"
    NO = "no"


def is_to_be_public(message: Message, wish: Openness) -> bool:
    """Whether a message becomes public; raises ``Refused`` where it is wished for and cannot be."""
    can_be = message.kind is Kind.NOTICE and not message.for_officers
    if wish is Openness.BY_CATEGORY:
        return can_be and (message.category in _OPEN_BY_ITSELF or message.priority is Priority.ALERT)
    if wish is Openness.YES and not can_be:
        raise Refused("だれでも見られるようにできるのは、全員への「お知らせ」だけです")
    return wish is Openness.YES


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNotice:
    """One notice as everybody reads it; ``areas`` are names, ``changed_ts`` in ms."""

    notice: Notice
    changed_ts: int
    areas: tuple[str, ...]

    @property
    def id(self) -> str:
        """The same over all revisions."""
        return self.notice.id

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back."""
        return self.notice.stage is Stage.CANCELLED

    @property
    def is_alert(self) -> bool:
        """Whether it is urgent."""
        return self.notice.message.priority is Priority.ALERT

    @property
    def title(self) -> str:
        """With marks for corrections, cancellations and urgency."""
        said = self.notice.message
        return f"{_STAGES.get(self.notice.stage, '')}{_MARKS[said.priority]}{said.title}"

    @property
    def origin_words(self) -> str:
        """From whom, what about, for where."""
        return f"{self.notice.from_words}・{self.notice.message.category.label}・{'、'.join(self.areas)}"

    @property
    def lines(self) -> list[str]:
        """The text line by line; of a cancelled one only that it was taken back, and why."""
        said, reason = self.notice.message, self.notice.reason
        if self.is_cancelled:
            return ["このお知らせは、取り消されました。", *([f"わけ：{reason}"] if reason else [])]
        lines = [*said.text.split("\n")] if said.text else []
        if self.notice.stage is Stage.CORRECTED:
            lines.append(f"（訂正しました。{reason}）")
        if said.deadline is not None:
            lines.append(f"期限：{tokyo_time(said.deadline):%Y年%m月%d日}")
        return lines

    @property
    def papers(self) -> tuple[Attachment, ...]:
        """The files beside the text; a cancelled notice has none any more."""
        return () if self.is_cancelled else self.notice.message.attachments


class PublicNotices:
    """``latest`` for everybody; ``is_public`` and ``decide`` for officers."""

    def __init__(self, book: LinkBook) -> None:
        self._book = book

    async def latest(self, limit: int) -> list[PublicNotice]:
        """What may be read now, the one that has changed last first; nothing on an association's node."""
        if self._book.us.kind is NodeKind.ASSOCIATION:
            return []
        names = {area.code: area.name for link in self._book.links() for area in link.terms.areas}
        told = await public_store.latest(self._book.database, limit, self._book.clock.now_ms())
        return [PublicNotice(notice=notice, changed_ts=ts, areas=self._areas(notice, names)) for notice, ts in told]

    async def papers(self, notice_id: str) -> tuple[Attachment, ...]:
        """The files of a notice that everybody may read now; none of any other."""
        book = self._book
        told = await public_store.find(book.database, f"{book.us.server}/{notice_id}", book.clock.now_ms())
        if told is None or book.us.kind is NodeKind.ASSOCIATION:
            return ()
        return PublicNotice(notice=told.notice, changed_ts=told.changed_ts, areas=()).papers

    async def is_public(self, key: str) -> bool:
        """Whether everybody may read it."""
        return await public_store.is_open(self._book.database, key)

    async def decide(self, officer: str, key: str, *, public: bool) -> None:
        """Let everybody read it from now on, or only the associations; ``Forbidden``, ``NotFound``, ``Refused``."""
        self._book.require(officer)
        if self._book.us.kind is NodeKind.ASSOCIATION:
            raise Forbidden("町内会のノードには、公開のお知らせはありません")
        record = await notices_store.find(self._book.database, key)
        if record is None or not record.is_own:
            raise NotFound("その一斉配信はありません")
        writes = Writes()
        if is_to_be_public(record.notice.message, Openness.YES if public else Openness.NO):
            public_store.make_public(writes, key, self._book.clock.now_ms())
        else:
            public_store.make_private(writes, key)
        await asyncio.shield(self._book.database.submit(writes))

    def _areas(self, notice: Notice, names: dict[str, str]) -> tuple[str, ...]:
        whole = f"{self._book.us.party.name} 全体"
        return tuple(names.get(code, whole if "/" not in code else code) for code in notice.message.areas)
