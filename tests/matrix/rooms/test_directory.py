"""Aliases, the public list, spaces."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

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
        "guest_can_join": False, "join_rule": "public", "room_version": "12",
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
