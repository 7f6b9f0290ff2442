"""Order in a room: levels, bans, kicks, policies, which servers may come."""

from __future__ import annotations

from typing import Any

import pytest

from server.rooms.server_acl import is_admitted
from tests.builders import Person, RunningNode


@pytest.fixture
async def hall(node: RunningNode) -> tuple[Person, Person, str]:
    """Hanako leads a room (version 11, where levels bind her too) in which Taro moderates."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", room_version="11", power_level_content_override={
        "users": {hanako.user_id: 100, taro.user_id: 50}, "events": {"m.room.power_levels": 50},
    })
    await taro.joins(room)
    return hanako, taro, room


async def levels_of(person: Person, room: str) -> dict[str, Any]:
    return dict((await person.get(f"v3/rooms/{room}/state/m.room.power_levels")).body)


@pytest.mark.parametrize("name", [
    "kick", "ban", "redact", "invite", "state_default", "events_default", "users_default",
])
async def test_nobody_sets_a_level_higher_than_their_own(hall: tuple[Person, Person, str], name: str) -> None:
    hanako, taro, room = hall
    before = await levels_of(hanako, room)
    assert (await taro.sets(room, "m.room.power_levels", {**before, name: 60})).refusal == (403, "M_FORBIDDEN")
    assert await levels_of(hanako, room) == before
    assert (await taro.sets(room, "m.room.power_levels", {**before, name: 40})).status == 200
    assert (await hanako.sets(room, "m.room.power_levels", {**before, name: 60})).status == 200
    assert (await taro.sets(room, "m.room.power_levels", {**before, name: 50})).refusal == (403, "M_FORBIDDEN")


async def test_levels_of_notifications_and_of_types_are_guarded_alike(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    before = await levels_of(hanako, room)
    for changed in ({"notifications": {"room": 60}}, {"events": {**before["events"], "m.room.name": 60}}):
        assert (await taro.sets(room, "m.room.power_levels", {**before, **changed})).refusal == (403, "M_FORBIDDEN")
    assert (await taro.sets(room, "m.room.power_levels", {**before, "notifications": {"room": 50}})).status == 200


async def test_nobody_raises_themselves_or_lowers_their_equals(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    before = await levels_of(hanako, room)
    for users in ({hanako.user_id: 100, taro.user_id: 60}, {hanako.user_id: 50, taro.user_id: 50}):
        answer = await taro.sets(room, "m.room.power_levels", {**before, "users": users})
        assert answer.refusal == (403, "M_FORBIDDEN")
    lower = {**before, "users": {hanako.user_id: 100, taro.user_id: 10}}
    assert (await taro.sets(room, "m.room.power_levels", lower)).status == 200
    assert (await taro.sets(room, "m.room.name", {"name": "x"})).refusal == (403, "M_FORBIDDEN")


async def test_a_topic_that_needs_nothing_is_set_by_anybody(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    jiro = await hanako.node.user("jiro")
    await jiro.joins(room)
    assert (await jiro.sets(room, "m.room.topic", {"topic": "x"})).refusal == (403, "M_FORBIDDEN")
    levels = await levels_of(hanako, room)
    await hanako.sets(room, "m.room.power_levels", {**levels, "events": {**levels["events"], "m.room.topic": 0}})
    assert (await jiro.sets(room, "m.room.topic", {"topic": "x"})).status == 200


async def test_who_is_not_in_a_room_neither_kicks_nor_bans_there(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    jiro, saburo = await taro.node.users("jiro", "saburo")
    await jiro.joins(room)
    await taro.leaves(room)
    for verb in ("kick", "ban", "unban", "invite"):
        answer = await taro.post(f"v3/rooms/{room}/{verb}", {"user_id": jiro.user_id})
        assert answer.refusal == (403, "M_FORBIDDEN"), verb
    assert (await saburo.post(f"v3/rooms/{room}/kick", {"user_id": jiro.user_id})).refusal == (403, "M_FORBIDDEN")


async def test_somebody_who_was_never_there_can_be_banned_and_not_kicked(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    jiro = await taro.node.user("jiro")
    assert (await taro.post(f"v3/rooms/{room}/kick", {"user_id": jiro.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/rooms/{room}/ban", {"user_id": jiro.user_id, "reason": "laut"})).status == 200
    member = await taro.get(f"v3/rooms/{room}/state/m.room.member/{jiro.user_id}")
    assert (member["membership"], member["reason"]) == ("ban", "laut")
    assert (await jiro.post(f"v3/join/{room}")).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/rooms/{room}/invite", {"user_id": jiro.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/rooms/{room}/unban", {"user_id": jiro.user_id})).status == 200
    await jiro.joins(room)


async def test_pinned_events_and_lists_of_policies_are_ordinary_state(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event = await taro.says(room, "wichtig")
    assert (await taro.sets(room, "m.room.pinned_events", {"pinned": [event]})).status == 200
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.pinned_events"))["pinned"] == [event]
    for kind, entity in (("user", "@spam*:*"), ("server", "*.spam.example"), ("room", "#spam:*")):
        rule = {"entity": entity, "recommendation": "m.ban", "reason": "spam"}
        assert (await taro.sets(room, f"m.policy.rule.{kind}", rule, f"rule:{entity}")).status == 200
    jiro = await taro.node.user("jiro")
    await jiro.joins(room)
    assert (await jiro.sets(room, "m.room.pinned_events", {"pinned": []})).refusal == (403, "M_FORBIDDEN")


@pytest.mark.parametrize("content", [
    {}, {"allow": []}, {"allow": ["other.example"]}, {"allow": ["*"], "deny": ["*.example"]}, {"allow": "*"},
])
async def test_nobody_shuts_their_own_server_out(hall: tuple[Person, Person, str], content: dict[str, Any]) -> None:
    hanako, _taro, room = hall
    assert (await hanako.sets(room, "m.room.server_acl", content)).refusal == (400, "M_INVALID_PARAM")
    good = {"allow": ["*"], "deny": ["evil.example"], "allow_ip_literals": False}
    assert (await hanako.sets(room, "m.room.server_acl", good)).status == 200


@pytest.mark.parametrize(("content", "server_name", "admitted"), [
    ({"allow": ["*"]}, "a.example", True), ({"allow": ["*"]}, "a.example:8448", True),
    ({"allow": ["*"], "deny": ["A.example"]}, "a.example:8448", False),
    ({"allow": ["*"], "deny": ["*.example"]}, "example", True),
    ({"allow": ["?.example"]}, "a.example", True), ({"allow": ["?.example"]}, "ab.example", False),
    ({"allow": ["a.b"]}, "axb", False), ({"allow": ["*"], "allow_ip_literals": False}, "10.0.0.1:80", False),
    ({"allow": ["*"], "allow_ip_literals": False}, "[::1]:80", False),
    ({"allow": ["*"], "allow_ip_literals": "no"}, "10.0.0.1", True), ({"allow": [5, "*"], "deny": 5}, "a", True),
    ({"allow": ["*a*a*a*a*a*a*a*a*a*a*b"]}, "a" * 250, False), ({}, "a.example", False),
])
def test_an_acl_admits_servers_by_its_steps(content: dict[str, Any], server_name: str, admitted: bool) -> None:
    assert is_admitted(content, server_name) is admitted
