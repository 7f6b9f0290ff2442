"""``kairan demo --replay noto``: the safety check of 1 January 2024 again, with as many real Matrix clients.

Setting up the people is not measured. Then the node runs in a process of its own and is touched over HTTP only: an
officer starts the check at the desk, everybody waits on /sync, each plays the part of the handbook's table, and the
table is read from the officers' page. Nothing of what is printed is computed here.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from server.assembly import build
from server.association.members.model import Person
from server.config import Settings
from server.demo import noto, people
from server.demo.browser import Browser
from server.demo.crowd import Role
from server.demo.crowd_processes import Crowd, arriving_crowd
from server.demo.faults import DemoFailed, as_refusal
from server.demo.machine import free_port
from server.demo.node_folder import SETTINGS_FILE, make_node_folder
from server.demo.node_process import NodeProcess, running_node
from server.demo.settling import Row, give_accounts, take_in_roster
from server.demo.show import ProgressBar, say, table_lines
from server.foundation.clock import Clock, SystemClock
from server.foundation.errors import Refused
from server.foundation.ids import random_token

_OFFICER: Final = "kaicho"
_PATIENCE_S: Final = 60.0
_PATIENCE_S_PER_PERSON: Final = 0.2
_LOOK_EVERY_S: Final = 0.25
_SETTLE_S: Final = 20.0
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Stage:
    """A node with its people before it runs."""

    settings: Settings
    settings_file: Path
    officer_password: str
    roles: Sequence[Role]

    @property
    def url(self) -> str:
        """Where the node is going to answer."""
        return f"http://{self.settings.http.listen}"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, seconds of the node's CPU."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the node showed in the end, and what it took."""

    table: noto.Table
    asked: Cost
    answers: Cost
    memory_mb: float
    restarts: int

    def as_json(self) -> dict[str, float]:
        """The object that ``--json`` prints."""
        table = self.table
        return {
            "users": table.total, "answered": table.answered, "safe": table.safe, "contact": table.contact,
            "help": table.help, "read_unanswered": table.read, "unread": table.unread,
            "asked_s": round(self.asked.seconds, 3), "asked_cpu_s": round(self.asked.cpu_seconds, 3),
            "answers_s": round(self.answers.seconds, 3), "answers_cpu_s": round(self.answers.cpu_seconds, 3),
            "memory_mb": round(self.memory_mb, 1), "restarts": self.restarts,
        }


def run_replay(users: int | None, *, as_json: bool) -> int:
    """Replay with ``users`` people (1,536); answers 0 where the node's table is the one that was played."""
    wanted = noto.PEOPLE if users is None else users
    if not 1 <= wanted <= noto.MOST_PEOPLE:
        raise Refused(f"A replay takes 1 to {noto.MOST_PEOPLE} people.")
    played = noto.played(wanted)
    if importlib.util.find_spec("nio") is None:
        raise Refused("A replay needs matrix-nio: pip install 'kairan[demo]'.")
    try:
        with tempfile.TemporaryDirectory(prefix="kairan-replay-") as folder, as_refusal():
            outcome = asyncio.run(replay(Path(folder), played))
    except KeyboardInterrupt:
        return _INTERRUPTED
    say(json.dumps(outcome.as_json()) if as_json else report(outcome, played))
    return 0 if outcome.table == played else 1


def report(outcome: Outcome, played: noto.Table) -> str:
    """The table and the costs, for people."""
    lines = ["", "安否確認の応答状況（ノードの集計）", *table_lines(outcome.table.lines()), ""]
    if outcome.table != played:
        lines += ["!! ほんとうに送られたのは次のとおりです", *table_lines(played.lines()), ""]
    lines += [
        f"everyone asked:   {outcome.asked.seconds:6.2f} s, {outcome.asked.cpu_seconds:5.2f} s of the node's CPU",
        f"answers counted:  {outcome.answers.seconds:6.2f} s, {outcome.answers.cpu_seconds:5.2f} s of the node's CPU",
        f"the node's memory: {outcome.memory_mb:.0f} MB",
    ]
    if outcome.restarts:
        lines.append(f"the node died and was started again {outcome.restarts} times")
    return "\n".join(lines)


async def replay(folder: Path, played: noto.Table, *, kill_after: int | None = None) -> Outcome:
    """One replay in ``folder``. ``kill_after``: kill the node, without warning, after so many accepted answers.

    Raises ``DemoFailed``.
    """
    clock = SystemClock()
    stage = await set_up(folder, played)
    async with (
        running_node(stage.settings_file, clock) as node,
        arriving_crowd(stage.url, stage.roles) as crowd,
        Browser(stage.url) as officer,
    ):
        await officer.log_in(_OFFICER, stage.officer_password)
        return await _Performance(clock, node, crowd, officer, played).run(kill_after)


class _Performance:
    """The check itself, with everybody in place."""

    def __init__(
        self, clock: Clock, node: NodeProcess, crowd: Crowd, officer: Browser, played: noto.Table
    ) -> None:
        self._clock = clock
        self._node = node
        self._crowd = crowd
        self._officer = officer
        self._played = played
        self._patience_s = _PATIENCE_S + _PATIENCE_S_PER_PERSON * played.total

    async def run(self, kill_after: int | None) -> Outcome:
        """Ask, answer, read the table."""
        await self._watch("people arriving", "ready", self._played.total)
        await self._clock.sleep(1.0)  # so that the last ones wait on /sync
        begun = self._begin()
        check_id = await self._officer.start_safety_check(noto.TITLE)
        await self._watch("people asked", "asked", self._played.total)
        asked = self._cost_since(begun)
        begun = self._begin()
        await self._crowd.answer()
        await self._answers(kill_after)
        table = await self._settled_table(check_id)
        return Outcome(table, asked, self._cost_since(begun), self._node.memory_mb(), self._node.restarts)

    async def _answers(self, kill_after: int | None) -> None:
        """All answers and receipts are accepted, and who has answered was told that it has arrived."""
        if kill_after is not None:
            await self._crowd.reach("played", kill_after, self._patience_s)
            self._node.kill()
        await self._watch("answered or read", "played", self._played.answered + self._played.read)
        with suppress(DemoFailed):  # the table decides, not the receipts
            await self._crowd.reach("told", self._played.answered, _SETTLE_S)

    async def _settled_table(self, check_id: str) -> noto.Table:
        """The table when it shows all that was accepted; what it shows after a while otherwise."""
        last = self._clock.monotonic() + _SETTLE_S
        table: noto.Table | None = None
        while self._clock.monotonic() < last:
            with suppress(aiohttp.ClientError):  # it may just be starting again
                table = await self._officer.figures(check_id)
            if table == self._played:
                break
            await self._clock.sleep(_LOOK_EVERY_S)
        if table is None:
            raise DemoFailed("the node does not show its table")
        return table

    async def _watch(self, what: str, word: str, wanted: int) -> None:
        """Wait for people with a progress bar."""
        bar = ProgressBar(what, wanted)
        last = self._clock.monotonic() + self._patience_s
        for target in _targets(wanted):
            await self._crowd.reach(word, target, max(0.0, last - self._clock.monotonic()))
            bar.reach(target)

    def _begin(self) -> Cost:
        return Cost(self._clock.monotonic(), self._node.cpu_seconds())

    def _cost_since(self, begun: Cost) -> Cost:
        now = self._begin()
        return Cost(now.seconds - begun.seconds, now.cpu_seconds - begun.cpu_seconds)


def _targets(wanted: int) -> list[int]:
    """A few steps on the way to ``wanted``."""
    return sorted({wanted * step // 20 for step in range(1, 21)} - {0})


# ---- setting up ----------------------------------------------------------------------------------------------------


async def set_up(folder: Path, played: noto.Table) -> Stage:
    """A node in ``folder`` with everybody's account and 窓口."""
    port = free_port()
    chosen = {"http.listen": f"127.0.0.1:{port}", "limits.enabled": False, "federation.enabled": False}
    settings = await asyncio.to_thread(make_node_folder, folder, "能登の六町会", chosen)
    password = random_token()
    async with build(settings) as node:
        await take_in_roster(node, _roster(played.total))
        persons = node.association.members.persons()
        bar = ProgressBar("setting up people", played.total)
        await give_accounts(node, persons, bar.reach, {persons[0].id: (_OFFICER, password)})
        tokens = await asyncio.gather(*(
            node.accounts.create_session(person.user_id or "", f"REPLAY{number}")
            for number, person in enumerate(node.association.members.persons())
        ))
        roles = [
            _role(person, token, node.association.members.desk_room_of(person.id), part.value, number)
            for number, (person, (token, _), part) in enumerate(
                zip(node.association.members.persons(), tokens, played.parts(), strict=True)
            )
        ]
    return Stage(settings, folder / SETTINGS_FILE, password, roles)


def _role(person: Person, token: str, room_id: str | None, part: str, number: int) -> Role:
    if person.user_id is None or room_id is None:
        raise DemoFailed("somebody has no room of their own")
    return Role(person.user_id, token, room_id, part, number)


def _roster(persons: int) -> list[Row]:
    """Six associations as blocks; the first person is the officer."""
    rows: list[Row] = []
    for number, home in enumerate(people.households("能登")):
        for person in home.persons:
            rows.append({
                "班": noto.ASSOCIATIONS[number % len(noto.ASSOCIATIONS)], "世帯番号": str(number + 1),
                "世帯": home.family, "氏名": person.name, "ふりがな": person.kana,
                "役職": "会長" if not rows else "",
            })
            if len(rows) == persons:
                return rows
    return rows
