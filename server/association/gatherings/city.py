"""The city's calendar beside the association's own: taken in, or subscribed to, by whoever arranges gatherings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from server.association.members.members import Members
from server.association.members.model import Right
from server.calendars.public_calendar import PublicCalendar
from server.calendars.subscription_store import Subscription

if TYPE_CHECKING:
    from server.calendars.city_feed import CityFeed


class CityCalendar:
    """The verbs."""

    def __init__(self, members: Members, calendar: PublicCalendar, feed: Callable[[], CityFeed]) -> None:
        self._members = members
        self._calendar = calendar
        self._feed = feed

    async def take_in(self, officer: str, data: bytes) -> tuple[int, int]:
        """Put a file's entries in place of those before; answers how many, and how many make no sense."""
        self._members.require(officer, Right.ARRANGE_GATHERINGS)
        return await self._calendar.take_in(data)

    async def subscription(self, officer: str) -> Subscription | None:
        """The address from which it is fetched, and how that goes."""
        self._members.require(officer, Right.ARRANGE_GATHERINGS)
        return await self._feed().subscription()

    async def subscribe(self, officer: str, url: str) -> None:
        """Fetch it from an address, now and from now on; raises ``InvalidParam`` where nothing comes from there."""
        self._members.require(officer, Right.ARRANGE_GATHERINGS)
        await self._feed().subscribe(url)

    async def unsubscribe(self, officer: str) -> None:
        """Fetch it no more; what is there stays."""
        self._members.require(officer, Right.ARRANGE_GATHERINGS)
        await self._feed().unsubscribe()
