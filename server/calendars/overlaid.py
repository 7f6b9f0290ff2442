"""A calendar that people share, as each of them sees it: with their own alarms, their own ETags, their own position.

The position of a reader is the calendar's revision and the reader's own count of changes in one number, so that a
reader's change moves nobody else's token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from server.calendars.calendar_object import CalendarObject, etag_of, open_object
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, PutResult, Window
from server.calendars.overlay_store import Overlay, count_overlays, overlays_of, set_overlay
from server.calendars.personal_parts import personal_lines, says_the_same, with_lines
from server.calendars.ports import CalendarBackend
from server.calendars.refusals import Condition, refuse, refuse_rights
from server.calendars.user_cache import UserCache
from server.storage.database import Database

MAX_OVERLAYS: Final = 2000
_OWN_BITS: Final = 20
_NOTHING: Final[Mapping[str, Overlay]] = {}


class Overlays:
    """Every reader's additions, from memory once a reader has been seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: UserCache[dict[str, Mapping[str, Overlay]]] = UserCache()

    async def of(self, user_id: str, key: str) -> Mapping[str, Overlay]:
        """Item name to overlay, of one calendar."""
        return (await self._known.get(user_id, lambda: overlays_of(self._database, user_id))).get(key, _NOTHING)

    async def put(self, user_id: str, key: str, name: str, lines: str) -> None:
        """Replace what a reader has added to an item."""
        old = (await self.of(user_id, key)).get(name)
        if lines == (old.lines if old else ""):
            return
        async with self._database.write() as tx:
            if old is None and await count_overlays(tx, user_id) >= MAX_OVERLAYS:
                raise refuse(Condition.WITHIN_LIMITS, "You have set alarms on too many entries", status=507)
            await set_overlay(tx, user_id, key, name, lines)
            tx.after_commit.append(lambda: self._known.forget(user_id))


class OverlaidCalendars:
    """A ``ports.CalendarBackend`` around another. Its collections carry their reader in ``owner``."""

    def __init__(self, inner: CalendarBackend, overlays: Overlays) -> None:
        self._inner = inner
        self._overlays = overlays

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """Those of the inner backend, at the reader's own position."""
        found = []
        for collection in await self._inner.collections(user_id):
            own = _last(await self._overlays.of(user_id, collection.key))
            found.append(replace(collection, owner=user_id, revision=_joined(collection.revision, own)))
        return found

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All items; those with an addition have another ETag and size."""
        heads = await self._inner.heads(_plain(collection))
        own = await self._own(collection)
        if not own:
            return heads
        names = [head.name for head in heads if _lines(own, head.name)]
        changed = {item.head.name: item.head for item in await self.items(collection, names)}
        return [changed.get(head.name, head) for head in heads]

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Items by name, with the reader's additions."""
        return _overlaid(await self._inner.items(_plain(collection), names), await self._own(collection))

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return _overlaid(await self._inner.search(_plain(collection), window), await self._own(collection))

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed for everybody, then what the reader has added."""
        shared, own_at = _split(revision)
        if revision and not shared:
            raise refuse(Condition.VALID_SYNC_TOKEN, "The sync token is no longer known; start anew")
        own = await self._own(collection)
        changes = await self._inner.changes_since(_plain(collection), shared, limit)
        names = [head.name for head in changes.changed if _lines(own, head.name)]
        if changes.more:
            shown = await self._shown(collection, changes.changed, names)
            return Changes(shown, changes.gone, _joined(changes.revision, own_at), True)
        told = {*changes.gone, *(head.name for head in changes.changed)}
        later = sorted((overlay.revision, name) for name, overlay in own.items()
                       if overlay.revision > own_at and name not in told) if revision else []
        taken = later[:limit - len(told)] if limit > len(told) else []
        more = len(taken) < len(later)
        reached = (taken[-1][0] if taken else own_at) if more else _last(own)
        extra = [item.head for item in await self.items(collection, [name for _, name in taken])]
        shown = await self._shown(collection, changes.changed, names)
        return Changes((*shown, *extra), changes.gone, _joined(changes.revision, reached), more)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Write what everybody sees if it differs, and what is the writer's own to the writer only."""
        old = await self._base(collection, name)
        await self._require(collection, old, expected)
        if old is None or not says_the_same(thing, open_object(old.data)):
            condition = Expected(None, frozenset("*")) if old is None else Expected(frozenset({old.head.etag}))
            await self._inner.put_item(user_id, _plain(collection), name, thing, condition)
        await self._overlays.put(user_id, collection.key, name, personal_lines(thing))
        return PutResult(old is None, None)

    async def put_own(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """What somebody writes who may only read: taken as far as it is their own, refused if it says anything new."""
        old = await self._base(collection, name)
        if old is None or thing.uid != old.head.uid or not says_the_same(thing, open_object(old.data)):
            raise refuse_rights()
        await self._require(collection, old, expected)
        await self._overlays.put(user_id, collection.key, name, personal_lines(thing))
        return PutResult(False, None)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Remove one item for everybody."""
        old = await self._base(collection, name)
        if old is not None:
            await self._require(collection, old, expected)
            expected = Expected(frozenset({old.head.etag}))
        await self._inner.delete_item(user_id, _plain(collection), name, expected)

    async def _base(self, collection: Collection, name: str) -> Item | None:
        found = await self._inner.items(_plain(collection), [name])
        return found[0] if found else None

    async def _require(self, collection: Collection, old: Item | None, expected: Expected) -> None:
        seen = _overlaid([old], await self._own(collection))[0].head.etag if old is not None else None
        expected.require(seen)

    async def _own(self, collection: Collection) -> Mapping[str, Overlay]:
        return await self._overlays.of(collection.owner, collection.key)

    async def _shown(
        self, collection: Collection, heads: Sequence[ItemHead], names: Sequence[str]
    ) -> tuple[ItemHead, ...]:
        changed = {item.head.name: item.head for item in await self.items(collection, names)} if names else {}
        return tuple(changed.get(head.name, head) for head in heads)


def _overlaid(items: Iterable[Item], own: Mapping[str, Overlay]) -> list[Item]:
    return [_with(item, _lines(own, item.head.name)) for item in items]


def _with(item: Item, lines: str) -> Item:
    if not lines:
        return item
    data = with_lines(item.data, lines)
    return Item(replace(item.head, etag=etag_of(data), size=len(data)), data)


def _lines(own: Mapping[str, Overlay], name: str) -> str:
    return own[name].lines if name in own else ""


def _last(own: Mapping[str, Overlay]) -> int:
    return max((overlay.revision for overlay in own.values()), default=0)


def _joined(shared: int, own: int) -> int:
    return (shared << _OWN_BITS) | own


def _split(revision: int) -> tuple[int, int]:
    return revision >> _OWN_BITS, revision & ((1 << _OWN_BITS) - 1)


def _plain(collection: Collection) -> Collection:
    return replace(collection, revision=_split(collection.revision)[0])
