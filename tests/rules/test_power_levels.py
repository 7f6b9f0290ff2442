"""Authorization rule 9: who gives and takes power."""

from __future__ import annotations

from typing import Any

import pytest

from server.rooms.auth_rules import creators_of, power_of
from tests.rules.rooms import ANN, BOB, CY, DEE, room_with

BEFORE = {"users": {ANN: 100, CY: 50, DEE: 50}, "events": {"a": 50, "b": 60}, "notifications": {"room": 50}, "ban": 60}


@pytest.mark.parametrize(("change", "good"), [
    ({}, True),
    ({"kick": 50}, True), ({"kick": 51}, False), ({"ban": 50}, False), ({"redact": 0}, True),
    ({"events": {"a": 0, "b": 60}}, True), ({"events": {"b": 60}}, True), ({"events": {"a": 50}}, False),
    ({"events": {"a": 51, "b": 60}}, False), ({"events": {"a": 50, "b": 60, "c": 51}}, False),
    ({"notifications": {"room": 51}}, False), ({"notifications": {}}, True),
    ({"users": {ANN: 100, CY: 40, DEE: 50}}, True), ({"users": {ANN: 100, DEE: 50}}, True),
    ({"users": {ANN: 100, CY: 51, DEE: 50}}, False), ({"users": {ANN: 100, CY: 50}}, False),
    ({"users": {ANN: 99, CY: 50, DEE: 50}}, False), ({"users": {CY: 50, DEE: 50}}, False),
    ({"users": {ANN: 100, CY: 50, DEE: 50, BOB: 50}}, True), ({"users": {ANN: 100, CY: 50, DEE: 50, BOB: 51}}, False),
])
@pytest.mark.parametrize("version", ["6", "10", "11"])
def test_power_is_given_and_taken_below_ones_own_level(version: str, change: dict[str, Any], good: bool) -> None:
    room = room_with(version)
    room.levels(**BEFORE)
    assert room.allows(CY, "m.room.power_levels", "", {**BEFORE, **change}) is good


def test_notifications_are_guarded_since_version_6() -> None:
    room = room_with("5")
    room.levels(**BEFORE)
    assert room.allows(CY, "m.room.power_levels", "", {**BEFORE, "notifications": {"room": 99}})


@pytest.mark.parametrize(("content", "in_6", "in_10"), [
    ({"ban": "50"}, True, False), ({"users": {CY: " +7 "}}, True, False), ({"users": {CY: "seven"}}, False, False),
    ({"users": {CY: True}}, True, False), ({"users": {CY: None}}, False, False), ({"users": []}, False, False),
    ({"users": {"cy": 5}}, False, False), ({"users": {"@cy": 5}}, False, False), ({"events": {"a": "x"}}, False, False),
    ({"notifications": 5}, False, False), ({"kick": None}, False, False),
])
def test_levels_are_integers(content: dict[str, Any], in_6: bool, in_10: bool) -> None:
    for version, good in (("6", in_6), ("10", in_10), ("11", in_10)):
        room = room_with(version)
        assert room.allows(ANN, "m.room.power_levels", "", {"users": {ANN: 100}, **content}) is good


def test_levels_that_are_none_count_as_absent() -> None:
    room = room_with("6")
    room.levels(users={ANN: 100, CY: "x"}, ban="y", events=[], kick="75", invite=None)
    power = power_of(room.state, room.version)
    assert (power.of_user(CY), power.ban, power.kick, power.invite, dict(power.events)) == (0, 50, 75, 0, {})


def test_power_levels_are_parsed_once() -> None:
    room = room_with("11")
    assert power_of(room.state, room.version) is power_of(dict(room.state), room.version)


def test_creators_of_version_12_stand_above_all_and_in_no_list() -> None:
    room = room_with("12", bob="join", create={"additional_creators": [BOB]})
    room.levels(users={CY: 2**53 - 1})
    assert creators_of(room.create) == {ANN, BOB}
    assert not room.allows_member(CY, BOB, "leave")
    assert not room.allows_member(ANN, BOB, "ban")
    assert room.allows_member(BOB, CY, "ban")
    assert room.allows(BOB, "m.room.power_levels", "", {"users": {}})
    assert not room.allows(BOB, "m.room.power_levels", "", {"users": {ANN: 100}})
    assert not room.allows(ANN, "m.room.power_levels", "", {"users": {BOB: 100}})
