"""Questions of one server to the other: lists, names, Spaces; ACLs; rooms that move on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.builders import Person
from tests.interop.sides import Ours, Side, has_heard, joins, sees_member, sees_state, until


async def test_the_list_of_public_rooms(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    name = f"公開の部屋 {hanako.user_id}"
    room = await hanako.creates_room(preset="public_chat", visibility="public", name=name)
    listed = await taro.post(f"v3/publicRooms?server={here.name}", {"filter": {"generic_search_term": hanako.user_id}})
    assert [(item["room_id"], item["name"]) for item in listed["chunk"]] == [(room, name)]


async def test_profiles(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    url = f"v3/profile/{hanako.user_id}"
    assert (await hanako.put(f"{url}/displayname", {"displayname": "花子"})).status == 200
    assert (await taro.get(url)).body["displayname"] == "花子"
    assert (await taro.get(f"{url}/displayname")).body == {"displayname": "花子"}
    missing = await taro.get(f"v3/profile/@nobody:{here.name}")
    assert missing.refusal == (404, "M_NOT_FOUND")


async def test_a_name_that_nobody_has_given(here: Side, there: Side) -> None:
    taro = await there.user("taro")
    alias = quote(f"#nothing-of-the-kind:{here.name}")
    assert (await taro.get(f"v3/directory/room/{alias}")).refusal == (404, "M_NOT_FOUND")


async def test_the_rooms_of_a_space(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    space = await hanako.creates_room(preset="public_chat", name="町内会", creation_content={"type": "m.space"})
    rooms = [await hanako.creates_room(preset="public_chat", name=name) for name in ("回覧板", "掲示板")]
    for room in rooms:
        assert (await hanako.sets(space, "m.space.child", {"via": [here.name]}, room)).status == 200
    await joins(taro, space, here)
    shown = await taro.get(f"v1/rooms/{space}/hierarchy")
    assert {room["room_id"]: room.get("name") for room in shown["rooms"]} == {
        space: "町内会", rooms[0]: "回覧板", rooms[1]: "掲示板"
    }


async def test_a_server_that_is_shut_out_hears_no_more_and_is_not_heard(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    acl = {"allow": ["*"], "deny": [there.name.partition(":")[0]], "allow_ip_literals": True}
    assert (await hanako.sets(room, "m.room.server_acl", acl)).status == 200
    unheard = await hanako.says(room, "ここだけの話")
    await taro.says(room, "届かない")
    other = await hanako.creates_room(preset="public_chat")
    await joins(taro, other, here)
    # What is said in another room passes, and is behind the rest of the queue.
    await has_heard(taro, other, await hanako.says(other, "こちらは届く"))
    await has_heard(hanako, other, await taro.says(other, "こちらも届く"))
    if isinstance(here, Ours):  # Synapse tells it to whoever is in the room, and leaves it to them
        assert (await taro.get(f"v3/rooms/{room}/event/{quote(unheard)}")).status in (403, 404)
    assert "届かない" not in (await hanako.syncs()).texts(room)


async def test_a_room_moves_to_a_newer_version(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場", room_version="10")
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    newer = (await hanako.post(f"v3/rooms/{room}/upgrade", {"new_version": "12"}))["replacement_room"]
    stone = await sees_state(taro, room, "m.room.tombstone", replacement_room=newer)
    assert stone["replacement_room"] == newer
    await joins(taro, newer, here)
    create = await sees_state(taro, newer, "m.room.create", room_version="12")
    assert create["predecessor"]["room_id"] == room
    await has_heard(hanako, newer, await taro.says(newer, "引っ越しました"))


async def test_presence_passes(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    said = {"presence": "unavailable", "status_msg": "畑にいます"}
    assert (await taro.put(f"v3/presence/{taro.user_id}/status", said)).status == 200
    await until(hanako, lambda: _shows(hanako, taro))


async def _shows(person: Person, other: Person) -> Any:
    answer = await person.get(f"v3/presence/{other.user_id}/status")
    return True if answer.status == 200 and answer.body.get("status_msg") == "畑にいます" else None
