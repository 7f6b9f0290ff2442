"""The city's desk as the pages see it (``server.web.city_desk``); loaded with the pages of links."""

from __future__ import annotations

from collections.abc import Sequence

from federation.figures.asked import Asked
from federation.figures.progress import Progress
from federation.figures.progress_tables import figures_of, shares_of
from federation.links.model import NodeKind
from server.assembly.wide_area import WideArea
from server.web.city_desk import AskedView, ProgressView, ReaderView


class CityPages:
    """Implements ``server.web.city_desk.CityDesk``."""

    def __init__(self, wide_area: WideArea) -> None:
        self._book = wide_area.book
        self._progress = wide_area.progress
        self._asked = wide_area.asked

    @property
    def tells(self) -> bool:
        """An association tells; those above it read."""
        return self._book.us.kind is NodeKind.ASSOCIATION

    def readers(self, officer: str) -> Sequence[ReaderView]:
        """Those above, and those above them."""
        return [
            ReaderView(server=reader.server, name=reader.name, via=reader.via, is_chosen=reader.is_chosen)
            for reader in self._progress.telling.readers(officer)
        ]

    async def preview(self, officer: str) -> ProgressView:
        """Exactly that, with small figures hidden."""
        us = self._book.us
        figures = await self._progress.telling.preview(officer)
        told = Progress(
            server=us.server, name=us.party.name, areas=(), to=(), ts=0, is_shared=True, figures=figures)
        return _view(us.party.name, "", None, [told])

    def hidden_below(self) -> tuple[int, int]:
        """For figures that come back on their own, too."""
        return self._book.smallest, self._book.smallest_in_safety

    async def hide_below(self, officer: str, smallest: int, in_safety: int) -> None:
        """From the next figures on."""
        await self._book.hide_below(officer, smallest, in_safety=in_safety)

    async def share(self, officer: str, servers: Sequence[str]) -> None:
        """At once."""
        await self._progress.telling.choose(officer, servers)

    async def progress(self, officer: str) -> tuple[Sequence[ProgressView], ProgressView]:
        """Those who share first."""
        rows = await self._progress.tables.rows(officer)
        every = [one for row in rows for one in row.told]
        return [
            _view(row.name, row.via, row.progress.ts if row.progress is not None else None, row.told) for row in rows
        ], _view("", "", None, every)

    async def progress_csv(self, officer: str) -> bytes:
        """UTF-8 with a mark, for spreadsheets."""
        return await self._progress.tables.csv(officer)

    async def asked(self, officer: str, since_ts: int, until_ts: int) -> Sequence[AskedView]:
        """With what has come back so far."""
        return [_asked_view(item) for item in await self._asked.between(officer, since_ts, until_ts)]

    async def asked_csv(self, officer: str, since_ts: int, until_ts: int) -> bytes:
        """UTF-8 with a mark, for spreadsheets."""
        return await self._asked.csv(officer, since_ts, until_ts)


def _view(name: str, via: str, ts: int | None, told: Sequence[Progress]) -> ProgressView:
    return ProgressView(name=name, via=via, ts=ts, figures=figures_of(told), shares=shares_of(told))


def _asked_view(item: Asked) -> AskedView:
    notice, said = item.record.notice, item.record.notice.message
    return AskedView(
        key=item.record.key, title=said.title, kind=said.kind.label, category=said.category.label,
        stage=notice.stage.label, sent_ts=notice.sent_ts, deadline=said.deadline, sent=item.sent, came=item.came,
        shown=item.shown, answered_by=item.answered_by, answers=item.answers, people=item.people,
    )
