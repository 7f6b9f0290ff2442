"""What a client is told of a room that it has come into by another server."""

from __future__ import annotations

from pathlib import Path

from tests.federation.neighbours import neighbours


async def test_the_state_of_a_room_of_another_server_is_told_whole(tmp_path: Path) -> None:
    async with neighbours(tmp_path, name="広場") as (_, ume, hanako, taro, room):
        for news in (await taro.syncs(), await taro.syncs(use_state_after="true")):
            name = "state" if "state" in news.room(room) else "state_after"
            state = news.state(room, name=name)
            assert state["m.room.name", ""]["content"] == {"name": "広場"}
            assert state["m.room.member", hanako.user_id]["content"]["membership"] == "join"
        await ume.stop()
        await ume.start()
        state = (await taro.syncs()).state(room)
        assert {("m.room.create", ""), ("m.room.member", hanako.user_id)} <= set(state)


async def test_who_syncs_while_coming_in_is_told_the_state_too(tmp_path: Path) -> None:
    async with neighbours(tmp_path, name="広場") as (sakura, ume, hanako, _, room):
        jiro = await ume.node.user("jiro")
        since = (await jiro.syncs()).token
        assert (await jiro.post(f"v3/join/{room}", via=sakura.name)).status == 200
        state = (await jiro.syncs(since)).state(room)
        assert {("m.room.create", ""), ("m.room.name", ""), ("m.room.member", hanako.user_id)} <= set(state)
