"""What passes, and what services that encrypt hear of (spec, "Pushing ephemeral data"; MSC3202)."""

from __future__ import annotations

from tests.matrix.application_services.conftest import MakeNode
from tests.matrix.application_services.service import AppService, Registered, ghost


async def test_what_passes_is_told_to_services_that_want_it(make_node: MakeNode, service: AppService) -> None:
    node = await make_node({"url": service.url, "receive_ephemeral": True})
    bridge, hanako = Registered(node), await node.user("hanako")
    taro, room = await bridge.portal(hanako)
    said = (await bridge.says(taro, room, "読んで", "1"))["event_id"]
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})
    await service.until(lambda it: it.ephemeral("m.typing"))
    assert service.ephemeral("m.typing")[0] == {
        "type": "m.typing", "room_id": room, "content": {"user_ids": [hanako.user_id]},
    }
    await hanako.reads(room, said)
    await service.until(lambda it: it.ephemeral("m.receipt"))
    [receipt] = service.ephemeral("m.receipt")
    assert receipt["room_id"] == room
    assert list(receipt["content"][said]["m.read"]) == [hanako.user_id]
    await hanako.put(f"v3/presence/{hanako.user_id}/status", {"presence": "online", "status_msg": "買い物中"})
    await service.until(lambda it: it.ephemeral("m.presence"))
    stranger = await node.user("stranger")
    await stranger.put(f"v3/presence/{stranger.user_id}/status", {"presence": "online"})
    await hanako.says(room, "終わり")
    await service.until(lambda it: "終わり" in it.texts)
    assert {presence["sender"] for presence in service.ephemeral("m.presence")} <= {hanako.user_id, taro}
    presence = next(item for item in service.ephemeral("m.presence") if item["sender"] == hanako.user_id)
    assert (presence["sender"], presence["content"]["presence"]) == (hanako.user_id, "online")
    assert all(body.get("ephemeral") == body.get("de.sorunome.msc2409.ephemeral") for _t, body in service.transactions)


async def test_private_receipts_and_other_rooms_are_not_told(make_node: MakeNode, service: AppService) -> None:
    node = await make_node({"url": service.url, "de.sorunome.msc2409.push_ephemeral": True})
    bridge, hanako = Registered(node), await node.user("hanako")
    taro, room = await bridge.portal(hanako)
    other = await hanako.creates_room()
    await hanako.reads(other, await hanako.says(other, "内緒"))
    await hanako.put(f"v3/rooms/{other}/typing/{hanako.user_id}", {"typing": True})
    said = (await bridge.says(taro, room, "読んで", "1"))["event_id"]
    await hanako.reads(room, said, "m.read.private")
    await hanako.says(room, "終わり")
    await service.until(lambda it: "終わり" in it.texts)
    assert service.ephemeral("m.receipt") == []
    assert service.ephemeral("m.typing") == []


async def test_what_passes_is_not_told_to_others(bridge: Registered, service: AppService) -> None:
    hanako = await bridge.node.user("hanako")
    _taro, room = await bridge.portal(hanako)
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})
    await hanako.reads(room, await hanako.says(room, "はい"))
    await hanako.says(room, "終わり")
    await service.until(lambda it: "終わり" in it.texts)
    assert all("ephemeral" not in body for _txn, body in service.transactions)


async def test_a_service_that_encrypts_gets_what_is_sent_to_devices_of_its_ghosts(
    make_node: MakeNode, service: AppService
) -> None:
    node = await make_node({"url": service.url, "org.matrix.msc3202": True, "receive_ephemeral": True})
    bridge, hanako = Registered(node), await node.user("hanako")
    await bridge.registers("taro", device_id="BRIDGE")
    room = await bridge.creates_room(ghost("taro"))
    await hanako.joins(room)
    messages = {ghost("taro"): {"BRIDGE": {"key": "a"}}, hanako.user_id: {"*": {"key": "b"}}}
    await hanako.put("v3/sendToDevice/m.room.encrypted/1", {"messages": messages})
    await service.until(lambda it: [1 for _txn, body in it.transactions if body["to_device"]])
    [body] = [body for _txn, body in service.transactions if body["to_device"]]
    assert body["to_device"] == body["de.sorunome.msc2409.to_device"] == [{
        "type": "m.room.encrypted", "sender": hanako.user_id, "content": {"key": "a"},
        "to_user_id": ghost("taro"), "to_device_id": "BRIDGE",
    }]
    left = {ghost("taro"): {"BRIDGE": {"signed_curve25519": 0}}}
    assert body["org.matrix.msc3202.device_one_time_keys_count"] == left
    await hanako.says(room, "届いた")
    await service.until(lambda it: it.texts)
    assert node.inside.accounts.to_device.last_position(ghost("taro"), "BRIDGE") == 0
    assert len([1 for _txn, body in service.transactions if body["to_device"]]) == 1


async def test_a_service_that_encrypts_hears_whose_devices_have_changed(
    make_node: MakeNode, service: AppService
) -> None:
    node = await make_node({"url": service.url, "org.matrix.msc3202": True})
    bridge, hanako, stranger = Registered(node), await node.user("hanako"), await node.user("stranger")
    await bridge.portal(hanako)
    await stranger.put(f"v3/devices/{stranger.device_id}", {"display_name": "x"})
    await hanako.put(f"v3/devices/{hanako.device_id}", {"display_name": "x"})

    def changed(it: AppService) -> list[str]:
        return [name for _txn, body in it.transactions for name in body["device_lists"]["changed"]]

    await service.until(lambda it: hanako.user_id in changed(it))
    assert stranger.user_id not in changed(service)
