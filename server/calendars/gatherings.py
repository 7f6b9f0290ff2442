"""The association's gatherings as a calendar: nothing is kept here, all of it is what the port says."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Final

from server.calendars.calendar_object import CalendarObject, etag_of, open_object
from server.calendars.gathering_ics import read_gathering, render_gathering
from server.calendars.model import (
    Changes,
    Collection,
    Expected,
    Item,
    ItemHead,
    Kind,
    PutResult,
    Window,
    require_name,
)
from server.calendars.occurrences import span_of
from server.calendars.ports import Gathering, GatheringPort
from server.calendars.refusals import Condition, refuse
from server.foundation.errors import NotFound

GATHERINGS: Final = "gatherings"
_GREEN: Final = "#2E7D32FF"
# Dark enough for white letters, and none of them the colour of another kind of calendar.
_OF_GROUPS: Final = ("#00695CFF", "#AD1457FF", "#283593FF", "#4E342EFF", "#C62828FF", "#00838FFF", "#558B2FFF")


def _color_of(key: str) -> str:
    """Green for everybody's gatherings; each group and block keeps one colour for ever."""
    return _GREEN if key == GATHERINGS else _OF_GROUPS[zlib.crc32(key.encode()) % len(_OF_GROUPS)]


class GatheringCalendar:
    """A ``ports.CalendarBackend`` with one collection that everybody shares; ``key`` names it for ever.

    Each gathering is rendered once a change; reading needs no more than the port's revision.
    """

    def __init__(self, port: GatheringPort, display_name: str, key: str = GATHERINGS) -> None:
        self._port = port
        self._key = key
        self._display_name = display_name
        self._items: dict[str, Item] = {}
        self._gone: dict[str, int] = {}
        self._revision = 0
        self._refreshing = asyncio.Lock()

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """The one collection."""
        # A sync token of 0 means "from nothing", so positions are told one higher.
        revision = await self._port.revision() + 1
        return (Collection(self._key, self._key, Kind.SHARED, "VEVENT", self._display_name, revision,
                           color=_color_of(self._key)),)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All gatherings."""
        return [item.head for _, item in sorted((await self._current()).items())]

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Gatherings by name."""
        current = await self._current()
        return [current[name] for name in names if name in current]

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return [item for _, item in sorted((await self._current()).items()) if window.may_meet(item.head.span)]

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What the port has told since."""
        current = await self._current()
        changed = [(item.head.revision, item.head) for item in current.values() if item.head.revision > revision]
        gone = [(at, name) for name, at in self._gone.items() if at > revision > 0]
        ordered: list[tuple[int, ItemHead | str]] = sorted([*changed, *gone], key=lambda pair: pair[0])
        taken, more = ordered[:limit], len(ordered) > limit
        reached = taken[-1][0] if more else max(self._revision + 1, revision)
        return Changes(
            tuple(thing for _, thing in taken if isinstance(thing, ItemHead)),
            tuple(thing for _, thing in taken if isinstance(thing, str)), reached, more,
        )

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Announce or change a gathering. It comes back in our own words, so no ETag is told."""
        draft = read_gathering(thing)
        old = (await self._current()).get(require_name(name))
        expected.require(old.head.etag if old else None)
        if old is None:
            await self._require_uid_free(draft.uid)
            await self._port.create(user_id, name, draft)
        elif old.head.uid != draft.uid:
            raise refuse(Condition.UID_CONFLICT, "This entry has another UID", status=409, names=(name,))
        else:
            await self._port.update(user_id, name, draft, old.head.revision - 1)
        return PutResult(old is None, None)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Call a gathering off."""
        old = (await self._current()).get(name)
        if old is None:
            raise NotFound("There is no such gathering")
        expected.require(old.head.etag)
        await self._port.cancel(user_id, name, old.head.revision - 1)

    async def _require_uid_free(self, uid: str) -> None:
        for item in (await self._current()).values():
            if item.head.uid == uid:
                raise refuse(Condition.UID_CONFLICT, "Another gathering has this UID", status=409,
                             names=(item.head.name,))

    async def _current(self) -> dict[str, Item]:
        if self._revision != await self._port.revision() or not self._items:
            async with self._refreshing:
                await self._refresh()
        return self._items

    async def _refresh(self) -> None:
        for change in await self._port.changed_since(self._revision):
            if change.gathering is None:
                self._items.pop(change.name, None)
                self._gone[change.name] = change.revision + 1
            else:
                self._items[change.name] = _as_item(change.gathering)
                self._gone.pop(change.name, None)
            self._revision = max(self._revision, change.revision)


def _as_item(gathering: Gathering) -> Item:
    data = render_gathering(gathering)
    thing = open_object(data)
    head = ItemHead(gathering.name, etag_of(data), thing.uid, len(data), gathering.changed_ms,
                    gathering.revision + 1, span_of(thing))
    return Item(head, data)
