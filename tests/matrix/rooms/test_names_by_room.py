"""Names that people go by in one room only."""

from __future__ import annotations

from typing import Any

from tests.builders import Person, RunningNode


async def content(person: Person, room: str) -> Any:
    return (await person.get(f"v3/rooms/{room}/state/m.room.member/{person.user_id}")).body


async def test_a_name_of_one_room_stays_there_when_the_profile_changes(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    home, club = await hanako.creates_room(), await hanako.creates_room()
    own = {"membership": "join", "displayname": "会長"}
    assert (await hanako.sets(club, "m.room.member", own, hanako.user_id)).status == 200
    path = f"v3/profile/{hanako.user_id}"
    await hanako.put(f"{path}/displayname", {"displayname": "花子"})
    assert (await content(hanako, home))["displayname"] == "花子"
    assert (await content(hanako, club))["displayname"] == "会長"
    await hanako.put(f"{path}/avatar_url", {"avatar_url": "mxc://sakura.example/a"})
    assert await content(hanako, club) == {**own, "avatar_url": "mxc://sakura.example/a"}
    await hanako.delete(f"{path}/avatar_url")
    assert await content(hanako, club) == own


async def test_one_joins_under_another_name(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    assert (await taro.post(f"v3/join/{room}", {"displayname": "会計"})).status == 200
    assert (await content(taro, room))["displayname"] == "会計"


async def test_a_change_that_does_not_show_makes_no_event(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    since = (await hanako.syncs()).token
    await hanako.put(f"v3/profile/{hanako.user_id}/m.tz", {"m.tz": "Asia/Tokyo"})
    assert room not in (await hanako.syncs(since)).rooms()
