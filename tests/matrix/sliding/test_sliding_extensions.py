"""Extensions of sliding sync: receipts, typing, account data, messages to devices, keys."""

from __future__ import annotations

import asyncio

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import ROOM_LIST_EXTENSIONS, Device, Json, all_rooms, opened


async def test_a_room_that_was_read_elsewhere_is_read_here(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "hello")
    device = Device(taro)
    assert (await device.syncs())["rooms"][room]["notification_count"] == 1
    await taro.reads(room, event_id)
    told = (await device.syncs())["rooms"][room]
    assert told["notification_count"] == 0
    assert told["timeline"] == []


async def test_receipts_come_once_and_private_ones_to_their_owner(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    first = await hanako.says(room, "one")
    second = await hanako.says(room, "two")
    await taro.reads(room, first, "m.read.private")
    await taro.reads(room, second)
    wanted = {"receipts": {"enabled": True, "rooms": ["*"]}}
    mine, hers = Device(taro, extensions=wanted), Device(hanako, extensions=wanted)
    told = (await mine.syncs())["extensions"]["receipts"]["rooms"][room]
    assert told["type"] == "m.receipt"
    assert "m.read.private" in told["content"][first]
    assert "m.read" in told["content"][second]
    told = (await hers.syncs())["extensions"]["receipts"]["rooms"][room]
    assert first not in told["content"]
    assert taro.user_id in told["content"][second]["m.read"]
    assert (await hers.syncs())["extensions"]["receipts"]["rooms"] == {}
    third = await hanako.says(room, "three")
    await hers.syncs()
    waiting = asyncio.ensure_future(hers.syncs(timeout=30_000))
    await taro.reads(room, third)
    answer = await asyncio.wait_for(waiting, 20)
    assert set(answer["extensions"]["receipts"]["rooms"][room]["content"]) == {third}
    assert answer["rooms"] == {}


async def test_typing_is_told_and_taken_back(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro, extensions=ROOM_LIST_EXTENSIONS)
    assert (await device.syncs())["extensions"]["typing"] == {"rooms": {}}
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True, "timeout": 30_000})
    told = (await asyncio.wait_for(waiting, 20))["extensions"]["typing"]["rooms"][room]
    assert told == {"type": "m.typing", "content": {"user_ids": [hanako.user_id]}}
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": False})
    told = (await device.syncs())["extensions"]["typing"]["rooms"][room]
    assert told["content"] == {"user_ids": []}


async def test_account_data_of_all_and_of_rooms(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    home = f"v3/user/{taro.user_id}"
    await taro.put(f"{home}/account_data/org.example.a", {"n": 1})
    await taro.put(f"{home}/rooms/{room}/account_data/org.example.b", {"n": 1})
    device = Device(taro, extensions=ROOM_LIST_EXTENSIONS)
    told = (await device.syncs())["extensions"]["account_data"]
    assert {item["type"] for item in told["global"]} == {"m.push_rules", "org.example.a"}
    assert [item["type"] for item in told["rooms"][room]] == ["org.example.b"]
    assert (await device.syncs())["extensions"]["account_data"] == {"global": [], "rooms": {}}
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    await taro.put(f"{home}/rooms/{room}/tags/m.favourite", {})
    told = (await asyncio.wait_for(waiting, 20))["extensions"]["account_data"]
    assert told["global"] == []
    assert [item["type"] for item in told["rooms"][room]] == ["m.tag"]
    await taro.put(f"{home}/account_data/org.example.a", {"n": 2})
    told = (await device.syncs())["extensions"]["account_data"]
    assert told == {"global": [{"type": "org.example.a", "content": {"n": 2}}], "rooms": {}}


async def test_account_data_of_a_room_comes_with_the_room(node: RunningNode) -> None:
    taro = await node.user("taro")
    first, second = await taro.creates_room(), await taro.creates_room()
    await taro.put(f"v3/user/{taro.user_id}/rooms/{first}/tags/m.favourite", {})
    device = Device(taro, lists=all_rooms(0), extensions=ROOM_LIST_EXTENSIONS)
    answer = await device.syncs()
    assert set(answer["rooms"]) == {second}
    assert answer["extensions"]["account_data"]["rooms"] == {}
    await taro.put(f"v3/user/{taro.user_id}/rooms/{first}/tags/u.work", {})
    assert (await device.syncs())["extensions"]["account_data"]["rooms"] == {}
    told = (await device.syncs(lists=all_rooms(9)))["extensions"]["account_data"]
    assert told["global"] == []
    assert set(told["rooms"][first][0]["content"]["tags"]) == {"m.favourite", "u.work"}


async def test_extensions_may_be_wanted_for_some_rooms_only(node: RunningNode) -> None:
    taro = await node.user("taro")
    rooms = [await taro.creates_room() for _ in range(2)]
    for room in rooms:
        await taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.favourite", {})
    wanted = {"account_data": {"enabled": True, "lists": [], "rooms": [rooms[0]]}}
    answer = await Device(taro, room_subscriptions=opened(*rooms), extensions=wanted).syncs()
    assert set(answer["extensions"]["account_data"]["rooms"]) == {rooms[0]}
    off = await Device(taro, extensions={"account_data": {"enabled": False}, "unknown": {"enabled": True}}).syncs()
    assert off["extensions"] == {}


ENCRYPTION: Json = {"lists": {}, "extensions": {"to_device": {"enabled": True}, "e2ee": {"enabled": True}}}


async def test_the_connection_for_encryption_waits_by_itself(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    device = Device(taro, "encryption", **ENCRYPTION)
    first = await device.syncs()
    assert first["extensions"]["e2ee"] == {
        "device_one_time_keys_count": {"signed_curve25519": 0}, "device_unused_fallback_key_types": [],
    }
    since = first["extensions"]["to_device"]["next_batch"]
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000, extensions={
        **ENCRYPTION["extensions"], "to_device": {"enabled": True, "since": since, "limit": 100},
    }))
    await hanako.get("v3/joined_rooms")
    assert not waiting.done()
    await hanako.put("v3/sendToDevice/m.room_key/t1", {"messages": {taro.user_id: {taro.device_id: {"key": 1}}}})
    told = (await asyncio.wait_for(waiting, 20))["extensions"]["to_device"]
    assert told["events"] == [{"sender": hanako.user_id, "type": "m.room_key", "content": {"key": 1}}]


async def test_a_message_to_a_device_is_kept_until_the_device_has_it(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    device = Device(taro, "encryption", **ENCRYPTION)
    since = (await device.syncs())["extensions"]["to_device"]["next_batch"]

    def after(position: str) -> Json:
        return {"to_device": {"enabled": True, "since": position}}

    await hanako.put("v3/sendToDevice/m.room_key/t1", {"messages": {taro.user_id: {"*": {"key": 1}}}})
    first = (await device.syncs(extensions=after(since)))["extensions"]["to_device"]
    assert len(first["events"]) == 1
    again = (await Device(taro, "encryption", lists={}, extensions=after(since)).syncs())["extensions"]["to_device"]
    assert again["events"] == first["events"]
    assert (await device.asks(None, extensions=after(first["next_batch"])))["extensions"]["to_device"]["events"] == []
    assert (await device.asks(None, extensions=after(since)))["extensions"]["to_device"]["events"] == []


async def test_devices_of_neighbours_are_listed_when_they_change(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro, "encryption", **ENCRYPTION)
    assert "device_lists" not in (await device.syncs())["extensions"]["e2ee"]
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    keys = {
        "user_id": hanako.user_id, "device_id": hanako.device_id, "algorithms": [], "signatures": {},
        "keys": {f"ed25519:{hanako.device_id}": "a" * 43},
    }
    assert (await hanako.post("v3/keys/upload", {"device_keys": keys})).status == 200
    told = (await asyncio.wait_for(waiting, 20))["extensions"]["e2ee"]
    assert told["device_lists"] == {"changed": [hanako.user_id], "left": []}
    await hanako.leaves(room)
    assert (await device.syncs())["extensions"]["e2ee"]["device_lists"]["left"] == [hanako.user_id]
