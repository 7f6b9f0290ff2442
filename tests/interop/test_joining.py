"""People of both servers come into a room, speak, and leave it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.interop.sides import Side, has_heard, joins, sees_member, sees_state

VERSIONS = ("10", "11", "12")


@pytest.mark.parametrize("version", VERSIONS)
async def test_somebody_of_the_other_server_joins_and_both_speak(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    await has_heard(hanako, room, await taro.says(room, "はい、います"))
    await has_heard(taro, room, await hanako.says(room, "よかった"))
    await sees_state(taro, room, "m.room.name", name="広場")
    await sees_state(taro, room, "m.room.create", room_version=version)


async def test_one_joins_by_the_name_of_the_room(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    local = hanako.user_id[1:].partition(":")[0]
    room = await hanako.creates_room(preset="public_chat", room_alias_name=f"hiroba-{local}")
    alias = f"#hiroba-{local}:{here.name}"
    assert (await taro.get(f"v3/directory/room/{quote(alias)}"))["room_id"] == room
    await joins(taro, alias)
    await has_heard(hanako, room, await taro.says(room, "名前で来ました"))
