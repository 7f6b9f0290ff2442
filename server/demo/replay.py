"""``kairan demo --replay noto``: the safety check of 1 January 2024 again, with as many real Matrix clients.

Setting up the people is not measured. Then a city, a federation and six associations run in processes of their own.
The city sends a safety check, it goes through the federation to every association, everybody waits on /sync, each
plays the part of the handbook's table. The tables are read from the pages of the associations' officers, the sums
from the federation and the city, as figures have come up to them. Nothing of what is printed is computed here.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from federation.broadcasts.model import Kind, id_from
from server.assembly.people import on_running_node
from server.demo import noto
from server.demo.browser import Browser
from server.demo.crowd_processes import Crowd, arriving_crowd
from server.demo.faults import DemoFailed, as_refusal
from server.demo.machine import cpu_seconds
from server.demo.node_process import NodeProcess, running_node
from server.demo.region import Site
from server.demo.show import ProgressBar, say, table_lines
from server.demo.stage import CITY_AREA, OFFICER, Stage, set_stage
from server.foundation.clock import Clock, SystemClock
from server.foundation.errors import Refused

_PATIENCE_S: Final = 60.0
_PATIENCE_S_PER_PERSON: Final = 0.2
_LOOK_EVERY_S: Final = 0.25
_SETTLE_S: Final = 20.0
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, seconds of CPU of all nodes together."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Tables:
    """What stands on the three levels: each association's own table, and the sums that have come up."""

    associations: Mapping[str, noto.Table]
    federation: noto.Table
    city: noto.Table

    def report(self) -> list[str]:
        """For people."""
        lines = []
        for name, table in self.associations.items():
            lines.append(f"{name}：応答 {table.answered}（無事 {table.safe}・連絡希望 {table.contact}・支援希望 "
                         f"{table.help}）　既読 {table.read}　未読 {table.unread}　合計 {table.total}")
        return [*lines, "", noto.FEDERATION, *table_lines(self.federation.lines()), "",
                noto.CITY, *table_lines(self.city.lines())]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "associations": [{"name": name, **table.as_json()} for name, table in self.associations.items()],
            "federation": {"name": noto.FEDERATION, **self.federation.as_json()},
            "city": {"name": noto.CITY, **self.city.as_json()},
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the nodes showed in the end, what it should be, and what it took. ``memory_mb``: the largest node."""

    tables: Tables
    played: Tables
    asked: Cost
    answers: Cost
    memory_mb: float
    restarts: int

    @property
    def is_right(self) -> bool:
        """Whether every table is the one that was played."""
        return self.tables == self.played

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {
            **self.tables.city.as_json(), **self.tables.as_json(),
            "asked_s": round(self.asked.seconds, 3), "asked_cpu_s": round(self.asked.cpu_seconds, 3),
            "answers_s": round(self.answers.seconds, 3), "answers_cpu_s": round(self.answers.cpu_seconds, 3),
            "memory_mb": round(self.memory_mb, 1), "restarts": self.restarts,
        }


def run_replay(users: int | None, *, as_json: bool) -> int:
    """Replay with ``users`` people (1,536); answers 0 where the nodes' tables are the ones that were played."""
    wanted = noto.PEOPLE if users is None else users
    if not 1 <= wanted <= noto.MOST_PEOPLE:
        raise Refused(f"A replay takes 1 to {noto.MOST_PEOPLE} people.")
    if importlib.util.find_spec("nio") is None:
        raise Refused("A replay needs matrix-nio: pip install 'kairan[demo]'.")
    try:
        with tempfile.TemporaryDirectory(prefix="kairan-replay-") as folder, as_refusal():
            outcome = asyncio.run(replay(Path(folder), noto.played(wanted)))
    except KeyboardInterrupt:
        return _INTERRUPTED
    say(json.dumps(outcome.as_json(), ensure_ascii=False) if as_json else report(outcome))
    return 0 if outcome.is_right else 1


def report(outcome: Outcome) -> str:
    """The tables and the costs, for people."""
    lines = ["", "安否確認の応答状況（それぞれのノードの集計）", *outcome.tables.report(), ""]
    if not outcome.is_right:
        lines += ["!! ほんとうに送られたのは次のとおりです", *outcome.played.report(), ""]
    lines += [
        f"everyone asked:   {outcome.asked.seconds:6.2f} s, {outcome.asked.cpu_seconds:5.2f} s of the nodes' CPU",
        f"answers counted:  {outcome.answers.seconds:6.2f} s, {outcome.answers.cpu_seconds:5.2f} s of the nodes' CPU",
        f"the largest node's memory: {outcome.memory_mb:.0f} MB",
    ]
    if outcome.restarts:
        lines.append(f"a node died and was started again {outcome.restarts} times")
    return "\n".join(lines)


async def replay(folder: Path, played: noto.Table, *, kill_after: int | None = None) -> Outcome:
    """One replay in ``folder``. ``kill_after``: kill the first association's node, without warning, after so many
    accepted answers.

    Raises ``DemoFailed``.
    """
    clock = SystemClock()
    stage = await set_stage(folder, played)
    async with (
        _running(stage.sites, clock) as nodes,
        arriving_crowd(stage.roles) as crowd,
        _officers(stage) as officers,
    ):
        return await _Performance(clock, stage, nodes, crowd, officers).run(kill_after)


@asynccontextmanager
async def _running(sites: Sequence[Site], clock: Clock) -> AsyncIterator[list[NodeProcess]]:
    async with AsyncExitStack() as closing:
        yield [await closing.enter_async_context(running_node(site.settings_file, clock)) for site in sites]


@asynccontextmanager
async def _officers(stage: Stage) -> AsyncIterator[list[Browser]]:
    """One officer of each association at a browser."""
    async with AsyncExitStack() as closing:
        browsers = []
        for troupe in stage.troupes:
            browser = await closing.enter_async_context(Browser(troupe.site.url))
            await browser.log_in(OFFICER, stage.officer_password)
            browsers.append(browser)
        yield browsers


class _Performance:
    """The check itself, with everybody in place."""

    def __init__(
        self, clock: Clock, stage: Stage, nodes: Sequence[NodeProcess], crowd: Crowd, officers: Sequence[Browser]
    ) -> None:
        self._clock = clock
        self._stage = stage
        self._nodes = nodes
        self._crowd = crowd
        self._officers = officers
        self._played = _sums({troupe.site.place.name: troupe.played for troupe in stage.troupes})
        self._patience_s = _PATIENCE_S + _PATIENCE_S_PER_PERSON * self._played.city.total

    async def run(self, kill_after: int | None) -> Outcome:
        """Ask, answer, read the tables."""
        whole = self._played.city
        await self._watch("people arriving", "ready", whole.total)
        await self._clock.sleep(1.0)  # so that the last ones wait on /sync
        begun = self._begin()
        key = await self._send()
        await self._watch("people asked", "asked", whole.total)
        asked = self._cost_since(begun)
        begun = self._begin()
        await self._crowd.answer()
        await self._answers(kill_after)
        tables = await self._settled_tables(key)
        memory_mb, restarts = max(node.memory_mb() for node in self._nodes), sum(node.restarts for node in self._nodes)
        return Outcome(tables, self._played, asked, self._cost_since(begun), memory_mb, restarts)

    async def _send(self) -> str:
        """The city asks; answers the key of its notice."""
        return (await _told(self._stage.city, "broadcast", {
            "title": noto.TITLE, "text": "", "areas": [CITY_AREA], "category": "disaster", "priority": "alert",
            "kind": Kind.SAFETY_CHECK.value, "choices": [], "drill": False, "office": "",
        }))[0]

    async def _answers(self, kill_after: int | None) -> None:
        """All answers and receipts are accepted, and who has answered was told that it has arrived."""
        whole = self._played.city
        if kill_after is not None:
            await self._crowd.reach("played", kill_after, self._patience_s)
            self._nodes[2].kill()
        await self._watch("answered or read", "played", whole.answered + whole.read)
        with suppress(DemoFailed):  # the tables decide, not the receipts
            await self._crowd.reach("told", whole.answered, _SETTLE_S)

    async def _settled_tables(self, key: str) -> Tables:
        """The tables when they show all that was accepted; what they show after a while otherwise."""
        last = self._clock.monotonic() + _SETTLE_S
        tables: Tables | None = None
        while self._clock.monotonic() < last and tables != self._played:
            with suppress(aiohttp.ClientError, Refused):  # a node may just be starting again
                tables = await self._tables(key)
            await self._clock.sleep(_LOOK_EVERY_S)
        if tables is None:
            raise DemoFailed("the nodes do not show their tables")
        return tables

    async def _tables(self, key: str) -> Tables:
        check_id = id_from(key, Kind.SAFETY_CHECK.value)
        own = {
            troupe.site.place.name: await officer.figures(check_id)
            for troupe, officer in zip(self._stage.troupes, self._officers, strict=True)
        }
        return Tables(own, await _sum_at(self._stage.federation, key), await _sum_at(self._stage.city, key))

    async def _watch(self, what: str, word: str, wanted: int) -> None:
        """Wait for people with a progress bar."""
        bar = ProgressBar(what, wanted)
        last = self._clock.monotonic() + self._patience_s
        for target in _targets(wanted):
            await self._crowd.reach(word, target, max(0.0, last - self._clock.monotonic()))
            bar.reach(target)

    def _begin(self) -> Cost:
        return Cost(self._clock.monotonic(), cpu_seconds(node.pid for node in self._nodes))

    def _cost_since(self, begun: Cost) -> Cost:
        now = self._begin()
        return Cost(now.seconds - begun.seconds, now.cpu_seconds - begun.cpu_seconds)


def _sums(associations: Mapping[str, noto.Table]) -> Tables:
    whole = sum(associations.values(), noto.Table(0, 0, 0, 0, 0))
    return Tables(associations, whole, whole)


async def _told(site: Site, command: str, said: Mapping[str, Any]) -> list[str]:
    """What a running node answers its operator."""
    return await asyncio.to_thread(on_running_node, site.settings, command, said)


async def _sum_at(site: Site, key: str) -> noto.Table:
    """What has come up to a node about a safety check, of all associations together."""
    found = json.loads("".join(await _told(site, "figures", {"key": key})))["city"].get("safety", {})
    return noto.Table(**{part.value: int(found.get(part.value, 0)) for part in noto.Part})


def _targets(wanted: int) -> list[int]:
    """A few steps on the way to ``wanted``."""
    return sorted({wanted * step // 20 for step in range(1, 21)} - {0})
