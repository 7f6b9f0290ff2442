"""Collections that are put together whole from something else: their source says what is in one, and here it is listed,
read by name and searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, PutResult, Window
from server.calendars.refusals import refuse_rights

if TYPE_CHECKING:
    from server.calendars.calendar_object import CalendarObject


class WholeSource(Protocol):
    """What there is. ``collections`` and ``changes_since`` are those of ``ports.CalendarBackend``."""

    async def collections(self, user_id: str) -> Sequence[Collection]: ...

    async def all_items(self, collection: Collection) -> Sequence[Item]:
        """Everything in a collection, in order of name; from memory, it is asked with every request."""

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes: ...


class ItemWriter(Protocol):
    """What apps write into such a collection, as in ``ports.CalendarBackend``."""

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult: ...

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None: ...


class WholeCalendars:
    """A ``ports.CalendarBackend`` over a source. Without a writer it can only be read; it changes where it is from."""

    def __init__(self, source: WholeSource, writer: ItemWriter | None = None) -> None:
        self._source = source
        self._writer = writer

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """Those of the source."""
        return await self._source.collections(user_id)

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """Everything."""
        return [item.head for item in await self._source.all_items(collection)]

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Items by name."""
        by_name = {item.head.name: item for item in await self._source.all_items(collection)}
        return [by_name[name] for name in names if name in by_name]

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return [item for item in await self._source.all_items(collection) if window.may_meet(item.head.span)]

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What changed since."""
        return await self._source.changes_since(collection, revision, limit)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Write one item, where somebody may."""
        if self._writer is None:
            raise refuse_rights()
        return await self._writer.put_item(user_id, collection, name, thing, expected)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Remove one item, where somebody may."""
        if self._writer is None:
            raise refuse_rights()
        await self._writer.delete_item(user_id, collection, name, expected)
