"""What two nodes ask each other: names, people, lists, Spaces, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from server.foundation.signatures import from_unpadded_base64, signature_is_valid
from tests.federation.stranger import Said, meeting
from tests.federation.town import town

SHOWN = "[directory]\npublic = true\n"


async def test_a_room_is_joined_by_its_name_on_another_node(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(preset="public_chat", room_alias_name="広場")
        alias = f"#広場:{sakura.settings.server_name}"

        found = await taro.get(f"v3/directory/room/{quote(alias, safe='')}")
        assert (found["room_id"], found["servers"]) == (room, [sakura.settings.server_name])
        assert (await taro.post(f"v3/join/{quote(alias, safe='')}"))["room_id"] == room
        nobody = quote(f"#nobody:{sakura.settings.server_name}", safe="")
        assert (await taro.get(f"v3/directory/room/{nobody}")).refusal == (404, "M_NOT_FOUND")


async def test_the_profile_of_somebody_of_another_node_is_shown(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        await hanako.put(f"v3/profile/{hanako.user_id}/displayname", {"displayname": "山田花子"})

        assert (await taro.get(f"v3/profile/{hanako.user_id}"))["displayname"] == "山田花子"
        assert (await taro.get(f"v3/profile/{hanako.user_id}/displayname")).body == {"displayname": "山田花子"}
        unknown = await taro.get(f"v3/profile/@nobody:{sakura.settings.server_name}")
        assert unknown.refusal == (404, "M_NOT_FOUND")


async def test_the_list_of_another_node_is_shown_where_it_is_public(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume", more=SHOWN) as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(preset="public_chat", name="広場", visibility="public")

        page = await taro.post("v3/publicRooms", {"filter": {"generic_search_term": "広場"}},
                               server=sakura.settings.server_name)
        assert [item["room_id"] for item in page["chunk"]] == [room]


async def test_a_list_that_is_not_public_is_not_shown_to_other_nodes(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        taro = await ume.user("taro")
        refused = await taro.get("v3/publicRooms", server=sakura.settings.server_name)
        assert refused.refusal == (403, "M_FORBIDDEN")


async def test_a_space_leads_to_rooms_of_another_node(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        far = await hanako.creates_room(preset="public_chat", name="桜町の広場")
        closed = await hanako.creates_room(name="役員会")
        space = await taro.creates_room(creation_content={"type": "m.space"}, name="町会の集まり")
        via = {"via": [sakura.settings.server_name]}
        for room in (far, closed):
            assert (await taro.sets(space, "m.space.child", via, room)).status == 200

        found = await taro.get(f"v1/rooms/{space}/hierarchy")
        assert [item.get("name") for item in found["rooms"]] == ["町会の集まり", "桜町の広場"]


async def test_a_node_vouches_for_the_keys_of_another(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        name = ume.settings.server_name
        told = await sakura.ask("GET", f"/_matrix/key/v2/query/{name}")
        (keys,) = told["server_keys"]
        assert keys["server_name"] == name
        signer = sakura.inside.services.sender.identity
        assert signature_is_valid(keys, signer.server_name, signer.key.key_id, signer.key.public)
        key_id, own = next(iter(keys["verify_keys"].items()))
        assert signature_is_valid(keys, name, key_id, from_unpadded_base64(own["key"]))
        many = await sakura.ask("POST", "/_matrix/key/v2/query", {"server_keys": {name: {}}})
        assert [item["server_name"] for item in many["server_keys"]] == [name]


async def test_who_does_not_sign_is_not_answered(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura") as (sakura,):
        for path in ("query/directory", "publicRooms", "state/!room", "event/$event"):
            assert (await sakura.ask("GET", f"/_matrix/federation/v1/{path}")).refusal == (401, "M_UNAUTHORIZED")


async def test_a_token_tells_another_server_who_somebody_is(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura") as (sakura,):
        hanako = await sakura.user("hanako")
        token = (await hanako.post(f"v3/user/{hanako.user_id}/openid/request_token"))["access_token"]
        told = await sakura.ask("GET", "/_matrix/federation/v1/openid/userinfo", access_token=token)
        assert told.body == {"sub": hanako.user_id}
        wrong = await sakura.ask("GET", "/_matrix/federation/v1/openid/userinfo", access_token="wrong")
        assert wrong.refusal == (401, "M_UNKNOWN_TOKEN")


async def test_a_room_of_another_node_in_short(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        name = sakura.settings.server_name
        room = await hanako.creates_room(preset="public_chat", name="広場", room_alias_name="hall")
        closed = await hanako.creates_room(name="役員会")
        alias = quote(f"#hall:{name}", safe="")

        told = await taro.get(f"v1/room_summary/{room}", via=name)
        assert (told["name"], told["num_joined_members"], told["membership"]) == ("広場", 1, "leave")
        assert "children_state" not in told.body
        assert (await taro.get(f"v1/room_summary/{alias}"))["room_id"] == room
        assert (await taro.get(f"v1/room_summary/{closed}", via=name)).refusal == (404, "M_NOT_FOUND")
        assert (await ume.ask("GET", f"v1/room_summary/{room}", via=name)).refusal == (404, "M_NOT_FOUND")

        await hanako.invites(taro, closed)
        assert (await taro.get(f"v1/room_summary/{closed}", via=name))["membership"] == "invite"


@pytest.mark.parametrize("told", [
    Said(500), [], {"room": []}, {"room": {}}, {"room": {"room_id": "!another:example.jp"}},
    {"room": {"room_id": "!r:ROOM", "join_rule": 5}}, {"room": {"room_id": "!r:ROOM", "join_rule": "invite"}},
])  # fmt: skip
async def test_a_summary_that_is_none_is_not_shown(tmp_path: Path, told: Any) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro, room = await node.user("taro"), f"!r:{oni.name}"
        if isinstance(told, dict) and "room_id" in told["room"]:
            told["room"]["room_id"] = told["room"]["room_id"].replace("ROOM", oni.name)
        oni.tells["hierarchy"] = told
        assert (await taro.get(f"v1/room_summary/{room}", via=oni.name)).refusal == (404, "M_NOT_FOUND")
        assert (await taro.get(f"v1/rooms/{room}/hierarchy")).refusal == (403, "M_FORBIDDEN")


async def test_of_a_strange_space_only_what_makes_sense_is_shown(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro, room = await node.user("taro"), f"!space:{oni.name}"
        child = {"type": "m.space.child", "state_key": "!b:x", "content": {"via": [oni.name]},
                 "sender": oni.user("oni"), "origin_server_ts": 5}
        oni.tells["hierarchy"] = {"children": 5, "room": {
            "room_id": room, "name": 5, "topic": "鬼", "num_joined_members": -1, "world_readable": "yes",
            "room_type": {}, "secret": 1, "allowed_room_ids": [5, "!a:x"], "guest_can_join": True,
            "children_state": [
                5, {}, {**child, "content": []}, {**child, "state_key": None}, {**child, "content": {"via": [5]}}, child
            ],
        }}
        found = await taro.get(f"v1/rooms/{room}/hierarchy")
        assert found["rooms"] == [{
            "room_id": room, "topic": "鬼", "num_joined_members": 0, "world_readable": False, "guest_can_join": True,
            "allowed_room_ids": ["!a:x"], "children_state": [child],
        }]
