"""Sliding sync on each database: many rooms are read with few statements after a restart."""

from __future__ import annotations

from pathlib import Path

from tests.builders import RunningNode, settings_for
from tests.matrix.sliding.element_x import ROOM_LIST_EXTENSIONS, Device, all_rooms, state_of, texts


async def test_a_member_of_many_rooms_begins_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako, taro = await node.users("hanako", "taro")
        rooms = [await hanako.creates_room(preset="public_chat", name=f"Room {number}") for number in range(9)]
        for number, room in enumerate(rooms):
            await taro.joins(room)
            for text in range(70 if number == 3 else 2):
                event_id = await hanako.says(room, str(text))
            if number % 2:
                await taro.reads(room, event_id)
        await hanako.sets(rooms[4], "m.room.history_visibility", {"history_visibility": "joined"})
        await node.restart()
        for wish in (all_rooms(5), all_rooms(20, is_encrypted=False), all_rooms(20, room_name_like="room")):
            device = Device(taro, lists=wish, extensions=ROOM_LIST_EXTENSIONS)
            answer = await device.syncs()
            assert answer["lists"]["all_rooms"]["count"] == 9
            for room, told in answer["rooms"].items():
                number = rooms.index(room)
                assert told["notification_count"] == (0 if number % 2 else 2)
                assert texts(told) == (["m.room.history_visibility"] if number == 4 else ["69" if number == 3 else "1"])
                assert state_of(told)["m.room.name", ""]["content"] == {"name": f"Room {number}"}
                assert told["limited"] is True
        earlier = await taro.get(f"v3/rooms/{rooms[3]}/messages", dir="b", limit="100", **{"from": device.pos})
        assert [event["content"].get("body") for event in earlier["chunk"][:70]] == [str(69 - n) for n in range(70)]
