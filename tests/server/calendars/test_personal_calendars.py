"""The stored calendars and what is kept in memory of them, without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.calendars.calendar_object import read_object
from server.calendars.model import Expected, NewCalendar
from server.calendars.personal_properties import PersonalProperties
from server.calendars.refusals import CalendarRefused
from server.calendars.stored import StoredCalendars
from server.calendars.user_cache import UserCache
from server.storage.database import Database
from tests.empty_database import empty_database
from tests.fakes.clock import FakeClock
from tests.server.calendars.entries import entry

HANAKO = "@hanako:sakura.example"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with empty_database(tmp_path / "node.db") as opened:
        yield opened


@pytest.fixture
def stored(database: Database) -> StoredCalendars:
    return StoredCalendars(database, PersonalProperties(database), FakeClock())


async def test_the_first_calendars_are_made_once_even_for_many_devices_at_once(stored: StoredCalendars) -> None:
    homes = await asyncio.gather(*(stored.collections(HANAKO) for _ in range(5)))
    assert [len(home) for home in homes] == [2] * 5


async def test_a_deleted_first_calendar_does_not_come_back(stored: StoredCalendars) -> None:
    await stored.remove(HANAKO, (await stored.collections(HANAKO))[0])
    assert [item.name for item in await stored.collections(HANAKO)] == ["tasks"]


async def test_of_two_devices_that_change_one_version_only_one_gets_through(stored: StoredCalendars) -> None:
    calendar = (await stored.collections(HANAKO))[0]
    first = read_object(entry("a", "DTSTART:20260101T000000Z"))
    await stored.put_item(HANAKO, calendar, "a.ics", first, Expected())
    expected = Expected(match=frozenset({first.etag}))
    answers = await asyncio.gather(*(
        stored.put_item(HANAKO, calendar, "a.ics", read_object(entry("a", f"DTSTART:2026010{day}T000000Z")), expected)
        for day in range(2, 8)
    ), return_exceptions=True)
    assert sum(isinstance(answer, CalendarRefused) and answer.status == 412 for answer in answers) == 5


async def test_a_change_is_seen_at_once(stored: StoredCalendars) -> None:
    before = (await stored.collections(HANAKO))[0].revision
    await stored.put_item(HANAKO, (await stored.collections(HANAKO))[0], "a.ics",
                          read_object(entry("a", "DTSTART:20260101T000000Z")), Expected())
    assert (await stored.collections(HANAKO))[0].revision == before + 1
    await stored.create(HANAKO, NewCalendar("new", "VTODO"))
    assert len(await stored.collections(HANAKO)) == 3


async def test_nobody_makes_calendars_without_end(stored: StoredCalendars) -> None:
    await stored.collections(HANAKO)
    for number in range(48):
        await stored.create(HANAKO, NewCalendar(str(number), "VEVENT"))
    with pytest.raises(CalendarRefused, match="as many"):
        await stored.create(HANAKO, NewCalendar("one more", "VEVENT"))


async def test_what_was_read_while_it_changed_is_not_kept() -> None:
    cache: UserCache[int] = UserCache(limit=2)

    async def changes_meanwhile() -> int:
        cache.forget(HANAKO)
        return 1

    async def two() -> int:
        return 2

    assert await cache.get(HANAKO, changes_meanwhile) == 1
    assert await cache.get(HANAKO, two) == 2
    assert await cache.get(HANAKO, changes_meanwhile) == 2
