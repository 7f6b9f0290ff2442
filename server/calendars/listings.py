"""What stands in the calendars that were asked for last: a listing costs what has changed since the one before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from server.calendars.model import ItemHead

# About half a kilobyte each.
MAX_HEADS: Final = 12_000


@dataclass(frozen=True, slots=True)
class Listing:
    """Every item of one calendar as it stood at ``revision``, in order of name."""

    revision: int
    heads: tuple[ItemHead, ...]

    def moved_on(self, revision: int, changed: Iterable[ItemHead], gone: Iterable[str]) -> Listing:
        """The listing at a later ``revision``."""
        by_name: Mapping[str, ItemHead] = {head.name: head for head in (*self.heads, *changed)}
        missing = frozenset(gone)
        kept = (head for name, head in by_name.items() if name not in missing)
        return Listing(revision, tuple(sorted(kept, key=lambda head: head.name)))


class Listings:
    """Listings by calendar, together of at most ``limit`` items; the one asked for longest ago goes first."""

    def __init__(self, limit: int = MAX_HEADS) -> None:
        self._limit = limit
        self._kept: OrderedDict[int, Listing] = OrderedDict()
        self._heads = 0

    def find(self, calendar: int) -> Listing | None:
        """What is remembered, which may be behind."""
        if calendar in self._kept:
            self._kept.move_to_end(calendar)
        return self._kept.get(calendar)

    def keep(self, calendar: int, listing: Listing) -> None:
        """Remember ``listing`` unless a later one is known."""
        old = self._kept.get(calendar)
        if old is not None and old.revision > listing.revision:
            return
        self._kept[calendar] = listing
        self._heads += len(listing.heads) - (0 if old is None else len(old.heads))
        while self._heads > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._heads -= len(oldest.heads)
