"""What is remembered and left out of a large calendar, so that it costs little, changes no answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.calendars.calendar_object import open_object
from server.calendars.expansion import DataRequest, answer_data
from server.calendars.filters import CompFilter, PropFilter, TextMatch, matches
from server.calendars.listings import Listings
from server.calendars.long_work import LongWork
from server.calendars.model import Collection, Expected, Kind, NewCalendar, Window
from server.calendars.personal_properties import PersonalProperties
from server.calendars.querying import YearSpans
from server.calendars.refusals import CalendarRefused
from server.calendars.shown import ShownObjects
from server.calendars.stored import StoredCalendars
from server.calendars.text_search import may_pass
from server.foundation.clock import SystemClock
from tests.empty_database import empty_database
from tests.server.calendars.entries import as_item, entry

START = "DTSTART;TZID=Asia/Tokyo:20261123T100000"
USER = "@hanako:sakura.example"


class SlowClock(SystemClock):
    """A second goes by with every look at it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


TEXTS = st.text(st.sampled_from('aAß清 掃;,\\\n"é-İ'), max_size=6)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["i;ascii-casemap", "i;octet", "i;unicode-casemap"]), st.booleans(),
       st.sampled_from(["contains", "equals", "starts-with", "ends-with"]))
def test_no_entry_is_left_out_by_its_bytes_that_the_filter_would_find(
    said: str, asked: str, collation: str, negate: bool, kind: str
) -> None:
    escaped = said.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    item = as_item("x", entry("x", START, f"SUMMARY:{'長' * 30}{escaped}".replace("長" * 20, "長" * 20 + "\r\n ")))
    text = TextMatch(asked, collation, negate, kind)
    query = CompFilter("VCALENDAR", comps=(CompFilter("VEVENT", props=(PropFilter("SUMMARY", text=text),)),))
    if matches(open_object(item.data), item.head.span, query):
        assert may_pass(item, query, "VEVENT")


def test_an_entry_without_the_words_is_not_read() -> None:
    item = as_item("x", entry("x", START, "SUMMARY:清掃"))
    query = CompFilter("VCALENDAR", comps=(
        CompFilter("VEVENT", props=(PropFilter("SUMMARY", text=TextMatch("餅つき")),)),))
    assert not may_pass(item, query, "VEVENT")
    assert may_pass(item, CompFilter("VCALENDAR"), "VEVENT")


@pytest.fixture
async def own(tmp_path: Path) -> Any:
    """Calendars of residents in a database of their own."""
    async with empty_database(tmp_path / "node.db") as database:
        yield StoredCalendars(database, PersonalProperties(database), SystemClock())


async def collection_of(own: StoredCalendars) -> Collection:
    return next(one for one in await own.collections(USER) if one.name == "personal")


async def test_a_remembered_listing_follows_every_change(own: StoredCalendars) -> None:
    async def put(name: str, uid: str, *lines: str) -> None:
        thing = open_object(entry(uid, START, *lines))
        await own.put_item(USER, await collection_of(own), name, thing, Expected())

    for number in range(5):
        await put(f"{number}.ics", f"e{number}")
    assert [head.name for head in await own.heads(await collection_of(own))] == [f"{number}.ics" for number in range(5)]
    await own.delete_item(USER, await collection_of(own), "1.ics", Expected())
    await put("2.ics", "e2", "SUMMARY:x")
    await put("7.ics", "e7")
    await own.delete_item(USER, await collection_of(own), "7.ics", Expected())
    await put("7.ics", "e7")
    calendar = await collection_of(own)
    remembered = list(await own.heads(calendar))
    own._listings = Listings()
    assert remembered == list(await own.heads(calendar))
    assert [head.name for head in remembered] == ["0.ics", "2.ics", "3.ics", "4.ics", "7.ics"]


async def test_what_is_remembered_of_calendars_is_bounded(own: StoredCalendars) -> None:
    own._listings = Listings(limit=3)
    await own.create(USER, NewCalendar("second", "VEVENT"))
    for calendar in ("personal", "second"):
        for number in range(2):
            found = next(one for one in await own.collections(USER) if one.name == calendar)
            await own.put_item(USER, found, f"{number}.ics", open_object(entry(f"e{number}", START)), Expected())
    both = [one for one in await own.collections(USER) if one.kind is Kind.PERSONAL and one.component == "VEVENT"]
    for _ in range(2):
        assert [len(await own.heads(one)) for one in both] == [2, 2]
    assert own._listings._heads <= 3


def test_years_and_expansions_that_are_kept_are_bounded() -> None:
    years, shown = YearSpans(numbers=1500), ShownObjects(limit=100_000)
    march = Window(1_772_290_800_000, 1_774_969_200_000)
    for number in range(6):
        item = as_item("x", entry(f"e{number}", START.replace("2026", "2025"), "RRULE:FREQ=DAILY"))
        assert years.meet(item, march)
        wanted = DataRequest(expand=march)
        assert shown.all_of([item], wanted) == shown.all_of([item], wanted) == [answer_data(item.data, wanted)]
    assert years._size <= 1500
    assert shown._size <= 100_000


async def test_work_on_many_entries_ends_in_time() -> None:
    items = [as_item(f"{number}", entry(f"e{number}", START)) for number in range(9)]
    count: Callable[[Any], int] = lambda found: len(list(found))  # noqa: E731  the shortest that says it
    assert await LongWork(SlowClock(), 20).over(USER, items, count) == 9
    with pytest.raises(CalendarRefused) as refused:
        await LongWork(SlowClock(), 5).over(USER, items, count)
    assert refused.value.status == 507
