"""Filters that mean some rooms only, or some types of a room's account data."""

from __future__ import annotations

from typing import Any

from tests.builders import RunningNode


def _room(**parts: Any) -> dict[str, Any]:
    return {"room": parts}


async def test_a_timeline_may_be_wanted_of_some_rooms_only(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    wanted, other = await hanako.creates_room(), await hanako.creates_room()
    for room in (wanted, other):
        await hanako.says(room, "こんにちは")

    sync = await hanako.syncs(wanted=_room(timeline={"rooms": [wanted]}))

    assert sync.texts(wanted) == ["こんにちは"]
    assert sync.texts(other) == []
    assert ("m.room.create", "") in sync.state(other)


async def test_receipts_may_be_unwanted_in_a_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.reads(room, await hanako.says(room, "こんにちは"))

    assert (await hanako.syncs(wanted=_room(ephemeral={"not_rooms": [room]}))).ephemeral(room, "m.receipt") is None
    assert (await hanako.syncs()).ephemeral(room, "m.receipt") is not None


async def test_account_data_of_a_room_are_filtered_by_type(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for kind in ("jp.example.a", "jp.example.b"):
        await hanako.put(f"v3/user/{hanako.user_id}/rooms/{room}/account_data/{kind}", {"x": 1})

    sync = await hanako.syncs(wanted=_room(account_data={"types": ["jp.example.b"]}))

    assert [item["type"] for item in sync.room(room)["account_data"]["events"]] == ["jp.example.b"]
