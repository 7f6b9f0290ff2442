"""Where a server is to be found: every step of "Resolving server names", and for how long an answer holds."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from federation.identity.discovery import Discovery, Place
from server.foundation.outgoing import Fetched, ForbiddenAddress, TooMuch, Unreachable
from tests.fakes.clock import FakeClock

NAME = "sakura.example.jp"
HOUR_S = 3_600


class Web:
    """The ``.well-known`` files of some servers."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.cache_control = ""
        self.status = 200
        self.fault: Exception | None = None
        self.asked: list[str] = []

    async def fetch(self, method: str, url: str, **_: Any) -> Fetched:
        assert method == "GET"
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        server = url.removeprefix("https://").partition("/")[0]
        if server not in self.files:
            return Fetched(404, {}, b"", url)
        told = self.files[server]
        body = told if isinstance(told, bytes) else orjson.dumps(told)
        return Fetched(self.status, {"Cache-Control": self.cache_control}, body, url)


class Records(dict[str, list[tuple[str, int]]]):
    """SRV records by name."""

    async def find(self, name: str) -> list[tuple[str, int]]:
        return self.get(name, [])


class World:
    """All that discovery looks at."""

    def __init__(self) -> None:
        self.web, self.records, self.clock = Web(), Records(), FakeClock()
        self.discovery = Discovery(self.web, self.records, self.clock)  # type: ignore[arg-type]

    def delegates(self, to: object, server: str = NAME) -> None:
        self.web.files[server] = {"m.server": to}


@pytest.mark.parametrize(("name", "place"), [
    ("192.0.2.7", Place("192.0.2.7", 8448, "192.0.2.7", "192.0.2.7")),
    ("192.0.2.7:8449", Place("192.0.2.7", 8449, "192.0.2.7", "192.0.2.7:8449")),
    ("[2001:db8::7]", Place("2001:db8::7", 8448, "2001:db8::7", "[2001:db8::7]")),
    ("[2001:db8::7]:8449", Place("2001:db8::7", 8449, "2001:db8::7", "[2001:db8::7]:8449")),
    ("sakura.example.jp:8449", Place(NAME, 8449, NAME, "sakura.example.jp:8449")),
    ("sakura.example.jp:443", Place(NAME, 443, NAME, "sakura.example.jp:443")),
])  # fmt: skip
async def test_literal_addresses_and_ports_are_gone_to_without_asking(name: str, place: Place) -> None:
    world = World()
    world.delegates("elsewhere.example.jp")
    world.records[f"_matrix-fed._tcp.{NAME}"] = [("elsewhere.example.jp", 1)]
    assert await world.discovery.find(name) == [place]
    assert not world.web.asked


@pytest.mark.parametrize(("to", "place"), [
    ("192.0.2.7", Place("192.0.2.7", 8448, "192.0.2.7", "192.0.2.7")),
    ("192.0.2.7:8449", Place("192.0.2.7", 8449, "192.0.2.7", "192.0.2.7:8449")),
    ("[2001:db8::7]:8449", Place("2001:db8::7", 8449, "2001:db8::7", "[2001:db8::7]:8449")),
    ("matrix.example.jp:443", Place("matrix.example.jp", 443, "matrix.example.jp", "matrix.example.jp:443")),
    ("matrix.example.jp", Place("matrix.example.jp", 8448, "matrix.example.jp", "matrix.example.jp")),
])  # fmt: skip
async def test_a_server_delegates_to_another_name(to: str, place: Place) -> None:
    world = World()
    world.delegates(to)
    assert await world.discovery.find(NAME) == [place]
    assert world.web.asked == [f"https://{NAME}/.well-known/matrix/server"]


async def test_the_service_records_of_the_name_that_was_delegated_to_lead_on() -> None:
    """The certificate is for that name, not for the host that the record names."""
    world = World()
    world.delegates("matrix.example.jp")
    world.records["_matrix-fed._tcp.matrix.example.jp"] = [("one.example.jp", 1), ("two.example.jp", 2)]
    world.records[f"_matrix-fed._tcp.{NAME}"] = [("wrong.example.jp", 9)]
    assert await world.discovery.find(NAME) == [
        Place("one.example.jp", 1, "matrix.example.jp", "matrix.example.jp"),
        Place("two.example.jp", 2, "matrix.example.jp", "matrix.example.jp"),
    ]


async def test_without_a_delegation_the_records_of_the_name_lead_on_and_the_old_kind_comes_last() -> None:
    world = World()
    assert await world.discovery.find(NAME) == [Place(NAME, 8448, NAME, NAME)]
    world.records[f"_matrix._tcp.{NAME}"] = [("old.example.jp", 3)]
    assert await world.discovery.find(NAME) == [Place("old.example.jp", 3, NAME, NAME)]
    world.records[f"_matrix-fed._tcp.{NAME}"] = [("new.example.jp", 4)]
    assert await world.discovery.find(NAME) == [Place("new.example.jp", 4, NAME, NAME)]


@pytest.mark.parametrize("told", [
    b"", b"not json", b"[]", b"null", {}, {"m.server": 5}, {"m.server": None}, {"m.server": ""}, {"m.server": "a b"},
    {"m.server": "https://matrix.example.jp"}, {"m.server": "matrix.example.jp/path"}, {"m.server": "x:99999999"},
    {"m.server": "[not-an-address]:1"}, {"m.server": "matrix.example.jp:8448\n"}, {"m.server": "[::1"},
    b'{"m.server": "a.example", "m.server": ' + b"[" * 5_000,
])  # fmt: skip
async def test_a_file_that_says_nothing_useful_is_as_none(told: object) -> None:
    world = World()
    world.web.files[NAME] = told
    assert await world.discovery.find(NAME) == [Place(NAME, 8448, NAME, NAME)]


async def test_the_delegated_name_is_not_asked_for_another_delegation() -> None:
    world = World()
    world.delegates("matrix.example.jp")
    world.delegates("third.example.jp", "matrix.example.jp")
    assert [place.host for place in await world.discovery.find(NAME)] == ["matrix.example.jp"]


@pytest.mark.parametrize(("said", "seconds"), [
    ("", 24 * HOUR_S), ("public", 24 * HOUR_S), ("max-age=7200", 2 * HOUR_S), ("public, Max-Age = 7200", 2 * HOUR_S),
    ('max-age="7200"', 2 * HOUR_S), ("max-age=99999999", 48 * HOUR_S), ("max-age=0", 60), ("no-store", 60),
    ("no-cache, max-age=7200", 60), ("s-maxage=5", 24 * HOUR_S),
])  # fmt: skip
async def test_an_answer_holds_for_as_long_as_it_says_within_limits(said: str, seconds: int) -> None:
    world = World()
    world.delegates("old.example.jp:1")
    world.web.cache_control = said
    await world.discovery.find(NAME)
    world.delegates("new.example.jp:1")
    await world.clock.advance(seconds - 1)
    assert [place.host for place in await world.discovery.find(NAME)] == ["old.example.jp"]
    assert len(world.web.asked) == 1
    await world.clock.advance(2)
    assert [place.host for place in await world.discovery.find(NAME)] == ["new.example.jp"]


async def test_that_there_is_none_is_remembered_for_an_hour() -> None:
    world = World()
    await world.discovery.find(NAME)
    await world.clock.advance(HOUR_S - 1)
    await world.discovery.find(NAME)
    assert len(world.web.asked) == 1
    world.delegates("new.example.jp:1")
    await world.clock.advance(2)
    assert [place.host for place in await world.discovery.find(NAME)] == ["new.example.jp"]


@pytest.mark.parametrize("fault", [Unreachable("away"), 503])
async def test_where_the_file_is_out_of_order_what_it_said_holds_for_two_days(fault: Exception | int) -> None:
    world = World()
    world.delegates("matrix.example.jp:1")
    await world.discovery.find(NAME)
    if isinstance(fault, int):
        world.web.status = fault
    else:
        world.web.fault = fault
    for hours in (25, 1, 20):
        await world.clock.advance(hours * HOUR_S)
        assert [place.host for place in await world.discovery.find(NAME)] == ["matrix.example.jp"]
    await world.clock.advance(3 * HOUR_S)
    assert [place.host for place in await world.discovery.find(NAME)] == [NAME]


async def test_that_it_is_gone_is_believed() -> None:
    world = World()
    world.delegates("matrix.example.jp:1")
    await world.discovery.find(NAME)
    world.web.files.clear()
    await world.clock.advance(25 * HOUR_S)
    assert [place.host for place in await world.discovery.find(NAME)] == [NAME]


@pytest.mark.parametrize("fault", [Unreachable("away"), ForbiddenAddress("private"), TooMuch("a large file")])
async def test_a_file_that_cannot_be_got_is_no_delegation(fault: Exception) -> None:
    world = World()
    world.delegates("matrix.example.jp:1")
    world.web.fault = fault
    assert [place.host for place in await world.discovery.find(NAME)] == [NAME]
    await world.discovery.find(NAME)
    assert len(world.web.asked) == 1


async def test_many_who_want_to_know_at_once_ask_once() -> None:
    world = World()
    world.delegates("matrix.example.jp:1")
    found = await asyncio.gather(*(world.discovery.find(NAME) for _ in range(50)))
    assert {place.host for places in found for place in places} == {"matrix.example.jp"}
    assert len(world.web.asked) == 1


async def test_not_everything_is_remembered_for_ever() -> None:
    world = World()
    for number in range(2_100):
        await world.discovery.find(f"server{number}.example.jp")
    await world.discovery.find("server2099.example.jp")
    assert len(world.web.asked) == 2_100
    await world.discovery.find("server0.example.jp")
    assert len(world.web.asked) == 2_101
