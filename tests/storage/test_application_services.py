"""What application services are told comes from either database alike."""

from __future__ import annotations

from pathlib import Path

from tests.builders import RunningNode, settings_for
from tests.matrix.application_services.service import AppService, Registered, ghost, write_registration


async def test_a_service_is_told_the_same_from_either_database(database_url: str, tmp_path: Path) -> None:
    async with AppService() as service:
        more = {"url": service.url, "receive_ephemeral": True, "org.matrix.msc3202": True}
        files = f"application_service_files = {[write_registration(tmp_path, more)]}"
        async with RunningNode(settings_for(tmp_path, database=database_url, more=files)) as node:
            bridge, hanako = Registered(node), await node.user("hanako")
            await bridge.registers("taro", device_id="BRIDGE")
            room = await bridge.creates_room(ghost("taro"))
            await hanako.joins(room)
            await hanako.reads(room, await hanako.says(room, "一"))
            await hanako.put("v3/sendToDevice/m.x/1", {"messages": {ghost("taro"): {"*": {}}}})
            await service.until(lambda it: it.texts == ["一"] and it.ephemeral("m.receipt"))
            service.status = 500
            await hanako.says(room, "二")
            await service.until(lambda it: it.refused)
            service.status = 200
            await node.restart()
            path = f"v3/directory/list/appservice/libera/{room}"
            for visibility in ("public", "public", "private", "public"):
                assert (await bridge.ask("PUT", path, {"visibility": visibility})).status == 200
            found = await hanako.post("v3/publicRooms", {"third_party_instance_id": "irc|libera"})
            assert [item["room_id"] for item in found["chunk"]] == [room]
            await service.until(lambda it: it.texts == ["一", "二"])
            assert [item["type"] for _txn, body in service.transactions for item in body["to_device"]] == ["m.x"]
