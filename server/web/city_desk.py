"""What the pages need of the city's desk beside notices: how far associations have come, and what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderView:
    """Somebody above whom an association may tell how far it has come; ``via`` a federation, or empty."""

    server: str
    name: str
    via: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far one association (or all) has come. ``figures`` and ``shares`` (percent) by name, ``None``: hidden.
    ``ts`` is ``None`` where it is not shared."""

    name: str
    via: str
    ts: int | None
    figures: Mapping[str, int | None]
    shares: Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedView:
    """One thing that was asked of associations; figures as in ``federation.figures.asked.Asked``."""

    key: str
    title: str
    kind: str
    category: str
    stage: str
    sent_ts: int
    deadline: int | None
    sent: int
    came: int
    shown: int
    answered_by: int | None
    answers: int | None
    people: int | None


class CityDesk(Protocol):
    """Verbs. All raise ``Refused`` in plain words; ``officer`` is a user id."""

    @property
    def tells(self) -> bool:
        """Whether this node is an association, which may tell those above."""

    def readers(self, officer: str) -> Sequence[ReaderView]:
        """Whom it could tell."""

    async def preview(self, officer: str) -> ProgressView:
        """What it would tell now."""

    def hidden_below(self) -> tuple[int, int]:
        """How small a figure may be that is told above; the second one in safety checks."""

    async def hide_below(self, officer: str, smallest: int, in_safety: int) -> None:
        """Choose that."""

    async def share(self, officer: str, servers: Sequence[str]) -> None:
        """Tell these and nobody else; nobody at all switches it off."""

    async def progress(self, officer: str) -> tuple[Sequence[ProgressView], ProgressView]:
        """Of all associations below, and of all together."""

    async def progress_csv(self, officer: str) -> bytes:
        """The same as a file for a spreadsheet."""

    async def asked(self, officer: str, since_ts: int, until_ts: int) -> Sequence[AskedView]:
        """What was asked of associations in a time (ms), the newest first."""

    async def asked_csv(self, officer: str, since_ts: int, until_ts: int) -> bytes:
        """The same as a file for a spreadsheet."""
