"""Sliding sync as it was accepted: ``POST v4/sync`` (MSC4186, and the MSCs of its extensions)."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import Device, state_of
from tests.matrix.sliding.merged import EVERYTHING, PATH, Json, MergedDevice, element, named, one_list


def told_state(room: Json) -> set[tuple[str, str]]:
    return {(event["type"], event["state_key"]) for event in room["required_state"]}


async def test_a_room_comes_with_its_membership_and_the_lists_that_show_it(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "hello")
    lists = {**one_list(), "others": one_list(is_encrypted=True)["main"]}
    answer = await MergedDevice(taro, lists=lists).syncs()
    assert answer["lists"] == {"main": {"count": 1}, "others": {"count": 0}}
    told = answer["rooms"][room]
    assert (told["membership"], told["lists"]) == ("join", ["main"])
    assert [event["content"]["body"] for event in told["timeline_events"]] == ["hello"]
    assert told["name"] == "Hall"
    assert (told["joined_count"], told["notification_count"], told["limited"]) == (2, 1, True)
    assert not {"timeline", "invite_state"} & set(told)


async def test_a_room_asked_for_by_name_alone_names_no_list(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    answer = await MergedDevice(taro, lists={}, room_subscriptions=named(room, "!nowhere:x")).syncs()
    assert set(answer["rooms"]) == {room}
    assert "lists" not in answer["rooms"][room]


async def test_position_and_timeout_are_in_the_body(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = MergedDevice(taro)
    await device.syncs()
    waiting = asyncio.ensure_future(device.syncs(timeout=30_000))
    await hanako.get("v3/joined_rooms")
    assert not waiting.done()
    await hanako.says(room, "wake up")
    told = (await asyncio.wait_for(waiting, 20))["rooms"][room]
    assert [event["content"]["body"] for event in told["timeline_events"]] == ["wake up"]
    assert told["num_live"] == 1
    lost, again = await device.asks(device.pos), await device.asks(device.pos)
    assert lost["rooms"] == again["rooms"] == {}
    assert (await device.asks("s1_1~x~1")).refusal == (400, "M_UNKNOWN_POS")


async def test_without_a_position_nobody_waits(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    answer = await asyncio.wait_for(hanako.post(PATH, {"timeout": 30_000}), 20)
    assert answer["rooms"] == {}


async def test_state_is_included_and_excluded(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall

    async def state(**wish: object) -> set[tuple[str, str]]:
        answer = await MergedDevice(taro, lists=one_list(state=dict(wish))).syncs()
        return told_state(answer["rooms"][room])

    create, members = ("m.room.create", ""), {("m.room.member", hanako.user_id), ("m.room.member", taro.user_id)}
    assert await state() == set()
    assert await state(include=[element("m.room.create", "")]) == {create}
    assert await state(include=[element("m.room.member")]) == members
    assert await state(include=[element(state_key=taro.user_id)]) == {("m.room.member", taro.user_id)}
    everything = await state(include=[{}])
    assert everything >= members | {create, ("m.room.power_levels", "")}
    assert await state(include=[{}], exclude=[element("m.room.create", "")]) == everything - {create}
    assert await state(include=[{}], exclude=[element("m.room.member")]) == everything - members
    assert await state(include=[element("m.room.create")], exclude=[{}]) == set()
    assert await state(include=[element("$ME", "$LAZY"), element("*", "*")]) == set()


async def test_members_may_come_when_they_speak(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "hello")
    wish = {"include": [{}], "exclude": [element("m.room.member")], "lazy_members": True}
    device = MergedDevice(taro, lists=one_list(state={**EVERYTHING, "lazy_members": True}))
    told = told_state((await device.syncs())["rooms"][room])
    assert {key for key in told if key[0] == "m.room.member"} == {("m.room.member", hanako.user_id)}
    assert ("m.room.create", "") in told
    told = told_state((await MergedDevice(taro, "two", lists=one_list(state=wish)).syncs())["rooms"][room])
    assert ("m.room.member", hanako.user_id) in told
    await taro.says(room, "good day")
    assert told_state((await device.syncs())["rooms"][room]) == {("m.room.member", taro.user_id)}


async def test_two_wishes_for_one_room_are_both_heard(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    lists = one_list(limit=1, state={"include": [{}], "exclude": [element("m.room.create")]})
    also = named(room, limit=3, state={"include": [element("m.room.create")]})
    told = (await MergedDevice(taro, lists=lists, room_subscriptions=also).syncs())["rooms"][room]
    assert ("m.room.create", "") in told_state(told)
    assert len(told["timeline_events"]) == 3


async def test_a_room_that_is_opened_shows_more_of_its_past(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    for number in range(4):
        await hanako.says(room, str(number))
    device = MergedDevice(taro)
    await device.syncs()
    told = (await device.syncs(room_subscriptions=named(room, limit=3)))["rooms"][room]
    assert told["expanded_timeline"] is True
    assert [event["content"]["body"] for event in told["timeline_events"]] == ["1", "2", "3"]


async def test_an_invitation_is_stripped_and_has_nothing_else(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(name="Garden", invite=[taro.user_id])
    device = MergedDevice(taro)
    told = (await device.syncs())["rooms"][room]
    assert set(told) == {"membership", "lists", "bump_stamp", "stripped_state"}
    assert told["membership"] == "invite"
    shown = {(event["type"], event["state_key"]): event["content"] for event in told["stripped_state"]}
    assert shown["m.room.name", ""] == {"name": "Garden"}
    assert shown["m.room.member", taro.user_id]["membership"] == "invite"
    await taro.leaves(room)
    told = (await device.syncs())["rooms"][room]
    assert set(told) == {"membership", "bump_stamp", "stripped_state"}
    assert [event["content"]["membership"] for event in told["stripped_state"]] == ["leave"]


async def test_a_name_that_was_taken_away_is_null(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = MergedDevice(taro)
    await device.syncs()
    await hanako.sets(room, "m.room.name", {})
    told = (await device.syncs())["rooms"][room]
    assert told["name"] is None
    assert [hero["user_id"] for hero in told["heroes"]] == [hanako.user_id]


async def test_invitations_are_filtered_by_their_new_name(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    own = await taro.creates_room()
    invited = await hanako.creates_room(invite=[taro.user_id])
    for wanted, rooms in ((True, {invited}), (False, {own})):
        answer = await MergedDevice(taro, lists=one_list(None, is_invited=wanted)).syncs()
        assert set(answer["rooms"]) == rooms


async def test_a_position_pages_the_history_and_device_changes(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "one")
    for device in (MergedDevice(taro), Device(taro)):
        await device.syncs()
        earlier = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="1", **{"from": device.pos})
        assert [event["content"]["body"] for event in earlier["chunk"]] == ["one"]
        changes = await taro.get("v3/keys/changes", **{"from": device.pos, "to": device.pos})
        assert changes["left"] == []


@pytest.mark.parametrize("prefixes", [dict.fromkeys(range(5), ""), {
    0: "org.matrix.msc4508.", 1: "org.matrix.msc4551.", 2: "org.matrix.msc4548.", 3: "org.matrix.msc4538.",
    4: "org.matrix.msc4543.",
}])
async def test_extensions_have_two_names_and_no_wrapping(
    hall: tuple[Person, Person, str], prefixes: dict[int, str]
) -> None:
    hanako, taro, room = hall
    typing, receipts, data, to_device, e2ee = (
        prefixes[number] + name
        for number, name in enumerate(("typing", "receipts", "account_data", "to_device", "e2ee"))
    )
    event_id = await hanako.says(room, "hello")
    await hanako.reads(room, event_id)
    await taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.favourite", {})
    await hanako.put("v3/sendToDevice/m.room_key/t1", {"messages": {taro.user_id: {"*": {"key": 1}}}})
    wanted = (typing, receipts, data, to_device, e2ee)
    device = MergedDevice(taro, extensions={name: {"enabled": True} for name in wanted})
    told = (await device.syncs())["extensions"]
    assert set(told[receipts]["rooms"][room][event_id]["m.read"]) == {hanako.user_id}
    assert [item["type"] for item in told[data]["rooms"][room]] == ["m.tag"]
    assert [event["type"] for event in told[to_device]["events"]] == ["m.room_key"]
    assert told[e2ee]["device_unused_fallback_key_types"] == []
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True, "timeout": 30_000})
    assert (await device.syncs())["extensions"][typing] == {"rooms": {room: {"user_ids": [hanako.user_id]}}}


async def test_a_star_is_the_name_of_no_list(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    await taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/m.favourite", {})
    wish = {"account_data": {"enabled": True, "lists": ["*"], "rooms": ["*"]}}
    assert (await MergedDevice(taro, extensions=wish).syncs())["extensions"]["account_data"]["rooms"] == {}


async def test_a_device_is_seen_as_it_wishes(node: RunningNode) -> None:
    people = await node.users("hanako", "taro", "jiro", "saburo")
    room = await people[0].creates_room(preset="public_chat")
    for person in people[1:]:
        await person.joins(room)
    _hanako, taro, jiro, saburo = people
    await MergedDevice(taro).syncs(set_presence="unavailable")
    await MergedDevice(jiro).syncs()
    await Device(saburo).syncs()
    seen = [(await people[0].get(f"v3/presence/{person.user_id}/status"))["presence"] for person in people[1:]]
    assert seen == ["unavailable", "online", "online"]


GOOD: Json = {"timeline_limit": 1, "required_state": {}}


@pytest.mark.parametrize(("body", "code"), [
    ({"pos": 1}, "M_BAD_JSON"), ({"timeout": "1"}, "M_BAD_JSON"), ({"timeout": -1}, "M_INVALID_PARAM"),
    ({"set_presence": "asleep"}, "M_INVALID_PARAM"), ({"lists": {"a b": GOOD}}, "M_INVALID_PARAM"),
    ({"lists": {"": GOOD}}, "M_INVALID_PARAM"), ({"lists": {"a": {**GOOD, "range": [[0, 1]]}}}, "M_INVALID_PARAM"),
    ({"lists": {"a": {**GOOD, "range": [3, 1]}}}, "M_INVALID_PARAM"),
    ({"lists": {str(number): GOOD for number in range(101)}}, "M_INVALID_PARAM"),
    ({"lists": {"a": {"timeline_limit": 1, "required_state": []}}}, "M_BAD_JSON"),
    ({"lists": {"a": {**GOOD, "required_state": {"include": {}}}}}, "M_BAD_JSON"),
    ({"lists": {"a": {**GOOD, "required_state": {"include": ["x"]}}}}, "M_BAD_JSON"),
    ({"lists": {"a": {**GOOD, "required_state": {"include": [{"type": 1}]}}}}, "M_BAD_JSON"),
    ({"lists": {"a": {**GOOD, "required_state": {"lazy_members": 1}}}}, "M_BAD_JSON"),
    ({"lists": {"a": {**GOOD, "required_state": {"include": [{}] * 1001}}}}, "M_INVALID_PARAM"),
    ({"room_subscriptions": {f"!{number}:x": GOOD for number in range(1001)}}, "M_INVALID_PARAM"),
    ({"extensions": {"to_device": {"enabled": True, "limit": 0}}}, "M_INVALID_PARAM"),
    ({"extensions": {"to_device": {"enabled": True, "limit": "3"}}}, "M_INVALID_PARAM"),
    ({"extensions": {"to_device": {"enabled": True, "since": "x"}}}, "M_INVALID_PARAM"),
    ([], "M_BAD_JSON"), (b"{", "M_NOT_JSON"),
])
async def test_a_request_of_wrong_kinds_is_refused(node: RunningNode, body: Json, code: str) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post(PATH, body)).refusal == (400, code)


async def test_strangers_are_refused_and_unknown_things_are_passed_over(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    assert (await node.ask("POST", PATH, {})).refusal == (401, "M_MISSING_TOKEN")
    answer = await hanako.post(PATH, {"unknown": 1, "extensions": {"org.example.new": {"enabled": True}}})
    assert answer["extensions"] == {}


async def test_both_dialects_may_be_spoken_at_once(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    old, new = Device(taro, "old"), MergedDevice(taro, "new")
    await old.syncs()
    await new.syncs()
    await hanako.sets(room, "m.room.topic", {"topic": "garden"})
    assert ("m.room.topic", "") in state_of((await old.syncs())["rooms"][room])
    assert [event["type"] for event in (await new.syncs())["rooms"][room]["timeline_events"]] == ["m.room.topic"]
