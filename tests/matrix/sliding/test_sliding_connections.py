"""Connections of sliding sync: positions, retries, waiting, refusals."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import PATH, ROOM_LIST_EXTENSIONS, Device, Json, opened, state_of, texts


async def test_the_node_says_that_it_speaks_sliding_sync(node: RunningNode) -> None:
    assert (await node.ask("GET", "versions"))["unstable_features"]["org.matrix.simplified_msc3575"] is True


async def test_an_answer_that_was_lost_is_given_again(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro, extensions=ROOM_LIST_EXTENSIONS)
    await device.syncs()
    await hanako.says(room, "once")
    lost = await device.asks(device.pos)
    again = await device.asks(device.pos)
    assert texts(lost["rooms"][room]) == texts(again["rooms"][room]) == ["once"]
    assert state_of(lost["rooms"][room]) == state_of(again["rooms"][room])
    last = await device.asks(again["pos"])
    assert last["rooms"] == {}


async def test_a_position_from_before_the_last_but_one_is_unknown(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, _room = hall
    device = Device(taro)
    await device.syncs()
    old = device.pos
    await device.syncs()
    await device.syncs()
    assert (await device.asks(old)).refusal == (400, "M_UNKNOWN_POS")
    for nonsense in ("x", "x_1", "_", "s1_1", "9" * 40):
        assert (await device.asks(nonsense)).refusal == (400, "M_UNKNOWN_POS")
    assert (await device.asks(device.pos)).status == 200


async def test_positions_belong_to_one_connection_of_one_device(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, _room = hall
    device = Device(taro)
    await device.syncs()
    assert (await Device(taro, "encryption").asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")
    assert (await Device(hanako).asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")
    assert (await Device(await taro.node.user("taro")).asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")


async def test_a_connection_that_begins_anew_is_told_everything_again(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    old, device.pos = device.pos, None
    assert (await device.syncs())["rooms"][room]["initial"] is True
    assert (await device.asks(old)).refusal == (400, "M_UNKNOWN_POS")


async def test_after_a_restart_devices_begin_anew(hall: tuple[Person, Person, str], node: RunningNode) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "before the night")
    device = Device(taro)
    await device.syncs()
    await node.restart()
    assert (await device.asks(device.pos)).refusal == (400, "M_UNKNOWN_POS")
    device.pos = None
    assert texts((await device.syncs())["rooms"][room]) == ["before the night"]


async def test_a_waiting_device_is_woken_by_a_message(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    await hanako.get("v3/joined_rooms")
    assert not waiting.done()
    await hanako.says(room, "wake up")
    told = (await asyncio.wait_for(waiting, 20))["rooms"][room]
    assert texts(told) == ["wake up"]
    assert told["num_live"] == 1
    assert told["notification_count"] == 1


async def test_a_request_ends_the_one_that_waits_on_its_connection(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    old = asyncio.ensure_future(device.asks(device.pos, timeout=30_000))
    await hanako.get("v3/joined_rooms")
    new = asyncio.ensure_future(device.asks(device.pos, timeout=30_000))
    await hanako.get("v3/joined_rooms")
    await hanako.says(room, "to one of both")
    assert texts((await asyncio.wait_for(new, 20))["rooms"][room]) == ["to one of both"]
    assert (await asyncio.wait_for(old, 20))["rooms"] == {}


async def test_a_device_does_not_wait_when_it_asks_for_more(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    device = Device(taro, lists={})
    await device.syncs()
    answer = await asyncio.wait_for(device.syncs(timeout=30_000, room_subscriptions=opened(room)), 20)
    assert set(answer["rooms"]) == {room}


GOOD: Json = {"timeline_limit": 1, "required_state": []}


@pytest.mark.parametrize("body", [
    {"conn_id": 3}, {"conn_id": "x" * 300}, {"lists": []}, {"lists": {"a": 1}}, {"lists": {"a": {}}},
    {"lists": {"a": {"timeline_limit": 1}}}, {"lists": {"a": {"required_state": []}}},
    {"lists": {"a": {**GOOD, "timeline_limit": "1"}}}, {"lists": {"a": {**GOOD, "timeline_limit": True}}},
    {"lists": {"a": {**GOOD, "timeline_limit": -1}}}, {"lists": {"a": {**GOOD, "required_state": {}}}},
    {"lists": {"a": {**GOOD, "required_state": [["a"]]}}}, {"lists": {"a": {**GOOD, "required_state": [["a", 1]]}}},
    {"lists": {"a": {**GOOD, "ranges": 1}}}, {"lists": {"a": {**GOOD, "ranges": [[0]]}}},
    {"lists": {"a": {**GOOD, "ranges": [[5, 1]]}}}, {"lists": {"a": {**GOOD, "ranges": [[-1, 1]]}}},
    {"lists": {"a": {**GOOD, "ranges": [[0, 2**70]]}}}, {"lists": {"a": {**GOOD, "filters": {"is_dm": 1}}}},
    {"lists": {"a": {**GOOD, "filters": {"room_types": [1]}}}}, {"lists": {"a": {**GOOD, "filters": {"spaces": [1]}}}},
    {"lists": {str(number): GOOD for number in range(101)}}, {"room_subscriptions": {"!a:b": None}},
    {"extensions": {"typing": True}}, {"extensions": {"to_device": {"enabled": 1}}},
    {"extensions": {"to_device": {"enabled": True, "since": "x"}}},
    {"extensions": {"to_device": {"enabled": True, "limit": 0}}},
    {"extensions": {"receipts": {"enabled": True, "rooms": "!a:b"}}},
    {"extensions": {"receipts": {"enabled": True, "rooms": [1]}}},
])
async def test_a_request_of_wrong_kinds_is_refused(node: RunningNode, body: Json) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post(PATH, body)).status == 400


async def test_strange_queries_and_strangers_are_refused(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post(PATH, {}, timeout="soon")).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.post(PATH, {}, set_presence="asleep")).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.post(PATH, b"[]")).refusal == (400, "M_BAD_JSON")
    assert (await node.ask("POST", PATH, {})).refusal == (401, "M_MISSING_TOKEN")
    assert (await hanako.post(PATH)).status == 200
