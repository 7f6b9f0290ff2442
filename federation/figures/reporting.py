"""Counting what a notice has reached here, and telling it to those above; with what those below have told us.

Counted when something has moved, and now and then; told when the figures differ from those told last. A report is a row
before it goes, and telling twice is telling once, for each has its number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from federation.broadcasts import notices_store
from federation.broadcasts.model import Kind, Record, Standing
from federation.broadcasts.sends_store import sends_of
from federation.figures import reports_store
from federation.figures.model import FIGURES, Report, Section, hide_small
from federation.figures.reports_store import Kept
from federation.links.book import LinkBook
from federation.links.model import Direction, Link, Told
from server.foundation.signatures import sign_json
from server.rooms.send_event import Draft, EventSender
from server.storage.database import Writes

_TOGETHER: Final = 20
_MOST_DUE: Final = 400
_MOST_FOLLOWED: Final = 500
# Answers are counted at once, who has read it after a while, and old notices seldom.
_READERS_MS: Final = 5_000
_QUIET_MS: Final = 30_000
_OLD_MS: Final = 900_000
_YOUNG_MS: Final = 2 * 86_400_000
_AFTERWARDS_MS: Final = 7 * 86_400_000
_RECEIVED: Final = (Standing.HELD, Standing.SHOWN, Standing.DECLINED, Standing.PASSED)


class Sources(Protocol):
    """Where figures come from; each raises ``NotFound`` where there is nothing of that id."""

    async def reach(self, circular_id: str) -> dict[str, int]:
        """Persons by how far a circular has come with them."""

    async def answers(self, poll_id: str) -> dict[str, int]:
        """Votes by choice, ``answered``, ``unanswered`` and ``total``."""

    async def safety(self, check_id: str) -> dict[str, int]:
        """Persons by where they stand in a safety check."""


@dataclass(slots=True)
class _Followed:
    """A notice whose figures are told."""

    record: Record
    counted_ms: int = 0


class Reporting:
    """Tells figures upward. ``await open()`` once, then ``step`` every second or so."""

    def __init__(self, book: LinkBook, sender: EventSender, sources: Sources) -> None:
        self._book = book
        self._sender = sender
        self._sources = sources
        self._followed: dict[str, _Followed] = {}
        self._has_moved = True
        self._working = asyncio.Lock()
        self._is_due = True

    async def open(self) -> None:
        """Learn which notices are going on."""
        now = self._book.clock.now_ms()
        for record in await notices_store.newest(self._book.database, _MOST_FOLLOWED, _RECEIVED):
            if record.notice.expires_ts + _AFTERWARDS_MS > now:
                self._followed[record.key] = _Followed(record)

    def moved(self) -> None:
        """Something was said in a room: figures may have changed."""
        self._has_moved = True

    def wake(self) -> None:
        """Somebody below has told us something."""
        self._is_due = True

    async def follow(self, record: Record) -> None:
        """A notice has come, was decided upon, or has changed: told at once."""
        if record.standing in _RECEIVED:
            self._followed[record.key] = _Followed(record)
            await self.step()

    async def step(self) -> None:
        """Count what may have changed, and tell what has."""
        async with self._working:
            has_moved, self._has_moved = self._has_moved, False
            for followed in list(self._followed.values()):
                if self._is_to_count(followed, has_moved=has_moved):
                    await self._count(followed)
            if self._is_due:
                await self._tell()
                self._is_due = False

    async def report_now(self) -> None:
        """Count everything and tell it, whatever has moved."""
        for followed in self._followed.values():
            followed.counted_ms = 0
        self._is_due = True
        await self.step()

    # ---- counting ---------------------------------------------------------------------------------------------------

    def _is_to_count(self, followed: _Followed, *, has_moved: bool) -> bool:
        now, notice = self._book.clock.now_ms(), followed.record.notice
        if now > notice.expires_ts + _AFTERWARDS_MS:
            del self._followed[notice.key]
            return False
        since = now - followed.counted_ms
        if now > notice.changed_ts + _YOUNG_MS:
            return since >= _OLD_MS
        if has_moved and (notice.message.kind is not Kind.NOTICE or since >= _READERS_MS):
            return True
        if has_moved:
            self._has_moved = True  # not forgotten, only a little later
        return since >= _QUIET_MS

    async def _count(self, followed: _Followed) -> None:
        followed.counted_ms = self._book.clock.now_ms()
        record = followed.record
        above = await self._links_above(record.key)
        before = await reports_store.find(self._book.database, record.key, self._book.us.server)
        report = await self._report(record, above, before)
        if above and not report.says_the_same(before):
            identity = self._sender.identity
            writes = Writes()
            reports_store.put(
                writes, report, sign_json(report.as_json(), identity.server_name, identity.key), "")
            await asyncio.shield(self._book.database.submit(writes))
            self._is_due = True

    async def _report(self, record: Record, above: Sequence[Link], before: Report | None) -> Report:
        us = self._book.us.party
        told = frozenset(Told).intersection(*(link.terms.told for link in above))
        areas = dict.fromkeys(code for link in above for code in link.terms.codes)
        going_on = {send.room_id for send in await sends_of(self._book.database, record.key)}
        return Report(
            server=us.server, name=us.name, kind=us.kind, areas=tuple(areas), key=record.key,
            revision=record.notice.revision, state=record.standing.value, seq=1 + (before.seq if before else 0),
            ts=self._book.clock.now_ms(), sections=await self._sections(record, told), below=len(going_on),
        )

    async def _sections(self, record: Record, told: frozenset[Told]) -> dict[Told, Section]:
        counted: dict[Told, Mapping[str, int]] = {}
        if record.circular_id and Told.REACH in told:
            counted[Told.REACH] = await self._sources.reach(record.circular_id)
        kind = record.notice.message.kind
        if record.twin_id and kind is Kind.SURVEY and Told.ANSWERS in told:
            counted[Told.ANSWERS] = await self._sources.answers(record.twin_id)
        if record.twin_id and kind is Kind.SAFETY_CHECK and Told.SAFETY in told:
            counted[Told.SAFETY] = await self._sources.safety(record.twin_id)
        book = self._book
        return {
            name: hide_small(name, section, book.smallest_in_safety if name is Told.SAFETY else book.smallest)
            for name, section in counted.items()
        }

    # ---- telling ----------------------------------------------------------------------------------------------------

    async def _links_above(self, key: str) -> list[Link]:
        """The links in force by which a notice has come."""
        rooms = {way.room_id for way in await notices_store.ways_of(self._book.database, key)}
        return [link for link in self._book.in_force(Direction.ABOVE) if link.room_id in rooms]

    async def _tell(self) -> None:
        while due := await reports_store.due(self._book.database, _MOST_DUE):
            by_room: dict[str, list[Kept]] = {}
            for kept in due:
                for link in await self._links_above(kept.report.key):
                    by_room.setdefault(link.room_id, []).append(kept)
            await self._sender.send_many([
                self._draft(room_id, told[start:start + _TOGETHER])
                for room_id, told in by_room.items() for start in range(0, len(told), _TOGETHER)
            ])
            writes = Writes()
            for kept in due:
                reports_store.note_passed(writes, kept.report)
            await asyncio.shield(self._book.database.submit(writes))

    def _draft(self, room_id: str, told: Sequence[Kept]) -> Draft:
        content: dict[str, Any] = {
            "reports": [kept.signed for kept in told], "body": f"人数の知らせ（{len(told)}件）",
        }
        return Draft(room_id, self._book.us.user_id, FIGURES, content)

