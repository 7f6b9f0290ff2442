"""The city's calendar by its address: what is new is taken in, what is away or broken takes nothing away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.calendars.city_feed import AGAIN_MS, MAX_BYTES, CityFeed, checked_url
from server.calendars.model import Item, Window
from server.calendars.public_calendar import PublicCalendar
from server.calendars.public_entries import MAX_ENTRIES, taken_apart
from server.calendars.subscription_store import EVERY_MS, Subscription
from server.foundation.errors import InvalidParam
from server.foundation.outgoing import Fetched, ForbiddenAddress, TooMuch, Unreachable
from server.storage.database import Database
from tests.empty_database import lay_down
from tests.fakes.clock import FakeClock

URL = "https://city.example/events.ics"
ZONE = ("BEGIN:VTIMEZONE\r\nTZID:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0900\r\n"
        "TZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")


def event(uid: str, *lines: str, start: str = "DTSTART;TZID=Asia/Tokyo:20270801T100000") -> str:
    inner = "".join(f"{line}\r\n" for line in (f"UID:{uid}", start, *lines))
    return f"BEGIN:VEVENT\r\n{inner}END:VEVENT\r\n"


def file_of(*events: str, zone: str = ZONE) -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:PUBLISH\r\n{zone}{''.join(events)}END:VCALENDAR\r\n".encode()


@dataclass
class City:
    """A city's server that answers as it is told, and what it was asked."""

    answers: list[tuple[int, Mapping[str, str], bytes] | Exception] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    async def fetch(self, method: str, url: str, *, headers: dict[str, str], limit: int, **_: Any) -> Fetched:
        assert (method, limit) == ("GET", MAX_BYTES)
        self.asked.append(headers)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Fetched(*answer, url)


@dataclass
class World:
    """A feed with its city, calendar and clock."""

    city: City
    calendar: PublicCalendar
    clock: FakeClock
    feed: CityFeed

    async def titles(self) -> list[str]:
        return sorted(line[8:].strip() for item in await self.items() for line in item.data.decode().splitlines()
                      if line.startswith("SUMMARY:"))

    async def items(self) -> list[Item]:
        return [item for collection in await self.calendar.collections("@a:b")
                for item in await self.calendar.search(collection, Window())]

    async def revision(self) -> int:
        return (await self.calendar.collections("@a:b"))[0].revision


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'node.db'}"
    await lay_down(url)
    database = Database(url)
    await database.open()
    city, clock = City(), FakeClock()
    calendar = PublicCalendar(database, clock)
    yield World(city, calendar, clock, CityFeed(database, clock, city, calendar.take_in))
    await database.close()


async def test_it_is_fetched_now_and_then_and_only_where_something_is_new(world: World) -> None:
    first = file_of(event("a", "SUMMARY:まつり", "DTSTAMP:20260101T000000Z"))
    world.city.answers = [(200, {"ETag": '"1"', "Last-Modified": "Mon, 02 Nov 2026 00:00:00 GMT"}, first)]
    await world.feed.subscribe(f"webcal://{URL[8:]}")
    assert await world.titles() == ["まつり"]
    await world.feed.look_round()
    assert len(world.city.asked) == 1
    await world.clock.advance(EVERY_MS / 1000)
    before = await world.revision()
    world.city.answers = [(304, {}, b"")]
    await world.feed.look_round()
    assert (world.city.asked[1]["If-None-Match"], world.city.asked[1]["If-Modified-Since"]) == (
        '"1"', "Mon, 02 Nov 2026 00:00:00 GMT")
    # Many write the moment of asking into every entry: that is no change.
    await world.clock.advance(EVERY_MS / 1000)
    world.city.answers = [(200, {}, first.replace(b"DTSTAMP:2026", b"DTSTAMP:2027"))]
    await world.feed.look_round()
    assert await world.revision() == before
    await world.clock.advance(EVERY_MS / 1000)
    world.city.answers = [(200, {}, file_of(event("b", "SUMMARY:健診")))]
    await world.feed.look_round()
    assert (await world.titles(), await world.revision() > before) == (["健診"], True)
    assert "If-None-Match" not in world.city.asked[3]


def test_it_is_asked_for_again_at_once_where_the_clock_was_set_back() -> None:
    known = Subscription(URL, next_ms=10 * EVERY_MS)
    assert [known.is_due(now * EVERY_MS) for now in (10, 9, 8)] == [True, False, True]
    assert Subscription(URL).is_due(0)


@pytest.mark.parametrize("trouble", [
    Unreachable("no answer"), TooMuch("too much"), ForbiddenAddress("no"), (404, {}, b"gone"), (304, {}, b""),
    (200, {}, b"<html>login</html>"), (200, {}, b""), (200, {}, file_of()), (200, {}, b"\xff\xfe\x00"),
    (200, {}, file_of(event("x", "RRULE:FREQ=SECONDLY"))),
])
async def test_the_last_good_copy_stays(world: World, trouble: Any) -> None:
    world.city.answers = [(200, {}, file_of(event("a", "SUMMARY:まつり")))]
    await world.feed.subscribe(URL)
    await world.clock.advance(EVERY_MS / 1000)
    world.city.answers = [trouble]
    await world.feed.look_round()
    known = await world.feed.subscription()
    assert known is not None
    if trouble == (304, {}, b""):
        assert known.trouble == ""
        return
    assert known.trouble
    assert await world.titles() == ["まつり"]
    await world.feed.look_round()
    assert len(world.city.asked) == 2
    await world.clock.advance(AGAIN_MS / 1000)
    world.city.answers = [(200, {}, file_of(event("a", "SUMMARY:夏まつり")))]
    await world.feed.look_round()
    known = await world.feed.subscription()
    assert known is not None
    assert (known.trouble, await world.titles()) == ("", ["夏まつり"])
    await world.feed.unsubscribe()
    await world.clock.advance(EVERY_MS / 1000)
    await world.feed.look_round()
    assert (await world.feed.subscription(), await world.titles()) == (None, ["夏まつり"])


async def test_an_address_from_which_nothing_comes_is_refused_and_changes_nothing(world: World) -> None:
    world.city.answers = [Unreachable("x"), (500, {}, b"")]
    for _ in range(2):
        with pytest.raises(InvalidParam):
            await world.feed.subscribe(URL)
    assert (await world.feed.subscription(), await world.items()) == (None, [])


@pytest.mark.parametrize("url", [
    "", "city", "ftp://city.example/a.ics", "file:///etc/passwd", "https://", "https://a:b@city.example/", "http://[::1",
    "https://city.example/" + "x" * 1000, "https://city.example/\nx", "javascript:alert(1)", "https://a b/",
])
def test_only_addresses_of_the_web_are_taken(url: str) -> None:
    with pytest.raises(InvalidParam):
        checked_url(url)


async def test_what_would_ring_invite_or_lead_away_stays_out(world: World) -> None:
    hostile = event(
        "a", "SUMMARY:まつり", "ATTENDEE:mailto:all@city.example", 'ORGANIZER;CN="x"\r\n ;X=y:mailto:x@city.example',
        "ATTACH:https://evil.example/", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "DESCRIPTION:ring",
        "END:VALARM")
    await world.calendar.take_in(file_of(hostile))
    (item,) = await world.items()
    for word in (b"ATTENDEE", b"ORGANIZER", b"X=y", b"ATTACH", b"VALARM", b"TRIGGER", b"ring", b"METHOD"):
        assert word not in item.data, word
    assert b"TZID:Asia/Tokyo" in item.data


async def test_one_bad_entry_takes_no_other_along(world: World) -> None:
    deep = "BEGIN:VALARM\r\n" * 400 + "END:VALARM\r\n" * 400
    bad = [
        event("s", "RRULE:FREQ=SECONDLY"), event("l", "SUMMARY:" + "x" * 600_000), event("n", start="X-NO:START"),
        event("z", start="DTSTART;TZID=Mine:20270801T100000"), event("d", "DTEND:19000101T000000Z"),
        event("r", "RDATE:" + ",".join(f"2027{1 + n // 800:02}{1 + n % 28:02}T{n % 24:02}{n % 60:02}00Z"
                                        for n in range(5_000))),
    ]
    told = await world.calendar.take_in(file_of(event("a", "SUMMARY:よい"), *bad, event("e", "SUMMARY:深い", deep)))
    assert told == (2, len(bad))
    assert await world.titles() == ["よい", "深い"]


async def test_a_time_zone_of_a_file_is_nobody_elses(world: World) -> None:
    zone = ZONE.replace("Asia/Tokyo", "Mine").replace("+0900", "-0500")
    mine = event("a", "SUMMARY:x", start="DTSTART;TZID=Mine:20270801T100000")
    assert await world.calendar.take_in(file_of(mine, zone=zone)) == (1, 0)
    with pytest.raises(InvalidParam):
        await world.calendar.take_in(file_of(mine))
    (item,) = await world.items()
    assert item.head.span.start == 1_817_132_400_000


def test_too_much_is_refused_before_it_is_read() -> None:
    for data in (
        b"BEGIN:VCALENDAR\n" + b"X" * MAX_BYTES, b"BEGIN:VCALENDAR\n" + b"\n" * 200_000,
        file_of(*(event(str(number)) for number in range(MAX_ENTRIES + 1))), b"BEGIN:VCALENDAR\r\n" * 3_000,
    ):
        with pytest.raises(InvalidParam):
            taken_apart(data)


def test_old_letters_and_entries_without_names_are_read() -> None:
    sjis = file_of(event("a", "SUMMARY:夏まつり")).decode().encode("cp932")
    assert "夏まつり".encode() in taken_apart(sjis)["a"]
    nameless = file_of(event("a", "SUMMARY:x").replace("UID:a\r\n", ""))
    assert taken_apart(nameless) == taken_apart(nameless)
    ((uid, data),) = taken_apart(nameless).items()
    assert f"UID:{uid}".encode() in data
