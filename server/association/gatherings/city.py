"""The city's calendar beside the association's own: taken in by whoever arranges gatherings."""

from __future__ import annotations

from server.association.members.members import Members
from server.association.members.model import Right
from server.calendars.public_calendar import PublicCalendar


class CityCalendar:
    """The verb."""

    def __init__(self, members: Members, calendar: PublicCalendar) -> None:
        self._members = members
        self._calendar = calendar

    async def take_in(self, officer: str, data: bytes) -> tuple[int, int]:
        """Put a file's entries in place of those before; answers how many, and how many make no sense."""
        self._members.require(officer, Right.ARRANGE_GATHERINGS)
        return await self._calendar.take_in(data)
