"""The rooms that the association's layer has made are its own to replace: officers cannot upgrade them."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.association.members.model import Purpose, Role
from server.foundation.errors import Forbidden
from server.rooms.send_event import Draft
from server.rooms.upgrade_room import TOMBSTONE, Upgrades
from tests.association.world import world


@pytest.mark.parametrize("version", ["11", "12"])
async def test_an_officer_cannot_upgrade_the_rooms_of_the_association(tmp_path: Path, version: str) -> None:
    async with world(tmp_path / "node.db", version=version) as node:
        head = await node.person("佐藤 花子", roles=[Role.CHAIR])
        assert head.user_id is not None
        upgrades = Upgrades(node.rooms, node.creator, node.sender)
        before = {room.room_id for room in node.members.rooms.rooms()}
        for room_id in sorted(before):
            with pytest.raises(Forbidden):
                await upgrades.upgrade(room_id, head.user_id, "12")
            levels = dict((await node.live(room_id)).content("m.room.power_levels"))
            successor = {"body": "", "replacement_room": "!other"}
            for kind, content in ((TOMBSTONE, successor), ("m.room.power_levels", {**levels, "events": {}})):
                with pytest.raises(Forbidden):
                    await node.sender.send(Draft(room_id, head.user_id, kind, content, ""))
        assert {room.room_id for room in node.members.rooms.rooms()} == before
        assert node.members.hall_room(Purpose.SPACE) in before
