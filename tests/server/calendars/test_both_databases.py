"""Listings, changes, moves and overlays on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from server.calendars import calendar_store
from server.calendars.calendar_object import open_object
from server.calendars.model import Collection, Expected
from server.calendars.overlaid import Overlays
from server.calendars.overlay_store import forget_overlays
from server.calendars.personal_properties import PersonalProperties
from server.calendars.stored import StoredCalendars
from server.foundation.clock import SystemClock
from server.foundation.errors import NotFound
from server.storage.database import Database
from tests.server.calendars.entries import entry
from tests.storage.conftest import cluster, database, database_url  # noqa: F401  fixtures

USER = "@hanako:sakura.example"
START = "DTSTART;TZID=Asia/Tokyo:20261123T100000"


async def test_changes_are_told_in_order_with_what_is_gone(database: Database) -> None:  # noqa: F811
    own = StoredCalendars(database, PersonalProperties(database), SystemClock())

    async def personal() -> Collection:
        return next(one for one in await own.collections(USER) if one.name == "personal")

    for number in range(3):
        await own.put_item(USER, await personal(), f"{number}.ics", open_object(entry(f"e{number}", START)), Expected())
    assert len(await own.heads(await personal())) == 3
    before = (await personal()).revision
    await own.delete_item(USER, await personal(), "0.ics", Expected())
    etag = next(head.etag for head in await own.heads(await personal()) if head.name == "1.ics")
    here = await personal()
    moved = await own.move_item(USER, here, "1.ics", here, "moved.ics", etag, overwrite=False)
    assert (moved.created, moved.etag) == (True, etag)
    first = await own.changes_since(await personal(), before, 1)
    assert (first.changed, first.gone, first.more) == ((), ("0.ics",), True)
    rest = await own.changes_since(await personal(), first.revision, 10)
    assert ([head.name for head in rest.changed], rest.gone, rest.more) == (["moved.ics"], ("1.ics",), False)
    assert [head.name for head in await own.heads(await personal())] == ["2.ics", "moved.ics"]
    assert [item.data for item in await own.items(await personal(), ["moved.ics"])] == [entry("e1", START)]


async def test_overlays_are_counted_for_each_reader_and_calendar(database: Database) -> None:  # noqa: F811
    overlays = Overlays(database)
    await overlays.put(USER, "gatherings", "a.ics", "TRANSP:TRANSPARENT\r\n")
    await overlays.put(USER, "gatherings", "b.ics", "X-MOZ-LASTACK:1\r\n")
    await overlays.put(USER, "gatherings", "a.ics", "")
    await overlays.put("@taro:sakura.example", "gatherings", "a.ics", "TRANSP:OPAQUE\r\n")
    found = await Overlays(database).of(USER, "gatherings")
    assert {name: tuple(overlay) for name, overlay in found.items()} == {
        "a.ics": (3, ""), "b.ics": (2, "X-MOZ-LASTACK:1\r\n")}
    async with database.write() as tx:
        await forget_overlays(tx, USER)
    assert not await Overlays(database).of(USER, "gatherings")
    assert await Overlays(database).of("@taro:sakura.example", "gatherings")


async def test_who_has_left_and_comes_back_finds_calendars_that_are_theirs(database: Database) -> None:  # noqa: F811
    own = StoredCalendars(database, PersonalProperties(database), SystemClock())
    before = next(one for one in await own.collections(USER) if one.name == "personal")
    async with database.write() as tx:
        await calendar_store.remove_home(tx, USER)
    thing = open_object(entry("e", START))
    with pytest.raises(NotFound):
        await own.put_item(USER, before, "e.ics", thing, Expected())
    after = next(one for one in await own.collections(USER) if one.name == "personal")
    assert after.key != before.key
    assert (await own.put_item(USER, after, "e.ics", thing, Expected())).created
    assert [head.name for head in await own.heads(after)] == ["e.ics"]


async def test_many_changes_of_one_calendar_at_the_same_moment_all_count(database: Database) -> None:  # noqa: F811
    own = StoredCalendars(database, PersonalProperties(database), SystemClock())
    personal = next(one for one in await own.collections(USER) if one.name == "personal")
    things = [open_object(entry(f"e{number}", START)) for number in range(20)]
    await asyncio.gather(*(
        own.put_item(USER, personal, f"{number}.ics", thing, Expected()) for number, thing in enumerate(things)))
    now = next(one for one in await own.collections(USER) if one.name == "personal")
    changes = await own.changes_since(now, personal.revision, 100)
    assert (len(changes.changed), now.revision) == (20, personal.revision + 20)
    assert sorted(head.revision for head in changes.changed) == list(range(personal.revision + 1, now.revision + 1))
