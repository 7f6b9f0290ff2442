"""Towns that fall apart and come together again: what was done on either side ends in one state for all.

Whole nodes, each with its people; the lines between groups of them are cut, everybody goes on, and the lines are
mended. ``KAIRAN_PARTITIONS=200`` tries that many, ``KAIRAN_PARTITIONS_SEED`` another run of chances.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from yarl import URL

from server.foundation.outgoing import Fetched, Outgoing, Unreachable
from server.outbox.outbox_store import waiting_destinations
from server.rooms.event import StateKey
from server.rooms.live_room import LiveRoom
from tests.builders import Person, RunningNode
from tests.federation.town import town

Json = dict[str, Any]

PARTITIONS: Final = int(os.environ.get("KAIRAN_PARTITIONS", "2"))
SEED: Final = int(os.environ.get("KAIRAN_PARTITIONS_SEED", "1"))
# Of one town; its nodes are started once.
ROUNDS: Final = 5
VERSIONS: Final = ("10", "11", "12")
ACTS: Final = ("ban", "kick", "unban", "levels", "topic", "name", "rule", "leave", "join", "nick", "say")
_ORIGIN: Final = re.compile(r'origin="([^"]*)"')


class Lines:
    """Which nodes hear each other."""

    def __init__(self) -> None:
        self.groups: list[set[str]] = []

    def are_cut(self, one: str, other: str) -> bool:
        """Whether there is no way between two servers."""
        return any((one in group) != (other in group) for group in self.groups)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """All whole at first."""
    found, fetch = Lines(), Outgoing.fetch

    async def perhaps(self: Outgoing, method: str, url: str | URL, **more: Any) -> Fetched:
        origin = _ORIGIN.search(more.get("headers", {}).get("Authorization", ""))
        if origin is not None and found.are_cut(origin[1], URL(str(url)).authority):
            raise Unreachable("the line is cut")
        return await fetch(self, method, url, **more)

    monkeypatch.setattr(Outgoing, "fetch", perhaps)
    return found


class Villager:
    """Somebody in the room, with what they may do there."""

    def __init__(self, person: Person, power: int) -> None:
        self.person = person
        self.power = power

    async def acts(self, room: str, chance: random.Random, people: Sequence[str]) -> None:
        """Try something; it may be forbidden, and is then no fault."""
        me, somebody = self.person, chance.choice(people)
        match chance.choice(ACTS):
            case "ban" | "kick" | "unban" as verb:
                answer = await me.post(f"v3/rooms/{room}/{verb}", {"user_id": somebody})
            case "levels":
                answer = await me.sets(room, "m.room.power_levels", await self._levels(room, chance, somebody))
            case "topic" | "name" as kind:
                answer = await me.sets(room, f"m.room.{kind}", {kind: f"{chance.random()}"})
            case "rule":
                answer = await me.sets(room, "m.room.join_rules", {"join_rule": chance.choice(["public", "invite"])})
            case "leave":
                answer = await me.post(f"v3/rooms/{room}/leave")
            case "join":
                answer = await me.post(f"v3/rooms/{room}/join")
            case "nick":
                content = {"membership": "join", "displayname": f"{chance.random()}"}
                answer = await me.sets(room, "m.room.member", content, me.user_id)
            case _:
                answer = await me.sends(room, "m.room.message", {"msgtype": "m.text", "body": f"{chance.random()}"})
        assert answer.status < 500, answer

    async def _levels(self, room: str, chance: random.Random, somebody: str) -> Json:
        told = await self.person.get(f"v3/rooms/{room}/state/m.room.power_levels")
        levels: Json = told.body if told.status == 200 else {}
        users = {**levels.get("users", {}), somebody: chance.choice([0, 25, 50, 75])}
        name = chance.choice(["ban", "kick", "state_default", "events_default", "users_default"])
        return {**levels, "users": users, name: chance.choice([0, 0, 25, 50])}


class Village:
    """One room of several nodes. On each live a chief, an officer, a villager and somebody whom nobody touches."""

    def __init__(self, nodes: Sequence[RunningNode], chance: random.Random) -> None:
        self.nodes = list(nodes)
        self.chance = chance
        self.room = ""
        self.actors: dict[str, list[Villager]] = {}
        self.quiet: dict[str, Person] = {}

    async def settles(self, version: str, number: int) -> None:
        """Everybody comes."""
        for node in self.nodes:
            people = await node.users(*(f"{kind}{number}" for kind in ("chief", "officer", "villager", "quiet")))
            self.actors[name_of(node)] = [
                Villager(person, power) for person, power in zip(people[:3], (90, 50, 0), strict=True)
            ]
            self.quiet[name_of(node)] = people[3]
        first = self.nodes[0]
        founder = await first.user(f"founder{number}")
        self.room = await founder.creates_room(preset="public_chat", room_version=version)
        levels = (await founder.get(f"v3/rooms/{self.room}/state/m.room.power_levels")).body
        users = {villager.person.user_id: villager.power for actors in self.actors.values() for villager in actors}
        # Nobody can put these out.
        users |= dict.fromkeys((person.user_id for person in self.quiet.values()), 95)
        trust = {**levels, "users": {**levels["users"], **users}, "state_default": 50}
        assert (await founder.sets(self.room, "m.room.power_levels", trust)).status == 200
        for node in self.nodes:
            await self.come_in(node, via=first)
        await quiet(self.nodes)
        # Who was let in while others came, too, hears of those with the next words only.
        for _ in range(5):
            await self.speaks()
            if len({tuple(room.tip.extremities) for room in await self.live()}) == 1:
                break
        await require_one_state(self, "before")

    async def come_in(self, node: RunningNode, *, via: RunningNode) -> None:
        """Those of a node join."""
        people = [self.quiet[name_of(node)], *(villager.person for villager in self.actors[name_of(node)])]
        for person in people:
            answer = await person.post(f"v3/join/{self.room}", via=name_of(via))
            assert answer.status == 200, answer

    async def goes_on(self, node: RunningNode, steps: int) -> None:
        """Those of one node do things."""
        names = [villager.person.user_id for actors in self.actors.values() for villager in actors]
        for _ in range(steps):
            await self.chance.choice(self.actors[name_of(node)]).acts(self.room, self.chance, names)

    async def speaks(self) -> None:
        """Those whom nobody touches greet each other, one after another: then everybody has seen everything."""
        for person in self.quiet.values():
            answer = await person.sends(self.room, "jp.kairan.test", {})
            assert answer.status == 200, answer
            await quiet(self.nodes)

    async def live(self) -> list[LiveRoom]:
        """The room on each node."""
        return [await node.inside.services.rooms.get(self.room) for node in self.nodes]


def name_of(node: RunningNode) -> str:
    """The name of a node's server."""
    return node.settings.server_name


async def heal(nodes: Sequence[RunningNode]) -> None:
    """Everybody hears that the others are there again."""
    for one, other in itertools.permutations(nodes, 2):
        federation = await opener(one).open()
        federation.delivery.is_alive(name_of(other))


async def quiet(nodes: Sequence[RunningNode]) -> None:
    """Wait until nothing is on its way."""
    async with asyncio.timeout(60):
        while any([await waiting_destinations(node.inside.core.database) for node in nodes]):
            await asyncio.sleep(0.01)


def opener(node: RunningNode) -> Any:
    """The way to what talks to others."""
    return node.inside.core.late.federation


@asynccontextmanager
async def some_town(folder: Path, count: int) -> AsyncIterator[list[RunningNode]]:
    """Nodes that may meet."""
    async with AsyncExitStack() as closing:
        names = [f"node{number}" for number in range(count)]
        yield await closing.enter_async_context(town(folder, *names))


async def fall_apart_and_heal(nodes: list[RunningNode], lines: Lines, chance: random.Random, number: int) -> None:
    """One partition."""
    village = Village(nodes, chance)
    await village.settles(chance.choice(VERSIONS), number)
    for _ in range(chance.randint(1, 2)):
        names = [name_of(node) for node in chance.sample(nodes, len(nodes))]
        cut = chance.randint(1, len(names) - 1)
        lines.groups = [set(names[:cut])] if chance.random() < 0.7 else [{name} for name in names]
        await asyncio.gather(*(village.goes_on(node, chance.randint(2, 6)) for node in nodes))
        lines.groups = []
        await heal(nodes)
        await quiet(nodes)
    await village.speaks()
    await require_one_state(village, "after")


async def require_one_state(village: Village, moment: str) -> None:
    """All nodes see the room alike."""
    rooms = await village.live()
    states = [{key: event.event_id for key, event in room.state.items()} for room in rooms]
    assert not difference(states), moment
    assert all(room.joined == rooms[0].joined for room in rooms), moment


def difference(states: Sequence[dict[StateKey, str]]) -> list[Any]:
    """Where the nodes do not agree."""
    keys = {key for state in states for key in state}
    return [(key, [state.get(key) for state in states]) for key in keys
            if len({state.get(key) for state in states}) > 1]


@pytest.mark.slow
@pytest.mark.parametrize("batch", range((PARTITIONS + ROUNDS - 1) // ROUNDS))
async def test_a_town_that_falls_apart_and_heals_is_one_again(batch: int, lines: Lines, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {batch}")
    rounds = range(batch * ROUNDS, min((batch + 1) * ROUNDS, PARTITIONS))
    async with some_town(tmp_path, 5) as nodes:
        for number in rounds:
            await fall_apart_and_heal(nodes[: chance.randint(3, 5)], lines, chance, number)
