"""A whole node on each database: what it was told is there after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.builders import RunningNode, settings_for
from tests.storage.conftest import Cluster


async def test_a_node_lives_on_either_database(database_url: str, tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, database=database_url)) as node:
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(preset="public_chat", name="広場", room_alias_name="hall")
        await taro.joins("#hall:sakura.example")
        since = (await taro.syncs()).token
        ids = await asyncio.gather(*(hanako.says(room, f"{number}") for number in range(30)))
        await taro.reads(room, ids[-1])
        await taro.says(room, "in the thread", **{"m.relates_to": {"rel_type": "m.thread", "event_id": ids[0]}})
        await taro.sends(room, "m.reaction", {
            "m.relates_to": {"rel_type": "m.annotation", "event_id": ids[0], "key": "✅\0"},
        })
        await hanako.redacts(room, ids[1])
        await hanako.says(room, "nul \0 and 😀 are fine")
        first = await hanako.sends(room, "m.room.message", {"body": "once"}, txn="once")
        await node.restart()
        again = await hanako.sends(room, "m.room.message", {"body": "once"}, txn="once")
        assert again["event_id"] == first["event_id"]
        answer = await taro.syncs(since)
        assert len(answer.texts(room)) == 29 + 1 + 2
        assert (await taro.syncs()).room(room)["unread_notifications"]["notification_count"] == 2
        page = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="500")
        assert len(page["chunk"]) == 9 + 30 + 5
        assert (await taro.get("v3/publicRooms"))["chunk"] == []
        assert (await taro.get(f"v3/rooms/{room}/event/{ids[0]}"))["unsigned"]["m.relations"]["m.thread"]["count"] == 1
        assert (await taro.get(f"v3/rooms/{room}/members", membership="join")).status == 200
        await taro.leaves(room)
        assert (await taro.post(f"v3/rooms/{room}/forget")).status == 200
        state = await hanako.get(f"v3/rooms/{room}/state")
        assert len(state.body) == 9


async def test_a_node_outlives_the_connections_to_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    url = await cluster.new_database()
    async with RunningNode(settings_for(tmp_path, database=url)) as node:
        hanako = await node.user("hanako")
        room = await hanako.creates_room()
        since = (await hanako.syncs()).token
        acknowledged: list[str] = []
        for number in range(12):
            if number % 4 == 2:
                await cluster.cut_all_connections()
            with node.contract.tolerating("the database is cut off"):
                answer = await hanako.sends(room, "m.room.message", {"body": str(number)})
            assert answer.status in (200, 500, 503), answer
            if answer.status == 200:
                acknowledged.append(str(number))
        assert len(acknowledged) >= 9
        heard = (await hanako.syncs(since)).texts(room)
        assert set(acknowledged) <= set(heard)
        assert len(heard) == len(set(heard))
