"""Heroes and counts."""

from __future__ import annotations

from typing import Any

from tests.builders import RunningNode

LAZY: dict[str, Any] = {"room": {"state": {"lazy_load_members": True}, "timeline": {"limit": 1}}}


async def test_at_most_five_heroes_the_first_who_came(node: RunningNode) -> None:
    people = await node.users("hanako", *(f"p{number}" for number in range(7)))
    room = await people[0].creates_room(preset="public_chat")
    for person in people[1:]:
        await person.joins(room)
    summary = (await people[0].syncs()).room(room)["summary"]
    assert summary["m.heroes"] == [person.user_id for person in people[1:6]]
    assert (summary["m.joined_member_count"], summary["m.invited_member_count"]) == (8, 0)
    assert (await people[7].syncs()).room(room)["summary"]["m.heroes"] == [person.user_id for person in people[:5]]


async def test_a_name_that_is_empty_is_none(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await taro.joins(room)
    assert "m.heroes" not in (await hanako.syncs()).room(room)["summary"]
    for content in ({"name": ""}, {}, {"name": 5}):
        await hanako.sets(room, "m.room.name", content)
        assert (await hanako.syncs()).room(room)["summary"]["m.heroes"] == [taro.user_id]


async def test_where_nobody_else_is_left_those_who_were_there_name_the_room(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await hanako.invites(jiro, room)
    summary = (await hanako.syncs()).room(room)["summary"]
    assert (set(summary["m.heroes"]), summary["m.invited_member_count"]) == ({taro.user_id, jiro.user_id}, 1)
    await taro.leaves(room)
    await hanako.post(f"v3/rooms/{room}/ban", {"user_id": jiro.user_id})
    assert set((await hanako.syncs()).room(room)["summary"]["m.heroes"]) == {taro.user_id, jiro.user_id}


async def test_heroes_are_sent_along_where_members_are_lazy(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await hanako.says(room, "x")
    first = await hanako.syncs(wanted=LAZY)
    assert {key for kind, key in first.state(room) if kind == "m.room.member"} == {hanako.user_id, taro.user_id}
    await jiro.joins(room)
    await hanako.says(room, "y")
    second = await hanako.syncs(first.token, wanted=LAZY)
    assert second.room(room)["summary"]["m.heroes"] == [taro.user_id, jiro.user_id]
    assert ("m.room.member", jiro.user_id) in second.state(room)
    assert ("m.room.member", taro.user_id) not in second.state(room)
