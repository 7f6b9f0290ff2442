"""People of both servers come into a room, speak, and leave it: by themselves, invited, let in, put out."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.interop.sides import (
    Ours,
    Side,
    Theirs,
    has_heard,
    is_invited,
    is_outside,
    joins,
    sees_member,
    sees_state,
    until,
)

VERSIONS = ("10", "11", "12")
KNOCK = [{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}]


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


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_invitation_is_accepted(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(name="役員会", room_version=version)
    await hanako.invites(taro, room)
    shown = {event["type"]: event["content"] for event in await is_invited(taro, room)}
    assert shown["m.room.name"] == {"name": "役員会"}
    await joins(taro, room)
    await has_heard(hanako, room, await taro.says(room, "参加しました"))


async def test_an_invitation_is_declined_and_another_one_withdrawn(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(name="役員会")
    await hanako.invites(taro, room)
    await is_invited(taro, room)
    await taro.leaves(room)
    await sees_member(hanako, room, taro, "leave")

    await hanako.invites(taro, room)
    await is_invited(taro, room)
    assert (await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})).status == 200
    await sees_member(hanako, room, taro, "leave")

    async def is_gone() -> bool | None:
        return True if room not in (await taro.syncs()).rooms("invite") else None

    await until(taro, is_gone)
    assert (await taro.post(f"v3/join/{room}", via=here.name)).status == 403


async def test_nobody_joins_what_is_closed_to_them(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room()
    assert (await taro.post(f"v3/join/{room}", via=here.name)).refusal == (403, "M_FORBIDDEN")
    assert room not in (await taro.get("v3/joined_rooms"))["joined_rooms"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_whoever_knocks_is_let_in(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(name="役員会", initial_state=KNOCK, room_version=version)
    asked = await taro.post(f"v3/knock/{room}", {"reason": "入れてください"}, via=here.name)
    assert asked.status == 200, asked
    assert (await sees_member(hanako, room, taro, "knock"))["reason"] == "入れてください"
    await hanako.invites(taro, room)
    await is_invited(taro, room)
    await joins(taro, room, here)
    await has_heard(hanako, room, await taro.says(room, "ありがとう"))


async def test_whoever_is_turned_away_may_knock_again(here: Side, there: Side) -> None:
    """Synapse neither tells it to the other server nor hears it; a second knock must find the way all the same."""
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(initial_state=KNOCK)
    assert (await taro.post(f"v3/knock/{room}", via=here.name)).status == 200
    await sees_member(hanako, room, taro, "knock")
    assert (await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})).status == 200
    await sees_member(hanako, room, taro, "leave")
    assert (await taro.post(f"v3/knock/{room}", {"reason": "もう一度"}, via=here.name)).status == 200
    assert (await sees_member(hanako, room, taro, "knock"))["reason"] == "もう一度"


async def test_a_knock_is_taken_back(ours: Ours, theirs: Theirs) -> None:
    """From here only: Synapse tells nobody ("We don't yet support rescinding knocks over federation")."""
    hanako, taro = await theirs.user("hanako"), await ours.user("taro")
    room = await hanako.creates_room(initial_state=KNOCK)
    assert (await taro.post(f"v3/knock/{room}", via=theirs.name)).status == 200
    await sees_member(hanako, room, taro, "knock")
    answer = await taro.post(f"v3/rooms/{room}/leave")
    assert answer.status == 200, answer
    await sees_member(hanako, room, taro, "leave")


@pytest.mark.parametrize("version", VERSIONS)
async def test_members_of_a_space_join_its_rooms(here: Side, there: Side, version: str) -> None:
    hanako, taro, jiro = await here.user("hanako"), await there.user("taro"), await there.user("jiro")
    space = await hanako.creates_room(preset="public_chat", creation_content={"type": "m.space"})
    allow = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
    restricted = [{"type": "m.room.join_rules", "state_key": "", "content": allow}]
    room = await hanako.creates_room(initial_state=restricted, room_version=version)
    refused = await jiro.post(f"v3/join/{room}", via=here.name)
    assert refused.refusal == (403, "M_FORBIDDEN"), refused
    await joins(taro, space, here)
    await sees_member(hanako, space, taro, "join")
    await joins(taro, room, here)
    member = await sees_member(hanako, room, taro, "join")
    assert member["join_authorised_via_users_server"] == hanako.user_id
    await has_heard(taro, room, await hanako.says(room, "ようこそ"))


async def test_a_second_one_is_let_into_a_restricted_room_that_their_server_is_in(here: Side, there: Side) -> None:
    """Nobody of their own server may invite, so the join goes through the other one again."""
    hanako, taro, jiro = await here.user("hanako"), await there.user("taro"), await there.user("jiro")
    space = await hanako.creates_room(preset="public_chat", creation_content={"type": "m.space"})
    allow = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
    restricted = [{"type": "m.room.join_rules", "state_key": "", "content": allow}]
    closed = {"invite": 50}
    room = await hanako.creates_room(initial_state=restricted, power_level_content_override=closed)
    for person in (taro, jiro):
        await joins(person, space, here)
        await sees_member(hanako, space, person, "join")
        await joins(person, room, here)
        await sees_member(hanako, room, person, "join")
    await has_heard(taro, room, await jiro.says(room, "私も来ました"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_whoever_is_put_out_or_banned_stays_out(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", room_version=version)
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")

    assert (await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})).status == 200
    await is_outside(taro, room)
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")

    assert (await hanako.post(f"v3/rooms/{room}/ban", {"user_id": taro.user_id})).status == 200
    await is_outside(taro, room)
    assert (await taro.post(f"v3/join/{room}", via=here.name)).status == 403
    assert (await hanako.post(f"v3/rooms/{room}/unban", {"user_id": taro.user_id})).status == 200
    await joins(taro, room, here)
    await has_heard(hanako, room, await taro.says(room, "ただいま"))


async def test_who_is_far_away_puts_out_and_bans(here: Side, there: Side) -> None:
    hanako, taro, jiro = await here.user("hanako"), await there.user("taro"), await here.user("jiro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(jiro, room)
    await joins(taro, room, here)
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    await hanako.sets(room, "m.room.power_levels", {**levels, "users": {**levels["users"], taro.user_id: 60}})
    await sees_state(taro, room, "m.room.power_levels", users={**levels["users"], taro.user_id: 60})
    assert (await taro.post(f"v3/rooms/{room}/ban", {"user_id": jiro.user_id})).status == 200
    await is_outside(jiro, room)
    assert (await taro.post(f"v3/rooms/{room}/unban", {"user_id": jiro.user_id})).status == 200
    await sees_member(hanako, room, jiro, "leave")


async def test_one_leaves_and_comes_back(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    await taro.leaves(room)
    await sees_member(hanako, room, taro, "leave")
    await hanako.sets(room, "m.room.name", {"name": "新しい広場"})
    await hanako.says(room, "誰もいない")
    await joins(taro, room, here)
    await sees_state(taro, room, "m.room.name", name="新しい広場")
    await has_heard(taro, room, await hanako.says(room, "おかえり"))
    await has_heard(hanako, room, await taro.says(room, "ただいま"))
