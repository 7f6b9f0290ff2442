"""What calendars that are made from something else have in common: entries as items, and what changed of them.

An entry is a ``ports.Gathering``, whatever it stands for: a booking, a duty, a day on which garbage is fetched.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

from server.calendars.calendar_object import etag_of, open_object
from server.calendars.gathering_ics import render_gathering
from server.calendars.model import Changes, Item, ItemHead, Span
from server.calendars.occurrences import span_of
from server.calendars.ports import Gathering
from server.calendars.times import to_ms

_KEPT: Final = 3_000


def as_item(entry: Gathering) -> Item:
    """An entry with its bytes. Positions are told one higher: a sync token of 0 means "from nothing"."""
    data = render_gathering(entry)
    draft = entry.draft
    span = span_of(open_object(data)) if draft.rule else Span(to_ms(draft.start), to_ms(draft.end), exact=True)
    head = ItemHead(entry.name, etag_of(data), draft.uid, len(data), entry.changed_ms, entry.revision + 1, span)
    return Item(head, data)


class RenderedEntries:
    """Items by what they were made from; those asked for longest ago are made anew."""

    def __init__(self, limit: int = _KEPT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Item] = OrderedDict()

    def of(self, entry: Gathering) -> Item:
        """The item of an entry."""
        return self.known_as(entry, lambda: entry)

    def known_as(self, key: Hashable, make: Callable[[], Gathering]) -> Item:
        """The item of the entry that ``key`` stands for, which is made only where it is not kept."""
        item = self._kept.get(key)
        if item is None:
            item = self._kept[key] = as_item(make())
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return item

    def all_of(self, entries: Iterable[Gathering]) -> list[Item]:
        """The items of entries, in order of name."""
        return sorted(map(self.of, entries), key=lambda item: item.head.name)


def told_since(
    items: Iterable[Item], gone: Iterable[tuple[int, str]], revision: int, limit: int, reached: int
) -> Changes:
    """What changed after the position ``revision`` (0: from nothing), oldest first.

    ``gone``: positions as the entries count them, and names; ``reached`` is the collection's position.
    """
    changed: list[tuple[int, ItemHead | str]] = [
        (item.head.revision, item.head) for item in items if item.head.revision > revision
    ]
    there = {head.name for _, head in changed if isinstance(head, ItemHead)}
    lost = [(at + 1, name) for at, name in gone if at + 1 > revision > 0 and name not in there]
    ordered: Sequence[tuple[int, ItemHead | str]] = sorted([*changed, *lost], key=lambda pair: pair[0])
    # What changed at one position is told together, or a limit in its middle would lose the rest.
    taken = ordered[:limit]
    while taken and len(taken) < len(ordered) and taken[-1][0] == ordered[len(taken)][0]:
        taken = ordered[:len(taken) + 1]
    more = len(taken) < len(ordered)
    return Changes(
        tuple(thing for _, thing in taken if isinstance(thing, ItemHead)),
        tuple(thing for _, thing in taken if isinstance(thing, str)),
        taken[-1][0] if more else max(reached, revision), more,
    )
