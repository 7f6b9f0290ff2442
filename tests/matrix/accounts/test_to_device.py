"""Messages from device to device: once, to all that are meant, until they have been fetched."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.matrix.accounts.conftest import Node, Person, StartNode


async def send(person: Person, txn: str, messages: dict[str, Any], kind: str = "m.x") -> int:
    status, _ = await person.put(f"v3/sendToDevice/{kind}/{txn}", {"messages": messages})
    return status


async def inbox(node: Node, person: Person, since: int = 0) -> list[dict[str, Any]]:
    until = node.positions.current
    events, _ = await node.accounts.to_device_for(person.user_id, person.device_id, since, until)
    found: list[dict[str, Any]] = orjson.loads(orjson.dumps(events))
    return found


async def test_a_message_waits_for_its_device(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    assert await send(hana, "1", {taro.user_id: {taro.device_id: {"a": "花"}}}) == 200
    assert node.heard[-1][0] == (taro.user_id,)
    assert await inbox(node, taro) == [{"sender": hana.user_id, "type": "m.x", "content": {"a": "花"}}]
    assert await inbox(node, taro) != []
    assert await inbox(node, hana) == []


async def test_what_was_acknowledged_does_not_come_again(node: Node, start_node: StartNode) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    await send(hana, "1", {taro.user_id: {taro.device_id: {"n": 1}}})
    since = node.positions.current
    await send(hana, "2", {taro.user_id: {taro.device_id: {"n": 2}}})
    await node.accounts.acknowledge_to_device(taro.user_id, taro.device_id, since)
    assert [event["content"]["n"] for event in await inbox(node, taro)] == [2]
    await node.accounts.acknowledge_to_device(taro.user_id, taro.device_id, node.positions.current)
    assert await inbox(node, taro) == []
    assert node.accounts.to_device.last_position(taro.user_id, taro.device_id) == 0
    await send(hana, "3", {hana.user_id: {hana.device_id: {}}})
    again = await start_node()
    assert again.accounts.to_device.last_position(taro.user_id, taro.device_id) == 0
    assert again.accounts.to_device.last_position(hana.user_id, hana.device_id) > 0


async def test_the_same_transaction_is_carried_out_once(node: Node, start_node: StartNode) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    messages: dict[str, Any] = {taro.user_id: {taro.device_id: {}}}
    await asyncio.gather(*(send(hana, "1", messages) for _ in range(5)))
    assert len(await inbox(node, taro)) == 1
    again = await start_node()
    path = "v3/sendToDevice/m.x/1"
    assert (await again.ask("PUT", path, {"messages": messages}, token=hana.token))[0] == 200
    assert len(await inbox(node, taro)) == 1
    await send(hana, "1", messages, kind="m.y")
    await send(await node.person("hana"), "1", messages)
    assert len(await inbox(node, taro)) == 3


async def test_a_star_means_all_devices(node: Node) -> None:
    hana = await node.person("hana")
    one, two = await node.person("taro", "ONE"), await node.person("taro", "TWO")
    await send(hana, "1", {one.user_id: {"*": {"to": "all"}, "TWO": {"to": "two"}}})
    assert [event["content"]["to"] for event in await inbox(node, one)] == ["all"]
    assert [event["content"]["to"] for event in await inbox(node, two)] == ["two"]


async def test_devices_that_do_not_exist_get_nothing(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    assert await send(hana, "1", {taro.user_id: {"NONE": {}}, "@nobody:test.example": {"*": {}}}) == 200
    assert node.heard == []
    assert await inbox(node, taro) == []


async def test_a_hundred_come_at_once_and_none_is_lost(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    for number in range(230):
        await node.accounts.to_device.send(hana.user_id, "m.x", {taro.user_id: {taro.device_id: {"n": number}}})
    got: list[int] = []
    rounds: list[int] = []
    since = 0
    while not rounds or rounds[-1]:
        until = node.positions.current
        events, _ = await node.accounts.to_device_for(taro.user_id, taro.device_id, since, until)
        rounds.append(len(events))
        got += [event["content"]["n"] for event in orjson.loads(orjson.dumps(events))]
        since = until
        await node.accounts.acknowledge_to_device(taro.user_id, taro.device_id, since)
    assert rounds == [100, 100, 30, 0]
    assert got == list(range(230))


async def test_an_answer_that_was_lost_on_the_way_is_given_again(node: Node) -> None:
    hana, taro = await node.person("hana"), await node.person("taro")
    for number in range(150):
        await node.accounts.to_device.send(hana.user_id, "m.x", {taro.user_id: {taro.device_id: {"n": number}}})
    first = await inbox(node, taro)
    await node.accounts.acknowledge_to_device(taro.user_id, taro.device_id, 0)
    assert await inbox(node, taro) == first


@pytest.mark.parametrize(
    "body", [{}, {"messages": []}, {"messages": {"@a:x": []}}, {"messages": {"@a:x": {"D": "text"}}},
             {"messages": {"@a:x": {"D": {"n": 1.5}}}}, b"nonsense"],
)
async def test_malformed_messages_are_refused(node: Node, body: Any) -> None:
    hana = await node.person("hana")
    assert (await hana.put("v3/sendToDevice/m.x/1", body))[0] == 400


async def test_a_message_has_a_largest_size(node: Node) -> None:
    hana = await node.person("hana")
    messages = {hana.user_id: {"*": {"x": "y" * 70_000}}}
    assert await send(hana, "1", messages) == 413
    assert await send(hana, "1", {hana.user_id: {"*": {}}}) == 200
    assert len(await inbox(node, hana)) == 1
