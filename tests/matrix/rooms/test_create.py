"""Creating rooms: presets, everything in one commit or nothing, the three versions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import RunningNode


async def test_a_private_room_has_its_first_events_in_the_order_of_the_specification(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(name="回覧板", topic="お知らせ")
    kinds = [event["type"] for event in (await hanako.syncs()).timeline(room)]
    assert kinds == [
        "m.room.create", "m.room.member", "m.room.power_levels", "m.room.join_rules", "m.room.history_visibility",
        "m.room.guest_access", "m.room.name", "m.room.topic",
    ]


@pytest.mark.parametrize(
    ("preset", "join_rule", "guests"),
    [("private_chat", "invite", "can_join"), ("trusted_private_chat", "invite", "can_join"),
     ("public_chat", "public", "forbidden")],
)
async def test_a_preset_decides_who_may_come_in(node: RunningNode, preset: str, join_rule: str, guests: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(preset=preset)
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.join_rules/"))["join_rule"] == join_rule
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.guest_access"))["guest_access"] == guests
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.history_visibility"))["history_visibility"] == "shared"


async def test_initial_state_goes_before_the_preset(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(preset="public_chat", initial_state=[
        {"type": "m.room.join_rules", "content": {"join_rule": "knock"}},
        {"type": "jp.kairan.test", "state_key": "x", "content": {"a": 1}},
    ])
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.join_rules"))["join_rule"] == "knock"
    assert (await hanako.get(f"v3/rooms/{room}/state/jp.kairan.test/x"))["a"] == 1


async def test_a_space_carries_its_type(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(creation_content={"type": "m.space", "room_version": "1", "creator": "@x:y"})
    create = await hanako.get(f"v3/rooms/{room}/state/m.room.create")
    assert create.body == {"type": "m.space", "room_version": "12"}


async def test_who_is_invited_at_the_creation_hears_of_it(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(invite=[taro.user_id], is_direct=True, name="二人")
    events = (await taro.syncs()).room(room, "invite")["invite_state"]["events"]
    own = next(event for event in events if event["state_key"] == taro.user_id)
    assert own["content"] == {"membership": "invite", "displayname": "taro", "is_direct": True}
    assert {"m.room.create", "m.room.name", "m.room.join_rules"} <= {event["type"] for event in events}


@pytest.mark.parametrize(
    ("wishes", "status", "code"),
    [
        ({"room_version": 12}, 400, "M_BAD_JSON"),
        ({"room_version": "99"}, 400, "M_UNSUPPORTED_ROOM_VERSION"),
        ({"room_version": "9"}, 400, "M_UNSUPPORTED_ROOM_VERSION"),
        ({"preset": "party"}, 400, "M_INVALID_PARAM"),
        ({"preset": ["x"]}, 400, "M_BAD_JSON"),
        ({"visibility": "both"}, 400, "M_INVALID_PARAM"),
        ({"visibility": {}}, 400, "M_BAD_JSON"),
        ({"name": 5}, 400, "M_BAD_JSON"),
        ({"topic": ["x"]}, 400, "M_BAD_JSON"),
        ({"invite": "hanako"}, 400, "M_BAD_JSON"),
        ({"invite": ["hanako"]}, 400, "M_INVALID_PARAM"),
        ({"invite": [5]}, 400, "M_INVALID_PARAM"),
        ({"invite": ["@nobody:sakura.example"]}, 404, "M_NOT_FOUND"),
        ({"initial_state": [5]}, 400, "M_BAD_JSON"),
        ({"initial_state": [{"type": "x", "content": 5}]}, 400, "M_BAD_JSON"),
        ({"initial_state": [{"type": "x" * 300, "content": {}}]}, 400, "M_BAD_JSON"),
        ({"initial_state": [{"type": "x", "content": {"a": 1.5}}]}, 400, "M_BAD_JSON"),
        ({"creation_content": 5}, 400, "M_BAD_JSON"),
        ({"creation_content": {"additional_creators": "x"}}, 400, "M_INVALID_PARAM"),
        ({"creation_content": {"x": 2**60}}, 400, "M_BAD_JSON"),
        ({"creation_content": {"x": 0.5}}, 400, "M_BAD_JSON"),
        ({"power_level_content_override": {"users": {"@hanako:sakura.example": "100"}}, "room_version": "11"}, 400,
         "M_INVALID_ROOM_STATE"),
        ({"power_level_content_override": {"users": {"@hanako:sakura.example": 10}}, "room_version": "11", "name": "x"},
         400, "M_INVALID_ROOM_STATE"),
        ({"power_level_content_override": {"users": {"nobody": 10}}}, 400, "M_INVALID_ROOM_STATE"),
        ({"power_level_content_override": {"ban": "50"}, "room_version": "12"}, 400, "M_INVALID_ROOM_STATE"),
        ({"power_level_content_override": [5]}, 400, "M_BAD_JSON"),
        ({"invite_3pid": [{"medium": "email", "address": "a@b.example", "id_server": "c"}]}, 403,
         "M_THREEPID_DENIED"),
        ({"invite_3pid": {}}, 400, "M_BAD_JSON"),
        ({"initial_state": [{"type": "", "content": {}}]}, 400, "M_BAD_JSON"),
        ({"initial_state": [{"content": {}}]}, 400, "M_BAD_JSON"),
        ({"creation_content": {"additional_creators": ["nobody"]}}, 400, "M_INVALID_PARAM"),
        ({"is_direct": "yes"}, 400, "M_BAD_JSON"),
        ({"room_alias_name": "a:b"}, 400, "M_INVALID_PARAM"),
        ({"room_alias_name": "x" * 300}, 400, "M_INVALID_PARAM"),
        ({"name": "x" * 65_537}, 413, "M_TOO_LARGE"),
    ],
)
async def test_a_wrong_wish_is_refused_and_nothing_is_left(
    node: RunningNode, wishes: dict[str, Any], status: int, code: str
) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post("v3/createRoom", wishes)).refusal == (status, code)
    assert (await hanako.get("v3/joined_rooms"))["joined_rooms"] == []
    room = await hanako.creates_room()
    assert list((await hanako.syncs()).rooms()) == [room]


async def test_a_name_that_is_taken_is_refused_also_at_the_same_moment(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    answers = await asyncio.gather(*(hanako.post("v3/createRoom", {"room_alias_name": "hall"}) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]
    assert {answer.code for answer in answers} == {None, "M_ROOM_IN_USE"}
    assert len((await hanako.get("v3/joined_rooms"))["joined_rooms"]) == 1
    made = next(answer for answer in answers if answer.status == 200)
    assert made["room_alias"] == "#hall:sakura.example"
    assert (await hanako.says(made["room_id"], "x")).startswith("$")


async def test_rooms_made_alike_at_the_same_moment_are_different(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    rooms = await asyncio.gather(*(hanako.creates_room() for _ in range(20)))
    assert len(set(rooms)) == 20


async def test_in_version_12_the_room_is_named_by_its_first_event(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    create = (await hanako.syncs()).timeline(room)[0]
    assert room == "!" + create["event_id"][1:]
    assert ":" not in room
    whole = await hanako.get(f"v3/rooms/{room}/event/{create['event_id']}")
    assert whole["room_id"] == room


@pytest.mark.parametrize("version", ["10", "11"])
async def test_older_versions_have_a_name_with_the_server_in_it(node: RunningNode, version: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(room_version=version)
    assert room.endswith(":sakura.example")
    create = (await hanako.get(f"v3/rooms/{room}/state/m.room.create")).body
    assert create == {"room_version": version, **({"creator": hanako.user_id} if version == "10" else {})}
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert levels["users"] == {hanako.user_id: 100}
    assert levels["events"]["m.room.tombstone"] == 100


async def test_creators_of_version_12_stand_above_all_levels(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(
        preset="public_chat", creation_content={"additional_creators": [taro.user_id]},
        power_level_content_override={"users": {hanako.user_id: 100, jiro.user_id: 100}},
    )
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert levels["users"] == {jiro.user_id: 100}
    assert levels["events"]["m.room.tombstone"] == 150
    await taro.joins(room)
    await jiro.joins(room)
    for other in (hanako, taro):
        assert (await jiro.post(f"v3/rooms/{room}/kick", {"user_id": other.user_id})).refusal == (403, "M_FORBIDDEN")
    for above in ({hanako.user_id: 0}, {taro.user_id: 50}):
        changed = {**levels, "users": {**levels["users"], **above}}
        assert (await hanako.sets(room, "m.room.power_levels", changed)).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/rooms/{room}/kick", {"user_id": jiro.user_id})).status == 200


async def test_trusted_people_become_creators_in_version_12_and_equals_before_it(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    wishes: dict[str, Any] = {"preset": "trusted_private_chat", "invite": [taro.user_id]}
    newer = await hanako.creates_room(**wishes)
    create = await hanako.get(f"v3/rooms/{newer}/state/m.room.create")
    assert create["additional_creators"] == [taro.user_id]
    older = await hanako.creates_room(room_version="11", **wishes)
    levels = await hanako.get(f"v3/rooms/{older}/state/m.room.power_levels")
    assert levels["users"] == {hanako.user_id: 100, taro.user_id: 100}


async def test_name_and_topic_go_before_the_initial_state(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(name="広場", topic="掲示板", initial_state=[
        {"type": "m.room.name", "content": {"name": "x"}}, {"type": "m.room.topic", "content": {"topic": "y"}},
    ])
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.name"))["name"] == "広場"
    topic = (await hanako.get(f"v3/rooms/{room}/state/m.room.topic")).body
    assert topic == {"topic": "掲示板", "m.topic": {"m.text": [{"body": "掲示板"}]}}


@pytest.mark.parametrize(("visibility", "join_rule", "listed"), [
    ("public", "public", "public"), ("private", "invite", "private"), (None, "invite", "private"),
])
async def test_without_a_preset_the_visibility_decides(
    node: RunningNode, visibility: str | None, join_rule: str, listed: str
) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(**({"visibility": visibility} if visibility else {}))
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.join_rules"))["join_rule"] == join_rule
    assert (await hanako.get(f"v3/directory/list/room/{room}"))["visibility"] == listed


@pytest.mark.parametrize(("override", "tombstone"), [
    ({"events": {"m.room.name": 0}}, 150), ({"events": {"m.room.tombstone": 60}}, 60), ({"state_default": 200}, 201),
])
async def test_in_version_12_the_end_of_a_room_has_a_level_of_its_own(
    node: RunningNode, override: dict[str, Any], tombstone: int
) -> None:
    hanako = await node.user("hanako")
    given = dict(override)
    if "state_default" in given:
        given["events"] = {}
    room = await hanako.creates_room(power_level_content_override=given)
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert levels["events"]["m.room.tombstone"] == tombstone


async def test_a_name_of_a_room_becomes_its_main_alias(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(room_alias_name="回覧板")
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.canonical_alias"))["alias"] == "#回覧板:sakura.example"
    assert (await hanako.get("v3/directory/room/%23回覧板:sakura.example"))["room_id"] == room
    taken = await hanako.post("v3/createRoom", {"room_alias_name": "回覧板"})
    assert taken.refusal == (400, "M_ROOM_IN_USE")


async def test_without_a_token_nobody_creates_anything(node: RunningNode) -> None:
    assert (await node.ask("POST", "v3/createRoom", {})).refusal == (401, "M_MISSING_TOKEN")
    assert (await node.ask("POST", "v3/createRoom", {}, token="foreign")).refusal == (401, "M_UNKNOWN_TOKEN")
