"""Two strangers' servers and ours, in any order and with losses: our room comes to what the pure rules say of it."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from server.rooms.event import Event
from server.rooms.graph_store import stored_events
from server.rooms.timeline import OUTLIER, REJECTED, SOFT_FAILED
from tests.builders import RunningNode
from tests.federation.stranger import Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_transactions import a_room_of_both

Json = dict[str, Any]
# KAIRAN_INTERLEAVINGS asks for more of them.
SEEDS = range(int(os.environ.get("KAIRAN_INTERLEAVINGS", "5")))
STEPS = 40


class Side:
    """One stranger with its own view of the room."""

    def __init__(self, stranger: Stranger, room: StrangerRoom) -> None:
        self.stranger = stranger
        self.room = room
        self.unsent: list[Event] = []

    def acts(self, chance: random.Random, others: list[str]) -> None:
        """Do something that one's own view allows, or try something that it does not."""
        me = self.stranger.user("oni")
        kind, content, key = chance.choice([
            ("m.room.message", {"msgtype": "m.text", "body": f"{chance.random()}"}, None),
            ("m.room.topic", {"topic": f"{chance.randrange(9)}"}, ""),
            ("m.room.name", {"name": f"{chance.randrange(9)}"}, ""),
            ("m.room.member", {"membership": "join", "displayname": f"{chance.randrange(9)}"}, me),
            ("m.room.member", {"membership": chance.choice(["ban", "leave", "invite"])}, chance.choice(others)),
            ("m.room.power_levels", _levels(self.room, chance, [me, *others]), ""),
            ("m.room.join_rules", {"join_rule": chance.choice(["public", "invite"])}, ""),
        ])
        ends = sorted(self.room.judged.heads)
        if len(ends) > 1 and chance.random() < 0.3:
            ends = chance.sample(ends, len(ends) - 1)
        event = self.room.event(me, kind, content, key, after=ends[:20])
        if self.room.add(event).accepted or chance.random() < 0.3:
            self.unsent.append(event)


def _levels(room: StrangerRoom, chance: random.Random, people: list[str]) -> Json:
    found = dict(room.state["m.room.power_levels", ""].content)
    return {**found, "users": {**found.get("users", {}), chance.choice(people): chance.choice([0, 50, 100])}}


async def _shared_room(node: RunningNode, oni: Stranger, momo: Stranger) -> tuple[Side, Side]:
    hanako, room = await a_room_of_both(node, oni)
    theirs = await momo.joins(node, room.room_id)
    await oni.hears(lambda pdu: pdu["sender"] == momo.user("oni"))
    me, you = oni.user("oni"), momo.user("oni")
    levels = {**room.state["m.room.power_levels", ""].content}
    levels["users"] = {**levels["users"], me: 100, you: 100}
    assert (await hanako.sets(room.room_id, "m.room.power_levels", levels)).status == 200
    for stranger in (oni, momo):
        await stranger.hears(lambda pdu: pdu["content"].get("users", {}).get(you) == 100)
    return Side(oni, room), Side(momo, theirs)


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_order_with_losses_ends_in_what_the_rules_say(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        sides = await _shared_room(node, oni, momo)
        people = [side.stranger.user("oni") for side in sides]
        for _ in range(STEPS):
            side = chance.choice(sides)
            side.acts(chance, [user for user in people if user != side.stranger.user("oni")])
            if chance.random() < 0.5 and side.unsent:
                await _sends(node, side, chance)
            if chance.random() < 0.25:
                _hears_of(*chance.sample(sides, 2))
        for side in sides:
            await _sends(node, side, chance, all_of_it=True)
        await _require_what_the_rules_say(node, sides)


async def _sends(node: RunningNode, side: Side, chance: random.Random, *, all_of_it: bool = False) -> None:
    """Some of it, in any order, some of it twice, some of it never; the last of it always."""
    told, side.unsent = side.unsent, []
    if not all_of_it:
        told = [event for event in told if chance.random() < 0.8]
        chance.shuffle(told)
        told += told[:1]
    for start in range(0, len(told), 50):
        answer = await side.stranger.sends(node, *told[start:start + 50])
        assert answer.status == 200, answer


def _hears_of(one: Side, other: Side) -> None:
    """One stranger tells the other everything that it knows."""
    for event_id, event in list(one.room.judged.events.items()):
        if event_id not in other.room.judged.events:
            other.room.judged.receive(event.pdu)


async def _require_what_the_rules_say(node: RunningNode, sides: tuple[Side, Side]) -> None:
    """The pure judge hears what our node has taken, in the same order, and comes to the same."""
    room = await node.inside.services.rooms.get(sides[0].room.room_id)
    database = node.inside.core.database
    ids = {event_id for side in sides for event_id in side.room.judged.events}
    stored = await stored_events(database, room, [*ids, *(event.event_id for event in room.state.values())])
    first = await _beginning(node, room.room_id)
    stored |= first
    taken = sorted((item for item in stored.values() if not item.flags & OUTLIER), key=lambda item: item.stream)
    judge = StrangerRoom(room.room_id, room.version.name, sides[0].stranger.known)
    for item in taken:
        verdict = judge.judged.receive(item.event.pdu)
        assert verdict.accepted == (not item.flags & REJECTED), item.event
        assert not verdict.accepted or verdict.soft_failed == bool(item.flags & SOFT_FAILED), item.event
    assert set(room.tip.extremities) == judge.judged.heads
    assert {key: event.event_id for key, event in room.state.items()} == judge.judged.state_over(judge.judged.heads)


async def _beginning(node: RunningNode, room_id: str) -> dict[str, Any]:
    room = await node.inside.services.rooms.get(room_id)
    found: dict[str, Any] = {}
    waiting = set(room.tip.extremities)
    while waiting:
        batch = await stored_events(node.inside.core.database, room, waiting)
        found |= batch
        waiting = {link for item in batch.values() for link in (*item.event.prev_events, *item.event.auth_events)
                   if link not in found}
    return found
