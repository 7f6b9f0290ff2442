"""Any order of arrival of the same events ends in the same state, in memory, on the disk and after a restart.

Held against the pure judge, which takes the events in the order in which they were made.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.rooms.auth_rules import redaction_applies
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.redaction import redact
from server.rooms.timeline import OUTLIER, UNSEEN
from tests.federation.fresh_room import Receiver, fresh_receiver, ids_of
from tests.federation.graphs import Graph, Step, drawn, steps

EXAMPLES = int(os.environ.get("KAIRAN_ORDERS", "12"))
VERSIONS = ["10", "11", "12"]
# How many missing events peers hand out at once; 0: none, only states.
ALL, FEW, NONE = 50, 2, 0


def after_predecessors(graph: Graph, seed: int) -> list[Event]:
    """An order in which every event comes after all that it names."""
    chance, done, waiting = random.Random(seed), dict[str, Event](), list(graph.events)
    while waiting:
        event = chance.choice([item for item in waiting if done.keys() >= set(item.prev_events)])
        waiting.remove(event)
        done[event.event_id] = event
    return list(done.values())


def shuffled(graph: Graph, seed: int, gaps: int) -> list[Event]:
    """Any order. Where gaps cannot always be closed, the beginning is known: nobody is in a room without its state."""
    known = [] if gaps == ALL else graph.events[:7]
    rest = graph.events[len(known):]
    random.Random(seed).shuffle(rest)
    return known + rest


async def require_the_same(receiver: Receiver, room: LiveRoom, graph: Graph, gaps: int) -> None:
    """The room has come to what the judge says, in each of the places where that is kept."""
    # Where a gap could not be closed, what came too late stands beside what had followed it, until somebody speaks.
    final = graph.judged.state_over(room.tip.extremities)
    known = await receiver.known(room)
    assert set(known) == set(graph.by_id())
    rejected = {event_id for event_id, item in known.items() if item.is_rejected}
    assert rejected == graph.judged.rejected, "other events were rejected"
    placeless = [event_id for event_id, item in known.items() if item.flags & OUTLIER and not item.is_rejected]
    assert not placeless, "an event has no place"
    assert graph.events[-1].event_id in room.tip.extremities
    if gaps == ALL:
        assert room.tip.extremities == [graph.events[-1].event_id]
    assert ids_of(room.state) == final, "another state"
    await require_tables(receiver, room)
    await require_blanks(receiver, room, graph)
    await require_windings(receiver, room)
    again = await receiver.restarted(room)
    assert ids_of(again.state) == final, "another state after a restart"
    assert {key: event.content for key, event in again.state.items()} == {
        key: event.content for key, event in room.state.items()}, "other contents after a restart"
    assert again.joined == room.joined
    await require_windings(receiver, again)


async def require_blanks(receiver: Receiver, room: LiveRoom, graph: Graph) -> None:
    """Exactly that is blanked which a visible redaction may blank, by the state before it.

    Also by a redaction that is blanked itself; what was rejected is shown to nobody, blanked or not.
    """
    known, all_events = await receiver.known(room), graph.by_id()
    redactions = [event for event_id, event in all_events.items() if event.type == "m.room.redaction"
                  and not known[event_id].flags & UNSEEN and event.redacts in all_events]
    blanked = {redaction.redacts for redaction in redactions if redaction_applies(
        redaction, all_events[redaction.redacts or ""], graph.power_before(redaction))}
    for event_id, item in known.items():
        whole = all_events[event_id].pdu
        wanted = redact(whole, graph.version) if event_id in blanked else whole
        assert item.is_rejected or item.event.pdu == wanted, "blanked otherwise"


async def require_tables(receiver: Receiver, room: LiveRoom) -> None:
    """What stands beside the state says the same."""
    assert await receiver.current_state(room) == ids_of(room.state)
    members = {key: event.content["membership"] for (kind, key), event in room.state.items() if kind == "m.room.member"}
    told = await receiver.memberships(room)
    assert {user: told.get(user) for user in members} == members
    assert all(told[user] == "leave" for user in told.keys() - members.keys())
    assert room.joined == {user for user, membership in members.items() if membership == "join"}


async def require_windings(receiver: Receiver, room: LiveRoom) -> None:
    """The state at any position is the same, wound back in memory or read from the disk."""
    known = await receiver.known(room)
    for position in sorted(item.stream for item in known.values() if item.stream > 0 and not item.flags & UNSEEN):
        wound = room.state_at(position)
        if wound is not None:
            assert ids_of(wound) == await receiver.stored_state(room, position), f"another state at {position}"


async def arrive(graph: Graph, orders: Sequence[tuple[Sequence[Event], int]]) -> None:
    """One fresh receiver for each order."""
    with tempfile.TemporaryDirectory() as folder:
        for number, (order, gaps) in enumerate(orders):
            async with fresh_receiver(Path(folder) / str(number)) as receiver:
                room = await receiver.takes(graph, order, gaps)
                await require_the_same(receiver, room, graph, gaps)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, print_blob=True)
@given(wanted=steps, seed=st.integers(0, 2**32 - 1))
async def test_events_that_come_after_what_they_follow_end_in_the_same_state(
    version: str, wanted: list[Step], seed: int
) -> None:
    graph = drawn(version, "hiroba", wanted)
    await arrive(graph, [(graph.events, ALL), (after_predecessors(graph, seed), ALL)])


@pytest.mark.slow
@pytest.mark.parametrize("gaps", [ALL, FEW, NONE])
@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, print_blob=True)
@given(wanted=steps, seed=st.integers(0, 2**32 - 1))
async def test_events_that_come_before_what_they_follow_end_in_the_same_state(
    version: str, gaps: int, wanted: list[Step], seed: int
) -> None:
    graph = drawn(version, "hiroba", wanted)
    await arrive(graph, [(shuffled(graph, seed, gaps), gaps)])
