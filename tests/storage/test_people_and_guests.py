"""The user directory, shared rooms and guests on each database."""

from __future__ import annotations

from pathlib import Path

from server.rooms.guest_store import guests_in_rooms
from server.rooms.user_directory_store import find_people, read_anew, rooms_to_read
from server.storage.database import Writes
from tests.builders import RunningNode, settings_for


async def test_people_are_found_alike_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako, taro = await node.users("hanako", "taro")
        database = node.inside.core.database
        name = {"displayname": "50%_\\ 山田 \0花子"}
        await hanako.put(f"v3/profile/{hanako.user_id}/displayname", name)
        rooms = [await hanako.creates_room(preset="public_chat") for _ in range(2)]
        for room in rooms:
            await taro.joins(room)
        for word, found in (("山田", True), ("0%_\\", True), ("5%花", False), ("花子", True)):
            people = await find_people(database, taro.user_id, [word], 10)
            assert ([person.user_id for person in people] == [hanako.user_id]) is found, word
        assert (await taro.get("v1/mutual_rooms", user_id=hanako.user_id))["joined"] == sorted(rooms)
        writes = Writes()
        read_anew(writes, rooms[0])
        await database.submit(writes)
        assert await rooms_to_read(database) == [rooms[0]]
        for _ in range(2):
            answer = await taro.post("v3/user_directory/search", {"search_term": "やまだ", "limit": 5})
            assert answer["results"] == []
        assert await rooms_to_read(database) == []


async def test_guests_are_known_by_the_rooms_that_they_are_in(database_url: str, tmp_path: Path) -> None:
    more = '[registration]\nmode = "open"\nallow_guests = true'
    async with RunningNode(settings_for(tmp_path, database=database_url, more=more)) as node:
        hanako = await node.user("hanako")
        state = [{"type": "m.room.guest_access", "content": {"guest_access": "can_join"}}]
        room = await hanako.creates_room(preset="public_chat", initial_state=state)
        guest = await node.ask("POST", "v3/register", {}, kind="guest")
        assert (await node.ask("POST", f"v3/join/{room}", {}, token=guest["access_token"])).status == 200
        assert await guests_in_rooms(node.inside.core.database) == [(guest["user_id"], room)]
