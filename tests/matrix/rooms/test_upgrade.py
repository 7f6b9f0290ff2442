"""Going on in a new room of another version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import Person, RunningNode

VERSIONS = ["10", "11", "12"]


async def upgrade(person: Person, room: str, version: str, **more: Any) -> str:
    return str((await person.post(f"v3/rooms/{room}/upgrade", {"new_version": version, **more}))["replacement_room"])


async def state(person: Person, room: str) -> dict[tuple[str, str], dict[str, Any]]:
    answer = await person.get(f"v3/rooms/{room}/state")
    assert answer.status == 200, answer
    return {(event["type"], event["state_key"]): event["content"] for event in answer.body}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("before", ["10", "12"])
async def test_the_rooms_point_at_each_other(node: RunningNode, before: str, version: str) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat", room_version=before, creation_content={"type": "m.space"})
    await taro.joins(old)
    last = await hanako.says(old, "最後")
    new = await upgrade(hanako, old, version)
    content = (await state(hanako, new))[("m.room.create", "")]
    assert (content["room_version"], content["type"]) == (version, "m.space")
    tombstone = await hanako.get(f"v3/rooms/{old}/state/m.room.tombstone", format="event")
    assert tombstone["content"]["replacement_room"] == new
    assert content["predecessor"]["room_id"] == old
    assert content["predecessor"]["event_id"] == (last if version == "12" else tombstone["event_id"])
    await taro.joins(new)
    assert (await taro.sends(old, "m.room.message", {"body": "noch da?"})).refusal == (403, "M_FORBIDDEN")
    await taro.says(new, "hier")
    await node.restart()
    await hanako.says(new, "auch nach dem Neustart")
    assert (await hanako.sets(new, "m.room.topic", {"topic": "weiter"})).status == 200


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_matters_goes_along(node: RunningNode, version: str) -> None:
    hanako = await node.user("hanako")
    await node.users("taro", "jiro")
    copied = {
        "m.room.name": {"name": "広場"}, "m.room.topic": {"topic": "なんでも"}, "m.room.avatar": {"url": "mxc://a/b"},
        "m.room.join_rules": {"join_rule": "public"}, "m.room.history_visibility": {"history_visibility": "invited"},
        "m.room.guest_access": {"guest_access": "can_join"}, "m.room.server_acl": {"allow": ["*"], "deny": ["x"]},
        "m.room.encryption": {"algorithm": "m.megolm.v1.aes-sha2"},
    }
    old = await hanako.creates_room(room_version="11", initial_state=[
        {"type": kind, "content": content} for kind, content in copied.items()
    ], power_level_content_override={"users": {hanako.user_id: 200}})
    await hanako.post(f"v3/rooms/{old}/ban", {"user_id": "@jiro:sakura.example", "reason": "laut"})
    levels = (await state(hanako, old))[("m.room.power_levels", "")]
    levels["users"]["@taro:sakura.example"] = 60
    levels["events"]["m.room.server_acl"] = 150
    assert (await hanako.sets(old, "m.room.power_levels", levels)).status == 200
    found = await state(hanako, await upgrade(hanako, old, version))
    assert {kind: found[(kind, "")] for kind in copied} == copied
    assert found[("m.room.member", "@jiro:sakura.example")] == {"membership": "ban", "reason": "laut"}
    if version == "12":
        del levels["users"][hanako.user_id]
    assert found[("m.room.power_levels", "")] == levels


@pytest.mark.parametrize(("default", "wanted"), [(0, 50), (70, 71)])
async def test_ordinary_members_cannot_go_on_in_the_old_room(node: RunningNode, default: int, wanted: int) -> None:
    hanako = await node.user("hanako")
    levels = {"users_default": default, "events_default": 10}
    old = await hanako.creates_room(room_version="11", power_level_content_override=levels)
    await upgrade(hanako, old, "11")
    found = (await state(hanako, old))[("m.room.power_levels", "")]
    assert (found["events_default"], found["invite"], found["users_default"]) == (wanted, wanted, default)


async def test_names_and_listing_go_along(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    old = await hanako.creates_room(visibility="public", room_alias_name="hall")
    assert (await hanako.put("v3/directory/room/%23other:sakura.example", {"room_id": old})).status == 200
    new = await upgrade(hanako, old, "12")
    for alias in ("hall", "other"):
        assert (await hanako.get(f"v3/directory/room/%23{alias}:sakura.example"))["room_id"] == new
    assert (await state(hanako, new))[("m.room.canonical_alias", "")] == {"alias": "#hall:sakura.example"}
    assert (await state(hanako, old))[("m.room.canonical_alias", "")] == {}
    assert [room["room_id"] for room in (await hanako.get("v3/publicRooms"))["chunk"]] == [new]
    await node.restart()
    assert [room["room_id"] for room in (await hanako.get("v3/publicRooms"))["chunk"]] == [new]


async def test_a_private_room_stays_private(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    new = await upgrade(hanako, await hanako.creates_room(), "11")
    assert (await hanako.get(f"v3/directory/list/room/{new}"))["visibility"] == "private"
    assert (await state(hanako, new))[("m.room.join_rules", "")] == {"join_rule": "invite"}


async def test_tags_direct_chats_and_push_rules_go_along_for_all_members_here(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat", is_direct=True)
    await taro.joins(old)
    for person, other in ((hanako, taro), (taro, hanako)):
        own = f"v3/user/{person.user_id}"
        await person.put(f"{own}/rooms/{old}/tags/m.favourite", {"order": 0.5})
        await person.put(f"{own}/account_data/m.direct", {other.user_id: [old]})
        await person.put(f"v3/pushrules/global/room/{old}", {"actions": ["notify"]})
        about = [{"kind": "event_match", "key": "room_id", "pattern": old}]
        await person.put("v3/pushrules/global/override/mine", {"actions": [], "conditions": about})
    new = await upgrade(hanako, old, "12")
    for person, other in ((hanako, taro), (taro, hanako)):
        own = f"v3/user/{person.user_id}"
        assert (await person.get(f"{own}/rooms/{new}/tags"))["tags"] == {"m.favourite": {"order": 0.5}}
        assert (await person.get(f"{own}/account_data/m.direct"))[other.user_id] == [old, new]
        assert (await person.get(f"v3/pushrules/global/room/{new}"))["actions"] == ["notify"]
        rules = (await person.get("v3/pushrules/"))["global"]["override"]
        patterns = [rule["conditions"][0].get("pattern") for rule in rules if "mine" in rule["rule_id"]]
        assert sorted(patterns) == sorted([old, new])


async def test_more_creators_can_be_named_where_the_version_knows_them(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(room_version="11", power_level_content_override={"users": {
        hanako.user_id: 100, taro.user_id: 50,
    }})
    new = await upgrade(hanako, old, "12", additional_creators=[taro.user_id])
    found = await state(hanako, new)
    assert found[("m.room.create", "")]["additional_creators"] == [taro.user_id]
    assert found[("m.room.power_levels", "")]["users"] == {}
    again = await upgrade(hanako, new, "11", additional_creators=["nonsense"])
    found = await state(hanako, again)
    assert "additional_creators" not in found[("m.room.create", "")]
    assert found[("m.room.power_levels", "")]["users"] == {hanako.user_id: 100, taro.user_id: 100}


async def test_a_moderator_whom_the_levels_bind_can_upgrade_all_the_same(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat", room_version="11", room_alias_name="hall",
        power_level_content_override={
            "users": {hanako.user_id: 100, taro.user_id: 50}, "events": {"m.room.tombstone": 50, "m.room.name": 100},
        }, name="広場")
    await taro.joins(old)
    new = await upgrade(taro, old, "11")
    found = await state(taro, new)
    assert found[("m.room.power_levels", "")]["users"] == {hanako.user_id: 100, taro.user_id: 50}
    assert found[("m.room.name", "")] == {"name": "広場"}
    assert (await taro.sets(new, "m.room.name", {"name": "x"})).refusal == (403, "M_FORBIDDEN")


@pytest.mark.parametrize(("body", "refusal"), [
    ({"new_version": "nonsense"}, (400, "M_UNSUPPORTED_ROOM_VERSION")),
    ({"new_version": "5"}, (400, "M_UNSUPPORTED_ROOM_VERSION")),
    ({"new_version": 12}, (400, "M_BAD_JSON")),
    ({}, (400, "M_MISSING_PARAM")),
    ({"new_version": "12", "additional_creators": ["nonsense"]}, (400, "M_INVALID_PARAM")),
    ({"new_version": "12", "additional_creators": [1]}, (400, "M_INVALID_PARAM")),
    ({"new_version": "12", "additional_creators": "@taro:sakura.example"}, (400, "M_BAD_JSON")),
    ({"new_version": "12", "additional_creators": [f"@a{n}:b.example" for n in range(101)]}, (400, "M_INVALID_PARAM")),
])
async def test_an_upgrade_that_cannot_be_changes_nothing(
    node: RunningNode, body: Any, refusal: tuple[int, str]
) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    before = await state(hanako, room)
    assert (await hanako.post(f"v3/rooms/{room}/upgrade", body)).refusal == refusal
    assert await state(hanako, room) == before
    assert (await hanako.get("v3/joined_rooms"))["joined_rooms"] == [room]


async def test_only_who_may_upgrade_a_room_can(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    before = await state(hanako, room)
    for person in (taro, jiro):
        answer = await person.post(f"v3/rooms/{room}/upgrade", {"new_version": "12"})
        assert answer.refusal == (403, "M_FORBIDDEN")
    nowhere = await hanako.post("v3/rooms/!none:sakura.example/upgrade", {"new_version": "12"})
    assert nowhere.refusal == (404, "M_NOT_FOUND")
    assert await state(hanako, room) == before
    await taro.says(room, "weiter")


async def test_of_two_who_upgrade_at_once_one_does(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    asked = [hanako.post(f"v3/rooms/{room}/upgrade", {"new_version": "12"}) for _ in range(3)]
    assert sorted(answer.status for answer in await asyncio.gather(*asked)) == [200, 409, 409]
    assert len((await hanako.get("v3/joined_rooms"))["joined_rooms"]) == 2


async def test_no_tombstone_points_at_its_own_room(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    answer = await hanako.sets(room, "m.room.tombstone", {"body": "", "replacement_room": room})
    assert answer.refusal == (400, "M_INVALID_PARAM")
    assert ("m.room.tombstone", "") not in await state(hanako, room)
