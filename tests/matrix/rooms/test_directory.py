"""Aliases, the public list, spaces."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import RunningNode, settings_for

HALL = "v3/directory/room/%23hall:sakura.example"


async def test_a_room_is_found_by_its_name(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    assert (await hanako.put(HALL, {"room_id": room})).status == 200
    assert (await node.ask("GET", HALL)).body == {"room_id": room, "servers": ["sakura.example"]}
    assert (await hanako.get(f"v3/rooms/{room}/aliases"))["aliases"] == ["#hall:sakura.example"]
    await taro.joins("#hall:sakura.example")
    japanese = "v3/directory/room/%23%E5%85%AC%E6%B0%91%E9%A4%A8:sakura.example"
    assert (await hanako.put(japanese, {"room_id": room})).status == 200
    assert (await taro.get(japanese))["room_id"] == room


async def test_wrong_names_are_refused(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    assert (await hanako.put(HALL, {})).refusal == (400, "M_MISSING_PARAM")
    assert (await hanako.put(HALL, {"room_id": 5})).refusal == (400, "M_BAD_JSON")
    assert (await hanako.put(HALL, {"room_id": "!nowhere"})).refusal == (404, "M_NOT_FOUND")
    assert (await taro.put(HALL, {"room_id": room})).refusal == (403, "M_FORBIDDEN")
    for wrong in ("%23hall:elsewhere.example", "hall", "%23", "%23:sakura.example", "%23" + "x" * 300):
        assert (await hanako.put(f"v3/directory/room/{wrong}", {"room_id": room})).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.get(HALL)).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get("v3/directory/room/hall")).refusal == (400, "M_INVALID_PARAM")
    answers = await asyncio.gather(*(hanako.put(HALL, {"room_id": room}) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


async def test_a_name_is_taken_away_by_its_giver_or_by_a_manager(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await jiro.joins(room)
    assert (await taro.put(HALL, {"room_id": room})).status == 200
    assert (await jiro.delete(HALL)).refusal == (403, "M_FORBIDDEN")
    assert (await taro.delete(HALL)).status == 200
    assert (await taro.delete(HALL)).refusal == (404, "M_NOT_FOUND")
    assert (await taro.put(HALL, {"room_id": room})).status == 200
    assert (await hanako.sets(room, "m.room.canonical_alias", {"alias": "#hall:sakura.example"})).status == 200
    assert (await hanako.delete(HALL)).status == 200
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.canonical_alias")).body == {}


async def test_who_has_left_does_not_manage_names(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.put(HALL, {"room_id": room})
    await hanako.leaves(room)
    assert (await hanako.delete(HALL)).refusal == (403, "M_FORBIDDEN")


async def test_the_list_is_sorted_searched_and_paged(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    rooms = [
        await hanako.creates_room(visibility="public", name=f"広場 {number}", topic="Summer" if number == 3 else "x")
        for number in range(5)
    ]
    await hanako.creates_room(name="private")
    space = await hanako.creates_room(visibility="public", name="町内会", creation_content={"type": "m.space"})
    await taro.joins(rooms[2])
    whole = (await hanako.get("v3/publicRooms")).body
    assert whole["total_room_count_estimate"] == 6
    assert {room["room_id"] for room in whole["chunk"]} == {*rooms, space}
    assert whole["chunk"][0] == {
        "room_id": rooms[2], "name": "広場 2", "topic": "x", "num_joined_members": 2, "world_readable": False,
        "guest_can_join": False, "join_rule": "public",
    }

    async def search(**wanted: Any) -> list[str]:
        found = await taro.post("v3/publicRooms", {"filter": wanted})
        return [room["room_id"] for room in found["chunk"]]

    assert await search(generic_search_term="summer") == [rooms[3]]
    assert set(await search(generic_search_term="広場")) == set(rooms)
    assert await search(generic_search_term="広場", room_types=["m.space"]) == []
    assert await search(room_types=["m.space"]) == [space]
    assert set(await search(room_types=[None])) == set(rooms)
    assert set(await search(room_types=[None, "m.space"])) == {*rooms, space}
    seen: list[str] = []
    page = (await hanako.get("v3/publicRooms", limit="4")).body
    seen += [room["room_id"] for room in page["chunk"]]
    following = (await hanako.get("v3/publicRooms", limit="4", since=page["next_batch"])).body
    seen += [room["room_id"] for room in following["chunk"]]
    assert seen == [room["room_id"] for room in whole["chunk"]]
    assert "next_batch" not in following
    back = (await hanako.get("v3/publicRooms", limit="4", since=following["prev_batch"])).body
    assert back["chunk"] == page["chunk"]
    for wrong in ({"limit": "x"}, {"since": "x"}, {"since": "n" + "9" * 30}):
        assert (await node.ask("GET", "v3/publicRooms", token=taro.token, **wrong)).refusal == (400, "M_INVALID_PARAM")
    bodies = ({"filter": 5}, {"filter": {"generic_search_term": 5}}, {"filter": {"room_types": [5]}}, {"limit": "x"})
    for body in bodies:
        assert (await taro.post("v3/publicRooms", body)).refusal == (400, "M_BAD_JSON")


async def test_a_room_is_put_into_the_list_by_who_may(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    path = f"v3/directory/list/room/{room}"
    assert (await node.ask("GET", path)).body == {"visibility": "private"}
    assert (await taro.put(path, {"visibility": "public"})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.put(path, {"visibility": 5})).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.put(path, {"visibility": "public"})).status == 200
    assert (await node.ask("GET", path)).body == {"visibility": "public"}
    await node.restart()
    assert [found["room_id"] for found in (await taro.get("v3/publicRooms"))["chunk"]] == [room]
    assert (await hanako.put(path, {"visibility": "private"})).status == 200
    assert (await taro.get("v3/publicRooms"))["chunk"] == []
    assert (await hanako.get("v3/directory/list/room/!nowhere")).refusal == (404, "M_NOT_FOUND")


@pytest.mark.parametrize(("public", "status"), [("true", 200), ("false", 401)])
async def test_without_an_account_the_list_is_seen_if_the_settings_say_so(
    tmp_path: Path, public: str, status: int
) -> None:
    async with RunningNode(settings_for(tmp_path, more=f"[directory]\npublic = {public}")) as node:
        assert (await node.ask("GET", "v3/publicRooms")).status == status
        assert (await node.ask("POST", "v3/publicRooms", {})).status == 401
        assert (await node.ask("GET", "v3/publicRooms", token="wrong")).status == 401


async def test_a_space_shows_the_rooms_that_one_may_know_of(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    space = await hanako.creates_room(name="町内会", preset="public_chat", creation_content={"type": "m.space"})
    inner = await hanako.creates_room(name="班", preset="public_chat", creation_content={"type": "m.space"})
    board = await hanako.creates_room(name="掲示板", preset="public_chat")
    secret = await hanako.creates_room(name="役員会")
    deep = await hanako.creates_room(name="一班", preset="public_chat")
    link: dict[str, Any] = {"via": ["sakura.example"]}
    await hanako.sets(space, "m.space.child", {**link, "order": "b"}, inner)
    await hanako.sets(space, "m.space.child", {**link, "order": "a", "suggested": True}, board)
    await hanako.sets(space, "m.space.child", link, secret)
    await hanako.sets(space, "m.space.child", {}, "!broken")
    await hanako.sets(space, "m.space.child", link, "!unknown")
    await hanako.sets(inner, "m.space.child", link, deep)
    await hanako.sets(inner, "m.space.child", link, space)
    path = f"v1/rooms/{space}/hierarchy"

    async def walk(person: Any, **query: str) -> list[str]:
        return [room["room_id"] for room in (await person.get(path, **query))["rooms"]]

    assert await walk(hanako) == [space, board, inner, deep, secret]
    assert await walk(taro) == [space, board, inner, deep]
    assert await walk(taro, max_depth="1") == [space, board, inner]
    assert await walk(taro, suggested_only="true") == [space, board]
    first = await taro.get(path, limit="3")
    assert [child["state_key"] for child in first["rooms"][0]["children_state"]] == [board, inner, secret, "!unknown"]
    following = await taro.get(path, limit="3", **{"from": first["next_batch"]})
    assert [room["room_id"] for room in following["rooms"]] == [deep]
    wrong = await taro.get(path, max_depth="1", **{"from": first["next_batch"]})
    assert wrong.refusal == (400, "M_INVALID_PARAM")
    assert (await jiro.get(f"v1/rooms/{secret}/hierarchy")).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get("v1/rooms/!nowhere/hierarchy")).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get(path, limit="0")).refusal == (400, "M_INVALID_PARAM")


async def test_a_room_in_short(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(name="広場", preset="public_chat", room_alias_name="hall")
    secret = await hanako.creates_room()
    told = await taro.get("v1/room_summary/%23hall:sakura.example")
    assert (told["room_id"], told["name"], told["membership"]) == (room, "広場", "leave")
    assert (await node.ask("GET", f"v1/room_summary/{room}"))["num_joined_members"] == 1
    assert (await taro.get(f"unstable/im.nheko.summary/summary/{room}")).status == 200
    assert (await taro.get(f"v1/room_summary/{secret}")).refusal == (404, "M_NOT_FOUND")
    assert (await node.ask("GET", f"v1/room_summary/{secret}")).refusal == (404, "M_NOT_FOUND")
    await hanako.invites(taro, secret)
    assert (await taro.get(f"v1/room_summary/{secret}"))["membership"] == "invite"


async def test_the_drafts_of_a_summary_carry_their_own_names_too(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    algorithm = {"algorithm": "m.megolm.v1.aes-sha2"}
    room = await hanako.creates_room(
        preset="public_chat", room_version="11", initial_state=[{"type": "m.room.encryption", "content": algorithm}]
    )
    stable = (await hanako.get(f"v1/room_summary/{room}")).body
    assert (stable["room_version"], stable["encryption"]) == ("11", "m.megolm.v1.aes-sha2")
    for path in (f"summary/{room}", f"rooms/{room}/summary"):
        draft = (await hanako.get(f"unstable/im.nheko.summary/{path}")).body
        assert {name: draft[name] for name in stable} == stable
        assert draft["im.nheko.summary.room_version"] == "11"
        assert draft["im.nheko.summary.encryption"] == "m.megolm.v1.aes-sha2"


async def test_the_list_is_searched_whatever_letters_are_used(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(visibility="public", name="カメラ部 ＡＢＣ", topic="写真")
    for term in ("ｶﾒﾗ", "abc", "写真", "  カメラ部  "):
        answer = await hanako.post("v3/publicRooms", {"filter": {"generic_search_term": term}})
        assert [found["room_id"] for found in answer["chunk"]] == [room], term
    answer = await hanako.post("v3/publicRooms", {"filter": {"generic_search_term": "テレビ"}})
    assert answer.body == {"chunk": [], "total_room_count_estimate": 0}


async def test_lists_of_networks_and_of_other_servers_are_not_kept(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    both = {"include_all_networks": True, "third_party_instance_id": "irc"}
    assert (await hanako.post("v3/publicRooms", both)).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.post("v3/publicRooms", {"include_all_networks": True})).status == 200
    assert (await hanako.get("v3/publicRooms", server="sakura.example")).status == 200


async def test_a_room_that_is_upgraded_or_empty_leaves_the_list(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    old = await hanako.creates_room(visibility="public")
    new = str((await hanako.post(f"v3/rooms/{old}/upgrade", {"new_version": "11"}))["replacement_room"])
    assert [room["room_id"] for room in (await hanako.get("v3/publicRooms"))["chunk"]] == [new]
    await hanako.leaves(new)
    assert (await hanako.get("v3/publicRooms"))["chunk"] == []


async def test_pictures_and_traits_of_a_room_stand_in_the_list(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    await hanako.creates_room(visibility="public", room_alias_name="hall", initial_state=[
        {"type": "m.room.avatar", "content": {"url": "mxc://a/b"}},
        {"type": "m.room.history_visibility", "content": {"history_visibility": "world_readable"}},
        {"type": "m.room.guest_access", "content": {"guest_access": "can_join"}},
        {"type": "m.room.join_rules", "content": {"join_rule": "knock"}},
    ])
    (room,) = (await hanako.get("v3/publicRooms"))["chunk"]
    assert (room["avatar_url"], room["canonical_alias"]) == ("mxc://a/b", "#hall:sakura.example")
    assert (room["world_readable"], room["guest_can_join"], room["join_rule"]) == (True, True, "knock")


@pytest.mark.parametrize("content", [
    {"alias": 5}, {"alt_aliases": "x"}, {"alt_aliases": [5]}, {"alias": "hall"}, {"alt_aliases": ["#no colon"]},
])
async def test_a_main_name_that_is_none_is_refused(node: RunningNode, content: dict[str, Any]) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    assert (await hanako.sets(room, "m.room.canonical_alias", content)).refusal == (400, "M_INVALID_PARAM")


async def test_other_names_of_a_room_are_its_own_and_go_with_the_name(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    names = ["#hall:sakura.example", "#公民館:sakura.example"]
    content = {"alias": names[0], "alt_aliases": [names[1]]}
    assert (await hanako.sets(room, "m.room.canonical_alias", content)).refusal == (400, "M_BAD_ALIAS")
    for name in names:
        assert (await hanako.put(f"v3/directory/room/{quote(name)}", {"room_id": room})).status == 200
    assert (await hanako.sets(room, "m.room.canonical_alias", content)).status == 200
    assert (await hanako.delete(f"v3/directory/room/{quote(names[1])}")).status == 200
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.canonical_alias")).body == {
        "alias": names[0], "alt_aliases": [],
    }


async def test_strangers_are_not_told_the_names_of_a_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(room_alias_name="hall")
    assert (await taro.get(f"v3/rooms/{room}/aliases")).refusal == (403, "M_FORBIDDEN")
    await hanako.sets(room, "m.room.history_visibility", {"history_visibility": "world_readable"})
    assert (await taro.get(f"v3/rooms/{room}/aliases"))["aliases"] == ["#hall:sakura.example"]


async def test_rooms_of_members_and_rooms_to_knock_at_stand_in_a_space(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    space = await hanako.creates_room(preset="public_chat", creation_content={"type": "m.space"})
    allow = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
    rules = (allow, {"join_rule": "knock"}, {**allow, "join_rule": "knock_restricted"}, {"join_rule": "invite"})
    rooms = [
        await hanako.creates_room(initial_state=[{"type": "m.room.join_rules", "content": content}])
        for content in rules
    ]
    for place, room in enumerate(rooms):
        await hanako.sets(space, "m.space.child", {"via": ["sakura.example"], "order": str(place)}, room)
    await taro.joins(space)

    async def seen_by(person: Any) -> list[dict[str, Any]]:
        return list((await person.get(f"v1/rooms/{space}/hierarchy"))["rooms"])

    assert [room["room_id"] for room in await seen_by(jiro)] == [space, rooms[1], rooms[2]]
    seen = await seen_by(taro)
    assert [room["room_id"] for room in seen] == [space, *rooms[:3]]
    assert (seen[1]["join_rule"], seen[1]["allowed_room_ids"]) == ("restricted", [space])
    for room in (rooms[0], rooms[2]):
        await taro.joins(room)
        assert (await jiro.post(f"v3/join/{room}")).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/join/{rooms[1]}")).refusal == (403, "M_FORBIDDEN")
    for room in (rooms[1], rooms[2]):
        assert (await jiro.post(f"v3/knock/{room}", {"reason": "bitte"})).status == 200
    assert (await jiro.post(f"v3/knock/{rooms[0]}")).refusal == (403, "M_FORBIDDEN")
