"""What /sync tells of rooms that one comes to, is invited to, or leaves; lazy members; tokens over restarts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.builders import Person, RunningNode

LAZY: dict[str, Any] = {"room": {"state": {"lazy_load_members": True}}}


def members(answer: Any, room: str) -> set[str]:
    return {key for kind, key in answer.state(room) if kind == "m.room.member"}


async def test_a_newly_joined_room_comes_whole(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    for number in range(30):
        await hanako.says(room, str(number))
    since = (await taro.syncs()).token
    await taro.joins(room)
    answer = await taro.syncs(since, wanted={"room": {"timeline": {"limit": 5}}})
    assert answer.texts(room) == ["26", "27", "28", "29"]
    assert answer.timeline(room)[-1]["state_key"] == taro.user_id
    assert answer.room(room)["timeline"]["limited"] is True
    assert answer.state(room)["m.room.name", ""]["content"] == {"name": "広場"}
    assert (await taro.syncs(answer.token)).rooms() == {}


async def test_an_invitation_comes_once_and_turns_into_a_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(name="広場")
    since = (await taro.syncs()).token
    await hanako.invites(taro, room)
    answer = await taro.syncs(since)
    stripped = answer.room(room, "invite")["invite_state"]["events"]
    assert all(set(event) <= {"content", "sender", "state_key", "type", "event_id", "origin_server_ts"}
               for event in stripped)
    assert {"m.room.create", "m.room.name", "m.room.join_rules", "m.room.member"} == {e["type"] for e in stripped}
    assert (await taro.syncs(answer.token)).rooms("invite") == {}
    assert room in (await taro.syncs()).rooms("invite")
    await taro.joins(room)
    joined = await taro.syncs(answer.token)
    assert room in joined.rooms()
    assert joined.rooms("invite") == {}


async def test_a_declined_invitation_tells_nothing_of_the_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    await hanako.invites(taro, room)
    since = (await taro.syncs()).token
    await hanako.sets(room, "m.room.topic", {"topic": "not for taro"})
    await hanako.says(room, "secret")
    await taro.leaves(room)
    for answer in (await taro.syncs(since), await taro.syncs(wanted={"room": {"include_leave": True}})):
        assert [event["content"]["membership"] for event in answer.timeline(room, "leave")] == ["leave"]
        assert answer.state(room, "leave") == {}
        assert "not for taro" not in str(answer.body)


@pytest.mark.parametrize("how", ["leave", "kick", "ban"])
@pytest.mark.parametrize("visibility", ["shared", "joined"])
async def test_a_room_that_was_left_is_told_up_to_that_moment(node: RunningNode, how: str, visibility: str) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", initial_state=[
        {"type": "m.room.history_visibility", "content": {"history_visibility": visibility}},
    ])
    await taro.joins(room)
    since = (await taro.syncs()).token
    await hanako.says(room, "before")
    if how == "leave":
        await taro.leaves(room)
    else:
        await hanako.post(f"v3/rooms/{room}/{how}", {"user_id": taro.user_id})
    await hanako.says(room, "after")
    await hanako.sets(room, "m.room.topic", {"topic": "after"})
    answer = await taro.syncs(since)
    assert answer.texts(room, "leave") == ["before"]
    assert answer.timeline(room, "leave")[-1]["state_key"] == taro.user_id
    assert answer.rooms() == {}
    assert (await taro.syncs(answer.token)).rooms("leave") == {}
    assert (await taro.syncs()).rooms("leave") == {}
    archived = await taro.syncs(wanted={"room": {"include_leave": True}})
    assert archived.texts(room, "leave")[-1] == "before"
    assert "after" not in str(archived.body)


async def test_the_own_leaving_shows_in_a_gap(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    since = (await taro.syncs()).token
    for number in range(20):
        await hanako.says(room, str(number))
    await taro.leaves(room)
    answer = await taro.syncs(since, wanted={"room": {"timeline": {"limit": 3}}})
    assert answer.room(room, "leave")["timeline"]["limited"] is True
    assert answer.timeline(room, "leave")[-1]["content"]["membership"] == "leave"


async def test_leaving_and_coming_back_between_two_answers_is_a_new_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    since = (await taro.syncs()).token
    await taro.leaves(room)
    await hanako.says(room, "meanwhile")
    await taro.joins(room)
    answer = await taro.syncs(since)
    assert "meanwhile" in answer.texts(room)
    assert answer.rooms("leave") == {}


async def test_lazy_loading_brings_only_who_speaks(node: RunningNode) -> None:
    hanako, taro, jiro, saburo = await node.users("hanako", "taro", "jiro", "saburo")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    for person in (taro, jiro, saburo):
        await person.joins(room)
    for _ in range(12):
        await taro.says(room, "x")
    first = await saburo.syncs(wanted=LAZY)
    assert members(first, room) == {taro.user_id, saburo.user_id}
    await jiro.says(room, "y")
    second = await saburo.syncs(first.token, wanted=LAZY)
    assert members(second, room) == {jiro.user_id}
    await jiro.says(room, "z")
    third = await saburo.syncs(second.token, wanted=LAZY)
    assert members(third, room) == set()
    redundant = {"room": {"state": {"lazy_load_members": True, "include_redundant_members": True}}}
    assert members(await saburo.syncs(second.token, wanted=redundant), room) == {jiro.user_id}


async def test_members_come_again_where_the_answer_was_lost(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await taro.joins(room)
    await jiro.joins(room)
    for _ in range(12):
        await hanako.says(room, "x")
    first = await taro.syncs(wanted=LAZY)
    await jiro.says(room, "y")
    for _ in range(3):
        assert members(await taro.syncs(first.token, wanted=LAZY), room) == {jiro.user_id}


async def test_a_gap_brings_all_member_changes_also_when_lazy(node: RunningNode) -> None:
    hanako, taro, jiro, saburo = await node.users("hanako", "taro", "jiro", "saburo")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await jiro.joins(room)
    since = (await taro.syncs(wanted=LAZY)).token
    await saburo.joins(room)
    await jiro.leaves(room)
    for _ in range(20):
        await hanako.says(room, "x")
    answer = await taro.syncs(since, wanted={"room": {**LAZY["room"], "timeline": {"limit": 3}}})
    assert members(answer, room) >= {saburo.user_id, jiro.user_id}


async def test_unread_messages_are_counted(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.says(room, "before taro came")
    await taro.joins(room)

    async def unread(person: Person = taro) -> tuple[int, int]:
        counts = (await person.syncs()).room(room)["unread_notifications"]
        return counts["notification_count"], counts["highlight_count"]

    assert await unread() == (0, 0)
    ids = [await hanako.says(room, text) for text in ("a", "b", "taro: c")]
    await hanako.says(room, "silent", msgtype="m.notice")
    assert await unread() == (3, 1)
    assert await unread(hanako) == (0, 0)
    await node.restart()
    assert await unread() == (3, 1)
    await taro.reads(room, ids[0])
    assert await unread() == (2, 1)
    await taro.put(f"v3/profile/{taro.user_id}/displayname", {"displayname": "taro yamada"})
    assert await unread() == (2, 1)
    await taro.reads(room, ids[2], thread_id="main")
    assert await unread() == (0, 0)
    await hanako.says(room, "d", **{"m.mentions": {"user_ids": [taro.user_id]}})
    assert await unread() == (1, 1)
    await taro.reads(room, (await hanako.syncs()).timeline(room)[-1]["event_id"], "m.read.private")
    assert await unread() == (0, 0)


async def test_threads_are_counted_apart_on_request(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    root = await hanako.says(room, "root")
    answer = await hanako.says(room, "answer", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})
    apart = {"room": {"timeline": {"unread_thread_notifications": True}}}

    async def unread(wanted: Any = None) -> tuple[int, dict[str, Any]]:
        section = (await taro.syncs(wanted=wanted)).room(room)
        return section["unread_notifications"]["notification_count"], section.get("unread_thread_notifications", {})

    assert await unread() == (2, {})
    assert await unread(apart) == (1, {root: {"notification_count": 1, "highlight_count": 0}})
    await taro.reads(room, root, thread_id="main")
    assert await unread(apart) == (0, {root: {"notification_count": 1, "highlight_count": 0}})
    await taro.reads(room, answer, thread_id=root)
    assert await unread(apart) == (0, {})
    assert await unread() == (0, {})


async def test_tokens_stay_good_over_restarts_nothing_lost_nothing_doubled(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    token, seen = (await taro.syncs()).token, []
    for number in range(6):
        await hanako.says(room, f"{number}a")
        if number % 2:
            # Positions of the account's own must not be given out again either.
            await taro.put(f"v3/user/{taro.user_id}/account_data/jp.x", {"n": number})
            answer = await taro.syncs(token)
            seen += answer.texts(room)
            token = answer.token
        await node.restart()
        await hanako.says(room, f"{number}b")
    seen += (await taro.syncs(token)).texts(room)
    assert seen == [f"{number}{part}" for number in range(6) for part in "ab"]


async def test_two_devices_at_once_after_a_start_both_see_all(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    others = [await node.user("hanako") for _ in range(5)]
    rooms = {await hanako.creates_room() for _ in range(3)}
    await node.restart()
    answers = await asyncio.gather(*(person.syncs() for person in [hanako, *others]))
    assert all(set(answer.rooms()) == rooms for answer in answers)


async def test_a_change_of_devices_is_not_hidden_by_a_later_one(node: RunningNode) -> None:
    """Asked for a span that is over, the node rather tells too much than too little."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    before = (await hanako.syncs()).token
    for name in ("夏", "秋"):
        assert (await taro.put(f"v3/devices/{taro.device_id}", {"display_name": name})).status == 200
        if name == "夏":
            between = (await hanako.syncs(before)).token
    answer = await hanako.get("v3/keys/changes", **{"from": before, "to": between})
    assert answer.body == {"changed": [taro.user_id], "left": []}
