"""After a restart of the node, and after hours of sleep: nothing is lost, and nothing is stuck."""

from __future__ import annotations

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import ROOM_LIST_EXTENSIONS, Device, Json, all_rooms, opened, state_of, texts

KEYS: Json = {"to_device": {"enabled": True}, "e2ee": {"enabled": True}}


def keys_after(since: str) -> Json:
    return {"to_device": {"enabled": True, "since": since}, "e2ee": {"enabled": True}}


async def test_no_message_to_a_device_is_lost_or_told_twice(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")

    async def sends(number: int) -> None:
        messages = {taro.user_id: {taro.device_id: {"n": number}}}
        assert (await hanako.put(f"v3/sendToDevice/m.room_key/n{number}", {"messages": messages})).status == 200

    device = Device(taro, "encryption", lists={}, extensions=KEYS)
    await sends(1)
    first = (await device.syncs())["extensions"]["to_device"]
    assert [event["content"]["n"] for event in first["events"]] == [1]
    await sends(2)
    lost = await device.asks(device.pos, extensions=keys_after(first["next_batch"]))
    assert [event["content"]["n"] for event in lost["extensions"]["to_device"]["events"]] == [2]
    await node.restart()
    assert (await device.asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")
    await sends(3)
    device.pos = None
    told = (await device.syncs())["extensions"]["to_device"]
    assert [event["content"]["n"] for event in told["events"]] == [2, 3]
    told = (await device.syncs(extensions=keys_after(told["next_batch"])))["extensions"]["to_device"]
    assert told["events"] == []


async def test_a_long_queue_comes_in_pieces_without_waiting(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    for number in range(7):
        messages = {taro.user_id: {taro.device_id: {"n": number}}}
        await hanako.put(f"v3/sendToDevice/m.room_key/n{number}", {"messages": messages})
    device = Device(taro, "encryption", lists={}, extensions={"to_device": {"enabled": True, "limit": 3}})
    seen: list[int] = []
    while len(seen) < 7:
        told = (await device.syncs(timeout=30_000))["extensions"]["to_device"]
        seen += [event["content"]["n"] for event in told["events"]]
        device.body["extensions"]["to_device"]["since"] = told["next_batch"]
    assert seen == list(range(7))


async def test_invitations_receipts_and_unread_counts_come_back(
    hall: tuple[Person, Person, str], node: RunningNode
) -> None:
    hanako, taro, room = hall
    first = await hanako.says(room, "one")
    await taro.reads(room, first)
    await hanako.says(room, "two")
    device = Device(taro, extensions=ROOM_LIST_EXTENSIONS)
    await device.syncs()
    invited = await hanako.creates_room(name="Garden", invite=[taro.user_id])
    await node.restart()
    assert (await device.asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")
    device.pos = None
    answer = await device.syncs()
    assert answer["rooms"][room]["notification_count"] == 1
    assert taro.user_id in answer["extensions"]["receipts"]["rooms"][room]["content"][first]["m.read"]
    assert answer["rooms"][invited]["invite_state"]
    own = state_of(answer["rooms"][room])["m.room.member", taro.user_id]
    assert own["content"]["membership"] == "join"
    assert ("m.room.member", hanako.user_id) in state_of(answer["rooms"][room])


async def test_a_room_that_was_read_while_one_slept_is_read(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    phone = Device(taro, extensions=ROOM_LIST_EXTENSIONS)
    await hanako.says(room, "one")
    assert (await phone.syncs())["rooms"][room]["notification_count"] == 1
    last = await hanako.says(room, "two", **{"m.mentions": {"user_ids": [taro.user_id]}})
    told = (await phone.syncs())["rooms"][room]
    assert (told["notification_count"], told["highlight_count"]) == (2, 1)
    for number in range(200):
        last = await hanako.says(room, str(number))
    await taro.reads(room, last)
    answer = await phone.syncs()
    told = answer["rooms"][room]
    assert (told["notification_count"], told["highlight_count"]) == (0, 0)
    assert last in answer["extensions"]["receipts"]["rooms"][room]["content"]


async def test_three_connections_of_one_device_do_not_disturb_each_other(
    hall: tuple[Person, Person, str],
) -> None:
    hanako, taro, room = hall
    rooms = Device(taro, "room-list", extensions=ROOM_LIST_EXTENSIONS)
    keys = Device(taro, "encryption", lists={}, extensions=KEYS)
    notes = Device(taro, "notifications", lists=all_rooms(100), extensions={})
    for device in (rooms, keys, notes):
        await device.syncs()
    for number in range(3):
        await hanako.says(room, str(number))
        assert texts((await rooms.syncs())["rooms"][room]) == [str(number)]
        assert (await keys.syncs())["rooms"] == {}
    told = (await notes.syncs())["rooms"][room]
    assert (texts(told), told["limited"]) == (["2"], True)
    notes.pos = None
    assert (await notes.syncs())["rooms"][room]["initial"] is True
    assert (await rooms.syncs())["rooms"] == {}


async def test_a_lost_answer_is_given_again_with_all_that_has_happened_since(
    hall: tuple[Person, Person, str],
) -> None:
    hanako, taro, room = hall
    device = Device(taro, lists=all_rooms(limit=20), extensions=ROOM_LIST_EXTENSIONS)
    await device.syncs()
    event_id = await hanako.says(room, "one")
    await hanako.reads(room, event_id)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.favourite", {})
    lost = await device.asks(device.pos)
    await hanako.says(room, "two")
    again = (await device.syncs())
    assert (texts(lost["rooms"][room]), texts(again["rooms"][room])) == (["one"], ["one", "two"])
    assert again["rooms"][room]["num_live"] == 2
    for name in ("receipts", "account_data"):
        assert again["extensions"][name] == lost["extensions"][name]


async def test_a_room_opened_while_the_answer_was_lost_is_opened_again(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    for number in range(4):
        await hanako.says(room, str(number))
    device = Device(taro)
    await device.syncs()
    await device.asks(device.pos, room_subscriptions=opened(room, limit=3))
    told = (await device.syncs())["rooms"][room]
    assert told["unstable_expanded_timeline"] is True
    assert texts(told) == ["1", "2", "3"]
