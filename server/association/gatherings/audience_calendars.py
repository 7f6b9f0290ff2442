"""The calendars of blocks, groups and officers: everybody has those of the audiences that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.association.gatherings.calendar import GatheringCalendarPort, key_of
from server.association.gatherings.gatherings import Gatherings
from server.association.members.members import Members
from server.association.members.model import OFFICERS, Audience
from server.calendars.calendar_object import CalendarObject
from server.calendars.gatherings import GatheringCalendar
from server.calendars.model import Changes, Collection, Expected, Item, ItemHead, PutResult, Window


class AudienceCalendars:
    """A ``server.calendars.ports.CalendarBackend`` with one collection for each audience but everyone."""

    def __init__(self, gatherings: Gatherings, members: Members) -> None:
        self._gatherings = gatherings
        self._members = members
        self._calendars: dict[str, GatheringCalendar] = {}

    async def collections(self, user_id: str) -> Sequence[Collection]:
        """Those of the caller's block, groups and office, under the names that these have now."""
        return [
            replace(collection, display_name=f"{name}の行事")
            for audience, name in self._audiences(user_id)
            for collection in await self._calendar(audience).collections(user_id)
        ]

    async def heads(self, collection: Collection) -> Sequence[ItemHead]:
        """All gatherings of one audience."""
        return await self._calendars[collection.key].heads(collection)

    async def items(self, collection: Collection, names: Sequence[str]) -> Sequence[Item]:
        """Gatherings by name."""
        return await self._calendars[collection.key].items(collection, names)

    async def search(self, collection: Collection, window: Window) -> Sequence[Item]:
        """Candidates by their bounds in time."""
        return await self._calendars[collection.key].search(collection, window)

    async def changes_since(self, collection: Collection, revision: int, limit: int) -> Changes:
        """What has changed since."""
        return await self._calendars[collection.key].changes_since(collection, revision, limit)

    async def put_item(
        self, user_id: str, collection: Collection, name: str, thing: CalendarObject, expected: Expected
    ) -> PutResult:
        """Announce or change a gathering of the audience."""
        return await self._calendars[collection.key].put_item(user_id, collection, name, thing, expected)

    async def delete_item(self, user_id: str, collection: Collection, name: str, expected: Expected) -> None:
        """Call a gathering off."""
        await self._calendars[collection.key].delete_item(user_id, collection, name, expected)

    def _audiences(self, user_id: str) -> list[tuple[Audience, str]]:
        person = self._members.person_of_user(user_id)
        if person is None:
            return []
        block = self._members.block_of(person.id)
        found = [(Audience.blocks([block.id]), block.name)]
        found += [(Audience.groups([group.id]), group.name) for group in self._members.groups_of(person.id)]
        if self._members.is_in(user_id, OFFICERS):
            found.append((OFFICERS, "役員"))
        return found

    def _calendar(self, audience: Audience) -> GatheringCalendar:
        key = key_of(audience)
        if key not in self._calendars:
            self._calendars[key] = GatheringCalendar(GatheringCalendarPort(self._gatherings, audience), "行事", key)
        return self._calendars[key]
