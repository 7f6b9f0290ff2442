"""What people are told of, and what apps are told, comes from either database alike."""

from __future__ import annotations

from pathlib import Path

from server.notifications.notice_store import count_unread
from server.rooms.membership_store import memberships_of
from tests.builders import RunningNode, settings_for
from tests.matrix.push.gateway import ALLOWED, Gateway, has_pusher, pushkeys


async def test_apps_are_told_the_same_from_either_database(database_url: str, tmp_path: Path) -> None:
    async with (
        Gateway() as gateway,
        RunningNode(settings_for(tmp_path, database=database_url, more=ALLOWED)) as node,
    ):
        hanako, taro = await node.users("hanako", "taro")
        await has_pusher(taro, gateway, data={"own": "値"})
        word = {"pattern": "雨", "actions": ["notify", {"set_tweak": "sound", "value": "鈴"}]}
        await taro.put("v3/pushrules/global/content/rain", word)
        room = await hanako.creates_room(name="回覧板")
        await hanako.invites(taro, room)
        assert (await gateway.next())["content"]["membership"] == "invite"
        await taro.joins(room)
        root = await hanako.says(room, "雨です")
        told = await gateway.next()
        while "content" not in told:  # the number alone: the invitation is gone
            told = await gateway.next()
        assert told["devices"][0]["tweaks"] == {"sound": "鈴"}
        assert told["devices"][0]["data"] == {"own": "値"}
        reply = await hanako.says(room, "in", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
        await gateway.next()
        database = node.inside.core.database
        [place] = await memberships_of(database, taro.user_id)
        assert await count_unread(database, room, taro.user_id, place.stream) == 2
        await taro.reads(room, reply, thread_id=root)
        assert await count_unread(database, room, taro.user_id, place.stream) == 1
        assert (await gateway.next())["counts"] == {"unread": 1}
        await node.restart()
        assert await pushkeys(taro) == ["key"]
        found = (await taro.get("v3/notifications"))["notifications"]
        assert [(item["event"]["event_id"], item["read"]) for item in found] == [(reply, True), (root, False)]
        assert found[1]["actions"] == word["actions"]
        assert (await taro.get("v3/notifications", only="highlight"))["notifications"] == []
        await hanako.says(room, "three")
        assert (await gateway.next())["counts"] == {"unread": 2}
        assert (await taro.post("v3/logout")).status == 200
        assert list(node.inside.services.pushers.users) == []
