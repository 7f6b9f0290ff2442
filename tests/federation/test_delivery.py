"""The outbox on its way: in order, alerts first, pauses with an end, and nobody held up by somebody else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from federation.identity.servers import PeerRefused, Servers
from federation.outbound.delivery import Delivery
from server.foundation.tasks import Tasks
from server.outbox.outbox import Outbox
from server.outbox.outbox_store import Pause, pauses, set_pause, waiting_destinations
from server.rooms.ports import PeerFailed
from server.rooms.to_others import ToOthers
from server.storage.database import Database, Writes
from server.storage.position_store import open_positions
from server.storage.streams import StreamPositions
from tests.empty_database import empty_database
from tests.fakes.clock import FakeClock
from tests.federation.fresh_room import fresh_receiver
from tests.federation.graphs import ALICE, BOB, Graph

Json = dict[str, Any]
NEAR, FAR, OTHER = "near.example", "far.example", "other.example"
MINUTE, HOUR = 60_000, 3_600_000


class Listeners:
    """Other servers, as ``Servers`` sees them. ``answers`` says what each does; usually it listens."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.tried: list[tuple[int, str]] = []
        self.told: list[tuple[str, str, Json]] = []
        self.answers: dict[str, Callable[[Json], Exception | Awaitable[None] | None]] = {}

    async def tell(self, server: str, path: str, content: bytes, *, timeout_s: float) -> Json:
        """As ``Servers.tell``."""
        self.tried.append((self._clock.now_ms(), server))
        transaction = orjson.loads(content)
        act = self.answers.get(server)
        answer = act(transaction) if act is not None else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await answer
        self.told.append((server, path, transaction))
        return {"pdus": {}}

    def heard(self, server: str) -> list[Any]:
        """The numbers of all messages that have arrived, in their order."""
        return [edu["content"]["n"] for name, _, transaction in self.told if name == server
                for edu in transaction["edus"]]

    def waits(self, server: str) -> list[int]:
        """How long it took from try to try, in milliseconds."""
        times = [at for at, name in self.tried if name == server]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


class Office:
    """An outbox that is delivered."""

    def __init__(self, database: Database, positions: StreamPositions) -> None:
        self.clock = FakeClock()
        self.database = database
        self.listeners = Listeners(self.clock)
        self._positions = positions
        self._tasks = Tasks()
        self.delivery = self._delivery()
        self.outbox = Outbox(positions)
        self.outbox.deliver_by(self._wake)

    def _delivery(self) -> Delivery:
        servers = cast(Servers, self.listeners)
        return Delivery(self.database, servers, self.clock, self._tasks, "sakura.example", [NEAR])

    def _wake(self, destination: str) -> None:
        self.delivery.wake(destination)

    async def restarts(self) -> None:
        """The node stops and starts again."""
        await self._tasks.stop()
        self._tasks = Tasks()
        self.delivery = self._delivery()
        await self.delivery.open()

    async def stop(self) -> None:
        """The end."""
        await self._tasks.stop()

    async def posts(self, *numbers: Any, to: tuple[str, ...] = (FAR,), urgent: bool = False) -> None:
        """Messages with numbers."""
        for number in numbers:
            writes = Writes()
            message = orjson.dumps({"content": {"n": number}, "edu_type": "jp.kairan.test"})
            self.outbox.add_message(writes, to, message, urgent=urgent)
            await self.database.submit(writes)

    async def until_done(self, but: tuple[str, ...] = ()) -> None:
        """Wait until nothing waits, but for these."""
        async with asyncio.timeout(60):
            while set(await waiting_destinations(self.database)) - set(but):
                await self.clock.advance(0)

    async def passes(self, hours: float, step_s: float = 30) -> None:
        """Time passes, and what falls due is tried."""
        for _ in range(round(hours * 3600 / step_s)):
            await self.clock.advance(step_s)
            async with asyncio.timeout(60):
                while not await self._is_quiet():
                    await self.clock.advance(0)

    async def _is_quiet(self) -> bool:
        """Whether all that waits does so for a moment that is still to come, and that is written down."""
        told, now = await pauses(self.database), self.clock.now_ms()
        return all(name in told and told[name].left_ms(now) for name in await waiting_destinations(self.database))


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    """On an empty database."""
    async with empty_database(folder / "outbox.db") as database:
        found = Office(database, await open_positions(database))
        try:
            yield found
        finally:
            await found.stop()


def away(_: Json) -> Exception:
    """Nobody answers."""
    return PeerFailed("The other server cannot be reached")


async def test_all_comes_in_order_to_each(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        await post.posts(*range(230), to=(FAR, OTHER))
        await post.until_done()
        assert post.listeners.heard(FAR) == post.listeners.heard(OTHER) == list(range(230))


async def test_an_alert_goes_before_all_that_waits(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(*range(250))
        await post.posts("避難", to=(FAR,), urgent=True)
        del post.listeners.answers[FAR]
        post.delivery.is_alive(FAR)
        await post.until_done()
        assert post.listeners.heard(FAR) == ["避難", *range(250)]


async def test_an_alert_waits_for_one_transaction_at_most(tmp_path: Path) -> None:
    """What is under way is not called back; the next one begins with the alert."""
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(*range(250))
        let_go = asyncio.Event()
        post.listeners.answers[FAR] = lambda _: cast(Awaitable[None], let_go.wait())
        post.delivery.is_alive(FAR)
        while len(post.listeners.tried) < 2:
            await post.clock.advance(0)
        await post.posts("避難", urgent=True)
        let_go.set()
        await post.until_done()
        first, second = post.listeners.told[:2]
        assert "避難" not in str(first)
        assert second[2]["edus"][0]["content"]["n"] == "避難"
        assert [number for number in post.listeners.heard(FAR) if number != "避難"] == list(range(250))


async def test_safety_checks_are_alerts_and_talk_is_none(tmp_path: Path) -> None:
    async with fresh_receiver(tmp_path) as receiver:
        graph = Graph("11", "hiroba")
        graph.add(BOB, "jp.kairan.safety.check", None, {"text": "無事ですか"})
        graph.add(BOB, "m.room.message", None, {"body": "はい"})
        found: list[tuple[str, bool]] = []

        class Box(Outbox):
            def add_event(self, writes: Any, destinations: Any, event_id: str, position: int, *,
                          urgent: bool = False) -> None:
                found.append((graph.by_id()[event_id].type, urgent))

        room = await receiver.takes(graph, graph.events, 50)
        to_others = ToOthers(Box(cast(StreamPositions, None)), "b.example")
        for entry in room.timeline:
            if entry.event.sender == BOB and entry.event.state_key is None:
                to_others.project(room, entry, Writes())
        assert found == [("jp.kairan.safety.check", True), ("m.room.message", False)]
        assert ALICE in room.joined


async def test_pauses_double_up_to_minutes_for_the_near_and_hours_for_others(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers |= {NEAR: away, FAR: away}
        await post.posts(1, to=(NEAR, FAR))
        await post.passes(24, step_s=60)
        pauses = [post.delivery.pause_of(server) for server in (NEAR, FAR)]
        assert [pause.pause_ms for pause in pauses if pause is not None] == [5 * MINUTE, 6 * HOUR]
        # What a try itself takes comes on top: the clock is moved by a minute at a time.
        assert len(post.listeners.waits(NEAR)) > 60
        assert 5 <= len(post.listeners.waits(FAR)) < 20
        del post.listeners.answers[NEAR]
        await post.passes(0.1)
        assert post.listeners.heard(NEAR) == [1]


async def test_who_shows_that_it_lives_is_told_at_once(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(1)
        await post.passes(12, step_s=600)
        before = len(post.listeners.tried)
        del post.listeners.answers[FAR]
        await post.posts(2)
        await post.clock.advance(1)
        assert len(post.listeners.tried) == before
        post.delivery.is_alive(FAR)
        await post.until_done()
        assert post.listeners.heard(FAR) == [1, 2]


async def test_a_pause_and_what_waits_outlast_a_restart(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(*range(120))
        await post.passes(3, step_s=60)
        before = len(post.listeners.tried)
        await post.restarts()
        await post.passes(1 / 60, step_s=60)
        assert len(post.listeners.tried) == before
        assert post.delivery.is_away(FAR)
        del post.listeners.answers[FAR]
        await post.passes(6, step_s=600)
        await post.until_done()
        assert post.listeners.heard(FAR) == list(range(120))


async def test_the_same_things_are_sent_again_under_the_same_name(tmp_path: Path) -> None:
    """An answer that was lost: whoever takes each transaction once takes nothing twice."""
    async with office(tmp_path) as post:
        paths: list[str] = []
        tell = post.listeners.tell

        async def deaf(server: str, path: str, content: bytes, *, timeout_s: float) -> Json:
            paths.append(path)
            await tell(server, path, content, timeout_s=timeout_s)
            if len(paths) == 1:
                raise PeerFailed("The answer was lost")
            return {"pdus": {}}

        post.listeners.tell = deaf  # type: ignore[method-assign]
        await post.posts(*range(3))
        await post.passes(0.1)
        await post.until_done()
        once = {path: [edu["content"]["n"] for edu in transaction["edus"]]
                for _, path, transaction in post.listeners.told}
        assert [number for numbers in once.values() for number in numbers] == [0, 1, 2]
        assert len(paths) == len(once) + 1


async def test_one_thing_that_is_refused_holds_up_nothing_else(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(*range(90), "毒", *range(90, 180))

        def picky(transaction: Json) -> Exception | None:
            poisoned = any(edu["content"]["n"] == "毒" for edu in transaction["edus"])
            return PeerRefused("No", code="M_BAD_JSON", status=400) if poisoned else None

        post.listeners.answers[FAR] = picky
        post.delivery.is_alive(FAR)
        await post.until_done()
        assert post.listeners.heard(FAR) == list(range(180))


async def test_nobody_waits_for_somebody_elses_silence(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        never = asyncio.Event()
        post.listeners.answers[FAR] = lambda _: cast(Awaitable[None], never.wait())
        await post.posts(*range(20), to=(FAR, OTHER))
        await post.until_done(but=(FAR,))
        assert post.listeners.heard(OTHER) == list(range(20))
        assert post.listeners.heard(FAR) == []
        never.set()
        await post.until_done()
        assert post.listeners.heard(FAR) == list(range(20))


async def test_any_answer_of_a_hostile_server_ends_in_a_pause_and_not_in_silence_for_ever(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        told = iter([
            PeerRefused("No", code="M_FORBIDDEN", status=401), PeerRefused("No", code="M_LIMIT_EXCEEDED", status=429),
            PeerRefused("No", code="M_FORBIDDEN", status=403), PeerFailed("What?"),
            PeerRefused("No", code="M_UNKNOWN", status=404),
        ])
        post.listeners.answers[FAR] = lambda _: next(told, None)
        await post.posts(1, 2)
        await post.passes(0.2)
        await post.until_done()
        assert sorted(post.listeners.heard(FAR)) == [1, 2]


async def test_who_is_gone_for_months_is_given_up(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(1)
        await post.passes(1, step_s=60)
        await post.passes(59 * 24, step_s=7 * 3600)
        await post.delivery.give_up()
        assert await waiting_destinations(post.database) == [FAR]
        await post.passes(2 * 24, step_s=7 * 3600)
        await post.delivery.give_up()
        assert await waiting_destinations(post.database) == []


@pytest.mark.parametrize("years", [10, -10])
async def test_a_clock_that_is_set_years_ahead_or_back_makes_nobody_wait_or_be_given_up(
    tmp_path: Path, years: int
) -> None:
    """As on a small box without a battery, which begins in 1970 and learns the time a minute later."""
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(1)
        await post.passes(1, step_s=60)
        post.clock._start_ms += years * 365 * 24 * HOUR
        await post.delivery.give_up()
        await post.passes(21, step_s=7 * 3600)
        await post.delivery.give_up()
        assert await waiting_destinations(post.database) == [FAR]
        post.clock._start_ms -= years * 365 * 24 * HOUR
        await post.delivery.give_up()
        tried = len(post.listeners.tried)
        await post.passes(7, step_s=7 * 3600)
        assert len(post.listeners.tried) > tried
        del post.listeners.answers[FAR]
        await post.passes(7, step_s=7 * 3600)
        assert post.listeners.heard(FAR) == [1]


async def test_a_pause_of_which_the_clock_says_that_it_lasts_for_years_ends_with_the_next_start(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        post.listeners.answers[FAR] = away
        await post.posts(1)
        await post.passes(0.1)
        del post.listeners.answers[FAR]
        post.clock._start_ms -= 10 * 365 * 24 * HOUR
        await post.restarts()
        await post.until_done()
        assert post.listeners.heard(FAR) == [1]


async def test_the_pause_of_somebody_to_whom_nothing_is_sent_any_more_is_forgotten_after_months(tmp_path: Path) -> None:
    async with office(tmp_path) as post:
        for days in (59, 61):
            writes = Writes()
            ended = post.clock.now_ms() - days * 24 * HOUR
            set_pause(writes, Pause(FAR, ended - MINUTE, ended, MINUTE))
            await post.database.submit(writes)
            await post.restarts()
            assert bool(await pauses(post.database)) is (days == 59)
