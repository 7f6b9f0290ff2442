"""State resolution on small rooms drawn by hand; the oracle's rooms are in test_judge."""

from __future__ import annotations

import random

import pytest

from server.rooms.event import Event, StateKey
from server.rooms.room_versions import room_version
from server.rooms.state_resolution import resolve
from server.rooms.state_resolution.auth_difference import auth_difference
from server.rooms.state_resolution.conflicted_subgraph import conflicted_subgraph
from server.rooms.state_resolution.split_conflicted import split_conflicted
from tests.rules.rooms import ANN, BOB, CY, PaperRoom

VERSIONS = ["6", "10", "11", "12"]
State = dict[StateKey, Event]
LEVELS: StateKey = ("m.room.power_levels", "")


def ids(state: State) -> dict[StateKey, str]:
    return {key: event.event_id for key, event in state.items()}


def busy_room(version: str) -> PaperRoom:
    room = PaperRoom(version)
    users = {BOB: 50} if version == "12" else {ANN: 100, BOB: 50}
    room.levels(users=users)
    room.put(ANN, "m.room.join_rules", "", {"join_rule": "public"})
    room.member(BOB, "join")
    room.member(CY, "join")
    return room


def fork(room: PaperRoom) -> State:
    """Continue from the present on a copy of the state; give back the one before."""
    before = room.state
    room.state = dict(before)
    return before


def resolved(room: PaperRoom, *states: State, rejected: frozenset[str] = frozenset()) -> dict[StateKey, str]:
    return resolve(room.version, [ids(state) for state in states], room.events, rejected)


def test_no_state_and_one_state_need_no_resolution() -> None:
    room = busy_room("11")
    assert resolve(room.version, [], room.events) == {}
    assert resolved(room, room.state) == ids(room.state)
    assert resolved(room, room.state, dict(room.state)) == ids(room.state)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_later_of_two_topics_wins(version: str) -> None:
    room = busy_room(version)
    base = fork(room)
    room.put(ANN, "m.room.topic", "", {"topic": "first"})
    left, room.state = room.state, dict(base)
    later = room.put(BOB, "m.room.topic", "", {"topic": "second"})
    assert resolved(room, left, room.state)["m.room.topic", ""] == later.event_id


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ban_stands_against_what_the_banned_did_meanwhile(version: str) -> None:
    room = busy_room(version)
    base = fork(room)
    ban = room.put(ANN, "m.room.member", BOB, {"membership": "ban"})
    left, room.state = room.state, dict(base)
    room.put(BOB, "m.room.topic", "", {"topic": "too late"})
    result = resolved(room, left, room.state)
    assert result["m.room.member", BOB] == ban.event_id
    assert ("m.room.topic", "") not in result


@pytest.mark.parametrize("version", VERSIONS)
def test_the_mightier_change_of_power_comes_first(version: str) -> None:
    room = busy_room(version)
    base = fork(room)
    demoted = room.levels(users={} if version == "12" else {ANN: 100})
    left, room.state = room.state, dict(base)
    content = {**base[LEVELS].content, "events": {"m.room.topic": 0}}
    room.put(BOB, "m.room.power_levels", "", content)
    assert resolved(room, left, room.state)[LEVELS] == demoted.event_id


@pytest.mark.parametrize("version", VERSIONS)
def test_a_rejected_event_never_enters_the_state(version: str) -> None:
    room = busy_room(version)
    base = fork(room)
    topic = room.put(ANN, "m.room.topic", "", {"topic": "x"})
    assert resolved(room, base, room.state)["m.room.topic", ""] == topic.event_id
    assert ("m.room.topic", "") not in resolved(room, base, room.state, rejected=frozenset({topic.event_id}))


def test_unknown_events_are_passed_over() -> None:
    room = busy_room("11")
    lost = {**ids(room.state), ("m.room.topic", ""): "$lost"}
    assert resolve(room.version, [ids(room.state), lost], room.events) == ids(room.state)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_states_does_not_matter(version: str, seed: int) -> None:
    chance = random.Random(seed)
    room = busy_room(version)
    states = [room.state]
    for _ in range(12):
        room.state = dict(chance.choice(states))
        sender = chance.choice([ANN, BOB, CY])
        choice = chance.choice(["topic", "ban", "levels", "leave"])
        if choice == "levels":
            room.put(sender, "m.room.power_levels", "", {**room.state[LEVELS].content, "kick": chance.randint(0, 99)})
        elif choice == "topic":
            room.put(sender, "m.room.topic", "", {"topic": str(chance.random())})
        else:
            target = chance.choice([BOB, CY])
            room.put(sender, "m.room.member", target, {"membership": choice})
        states.append(room.state)
    chosen = chance.sample(states, 5)
    assert resolved(room, *chosen) == resolved(room, *chosen[::-1])


def test_a_key_that_one_state_lacks_is_in_conflict() -> None:
    left: dict[StateKey, str] = {("a", ""): "$1", ("b", ""): "$2", ("c", ""): "$3"}
    right: dict[StateKey, str] = {("a", ""): "$1", ("b", ""): "$4"}
    unconflicted, conflicted, shares = split_conflicted([left, right])
    assert unconflicted == {("a", ""): "$1"}
    assert conflicted == {"$2", "$3", "$4"}
    assert shares == [{"$2", "$3"}, {"$4"}]


def chain(**links: list[str]) -> dict[str, Event]:
    """Events by name, each resting on the named ones."""
    def event(name: str, auth_events: list[str]) -> Event:
        pdu = {"type": "x", "sender": ANN, "content": {}, "depth": 1, "origin_server_ts": 1, "prev_events": [],
               "auth_events": auth_events, "state_key": name, "room_id": "!r"}
        return Event(pdu, room_version("12"), name, "!r")

    return {name: event(name, auth_events) for name, auth_events in links.items()}


def test_the_auth_difference_is_what_not_all_rest_on() -> None:
    events = chain(root=[], a=["root"], b=["a"], c=["root"], u=["c"])
    assert auth_difference([{"b"}, set()], [], events) == {"root", "a", "b"}
    assert auth_difference([{"b"}, {"c"}], [], events) == {"a", "b", "c"}
    assert auth_difference([{"b"}, {"c"}], ["u"], events) == {"a", "b"}


def test_the_subgraph_holds_what_lies_between_conflicted_events() -> None:
    events = chain(root=[], a=["root"], b=["a"], side=["root"], c=["b", "side"])
    assert conflicted_subgraph({"c"}, events) == {"c"}
    assert conflicted_subgraph({"c", "a"}, events) == {"a", "b", "c"}
    assert conflicted_subgraph({"c", "root"}, events) == {"root", "a", "b", "side", "c"}
