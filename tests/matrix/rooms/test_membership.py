"""Coming and going."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import Person, RunningNode

VOUCHER = "join_authorised_via_users_server"


async def membership(of: Person, room: str, seen_by: Person) -> str:
    answer = await seen_by.get(f"v3/rooms/{room}/state/m.room.member/{of.user_id}")
    return str(answer["membership"])


async def test_an_invited_user_joins_and_others_do_not(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room()
    await hanako.invites(taro, room)
    await taro.joins(room)
    assert (await jiro.post(f"v3/join/{room}")).refusal == (403, "M_FORBIDDEN")
    joined = (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]
    assert joined == {
        hanako.user_id: {"display_name": "hanako"},
        taro.user_id: {"display_name": "taro"},
    }
    assert (await taro.get("v3/joined_rooms"))["joined_rooms"] == [room]
    assert (await jiro.get(f"v3/rooms/{room}/joined_members")).refusal == (403, "M_FORBIDDEN")


async def test_joining_twice_makes_one_event_also_at_the_same_moment(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await asyncio.gather(*(taro.joins(room) for _ in range(8)))
    await taro.joins(room)
    joins = [e for e in (await hanako.syncs()).timeline(room) if e.get("state_key") == taro.user_id]
    assert len(joins) == 1


async def test_custom_content_goes_into_the_join(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", room_alias_name="hall")
    answer = await taro.post("v3/join/%23hall:sakura.example", {"jp.kairan.x": "y", "reason": "because"})
    assert answer["room_id"] == room
    content = (await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")).body
    assert content == {"membership": "join", "displayname": "taro", "jp.kairan.x": "y", "reason": "because"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("v3/join/!nowhere:sakura.example", 404, "M_NOT_FOUND"),
        ("v3/join/%23nothing:sakura.example", 404, "M_NOT_FOUND"),
        ("v3/join/nonsense", 400, "M_INVALID_PARAM"),
        ("v3/rooms/nonsense/join", 400, "M_INVALID_PARAM"),
        ("v3/rooms/!nowhere:sakura.example/leave", 404, "M_NOT_FOUND"),
        ("v3/knock/!nowhere:sakura.example", 404, "M_NOT_FOUND"),
        ("v3/rooms/!nowhere:sakura.example/forget", 404, "M_NOT_FOUND"),
    ],
)
async def test_unknown_rooms_are_refused(node: RunningNode, path: str, status: int, code: str) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post(path)).refusal == (status, code)


async def test_an_invitation_can_be_declined_and_given_again(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    for _ in range(2):
        await hanako.invites(taro, room)
        assert await membership(taro, room, hanako) == "invite"
        await taro.leaves(room)
        assert await membership(taro, room, hanako) == "leave"
    assert (await taro.post(f"v3/join/{room}")).status == 403


async def test_invitations_that_make_no_sense_are_refused(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room()
    path = f"v3/rooms/{room}/invite"
    assert (await hanako.post(path, {"user_id": hanako.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post(path, {"user_id": "@nobody:sakura.example"})).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.post(path, {"user_id": "nonsense"})).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.post(path, {"user_id": 5})).refusal == (400, "M_BAD_JSON")
    assert (await hanako.post(path, {})).refusal == (400, "M_MISSING_PARAM")
    mail = {"medium": "email", "address": "a@b.example", "id_server": "c.example", "id_access_token": "d"}
    assert (await hanako.post(path, mail)).refusal == (403, "M_THREEPID_DENIED")
    assert (await taro.post(path, {"user_id": jiro.user_id})).refusal == (403, "M_FORBIDDEN")
    before = await hanako.syncs()
    assert len([e for e in before.timeline(room) if e["type"] == "m.room.member"]) == 1


async def test_leaving_twice_is_no_fault_but_a_stranger_cannot_leave(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.leaves(room)
    await taro.leaves(room)
    assert (await jiro.post(f"v3/rooms/{room}/leave")).refusal == (403, "M_FORBIDDEN")
    assert (await taro.sends(room, "m.room.message", {"body": "x"})).refusal == (403, "M_FORBIDDEN")


async def test_a_kick_needs_power_and_a_member(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    path = f"v3/rooms/{room}/kick"
    assert (await taro.post(path, {"user_id": hanako.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post(path, {"user_id": jiro.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.post(path, {"user_id": taro.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post(path, {"user_id": taro.user_id, "reason": "noise"})).status == 200
    content = (await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")).body
    assert content == {"membership": "leave", "reason": "noise"}
    await taro.joins(room)


async def test_who_is_banned_stays_out_until_unbanned(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    assert (await hanako.post(f"v3/rooms/{room}/unban", {"user_id": taro.user_id})).refusal == (403, "M_BAD_STATE")
    assert (await hanako.post(f"v3/rooms/{room}/ban", {"user_id": taro.user_id})).status == 200
    assert (await taro.post(f"v3/join/{room}")).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})).refusal == (403, "M_FORBIDDEN")
    assert (await taro.post(f"v3/rooms/{room}/leave")).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.post(f"v3/rooms/{room}/unban", {"user_id": taro.user_id})).status == 200
    await taro.joins(room)


async def test_who_has_left_cannot_ban(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await hanako.leaves(room)
    assert (await hanako.post(f"v3/rooms/{room}/ban", {"user_id": taro.user_id})).refusal == (403, "M_FORBIDDEN")


async def test_a_knock_is_answered_by_an_invitation(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(initial_state=[
        {"type": "m.room.join_rules", "content": {"join_rule": "knock"}},
    ])
    assert (await taro.post(f"v3/knock/{room}", {"reason": "隣です"}))["room_id"] == room
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}"))["reason"] == "隣です"
    assert room in (await taro.syncs()).rooms("knock")
    await hanako.invites(taro, room)
    await taro.joins(room)
    assert (await taro.post(f"v3/knock/{room}")).refusal == (403, "M_FORBIDDEN")
    closed = await hanako.creates_room()
    assert (await taro.post(f"v3/knock/{closed}")).refusal == (403, "M_FORBIDDEN")


async def test_a_forgotten_room_is_shut(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    assert (await taro.post(f"v3/rooms/{room}/forget")).status == 400
    await taro.leaves(room)
    assert (await taro.get(f"v3/rooms/{room}/messages", dir="b")).status == 200
    assert (await taro.post(f"v3/rooms/{room}/forget")).status == 200
    assert (await taro.get(f"v3/rooms/{room}/messages", dir="b")).refusal == (403, "M_FORBIDDEN")
    assert room not in (await taro.syncs(wanted={"room": {"include_leave": True}})).rooms("leave")
    await node.restart()
    assert room not in (await taro.syncs(wanted={"room": {"include_leave": True}})).rooms("leave")
    await taro.joins(room)
    assert (await taro.get(f"v3/rooms/{room}/messages", dir="b")).status == 200


async def test_members_of_one_room_may_join_another(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    outer = await hanako.creates_room(preset="public_chat")
    inner = await hanako.creates_room(initial_state=[{
        "type": "m.room.join_rules",
        "content": {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": outer}]},
    }])
    assert (await taro.post(f"v3/join/{inner}")).refusal == (403, "M_FORBIDDEN")
    await taro.joins(outer)
    await taro.joins(inner)
    content = (await hanako.get(f"v3/rooms/{inner}/state/m.room.member/{taro.user_id}")).body
    assert content[VOUCHER] == hanako.user_id
    assert (await jiro.post(f"v3/join/{inner}")).status == 403


async def test_nobody_vouches_for_themselves(node: RunningNode) -> None:
    hanako, jiro = await node.users("hanako", "jiro")
    outer = await hanako.creates_room(preset="public_chat")
    inner = await hanako.creates_room(initial_state=[{
        "type": "m.room.join_rules",
        "content": {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": outer}]},
    }])
    forged = {VOUCHER: hanako.user_id}
    assert (await jiro.post(f"v3/join/{inner}", forged)).refusal == (403, "M_FORBIDDEN")
    as_state = await jiro.sets(inner, "m.room.member", {"membership": "join", **forged}, jiro.user_id)
    assert as_state.refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get("v3/joined_rooms"))["joined_rooms"] == []


async def test_a_new_name_shows_in_all_rooms_without_coming_in_again(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    rooms = [await hanako.creates_room(preset="public_chat") for _ in range(3)]
    for room in rooms:
        await taro.joins(room)
    since = (await taro.syncs()).token
    assert (await taro.put(f"v3/profile/{taro.user_id}/displayname", {"displayname": "山田太郎"})).status == 200
    for room in rooms:
        content = (await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")).body
        assert content == {"membership": "join", "displayname": "山田太郎"}
    after = await taro.syncs(since)
    assert [event["type"] for event in after.timeline(rooms[0])] == ["m.room.member"]
    assert not after.state(rooms[0])
    await node.restart()
    assert not (await taro.syncs(since)).state(rooms[0])


async def test_guests_need_the_rooms_leave(tmp_path_factory: pytest.TempPathFactory, node: RunningNode) -> None:
    hanako = await node.user("hanako")
    user_id = await node.inside.accounts.create_user(None, guest=True)
    token, device = await node.inside.accounts.create_session(user_id)
    guest = Person(node, user_id, token, device)
    shut = await hanako.creates_room(preset="public_chat")
    ajar = await hanako.creates_room(preset="public_chat", initial_state=[
        {"type": "m.room.guest_access", "content": {"guest_access": "can_join"}},
    ])
    assert (await guest.post(f"v3/join/{shut}")).refusal == (403, "M_GUEST_ACCESS_FORBIDDEN")
    await guest.joins(ajar)
    assert (await guest.post("v3/createRoom", {})).refusal == (403, "M_GUEST_ACCESS_FORBIDDEN")
