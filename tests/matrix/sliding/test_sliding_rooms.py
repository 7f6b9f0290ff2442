"""What sliding sync tells of rooms, asked as Element X asks."""

from __future__ import annotations

from typing import Any

from tests.builders import Person, RunningNode
from tests.matrix.sliding.element_x import ROOM_LIST_EXTENSIONS, Device, all_rooms, opened, state_of, texts


async def test_a_room_at_first_sight_has_all_that_a_room_list_needs(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "one")
    await hanako.says(room, "two")
    answer = await Device(taro, extensions=ROOM_LIST_EXTENSIONS).syncs()
    assert answer["lists"] == {"all_rooms": {"count": 1}}
    told = answer["rooms"][room]
    assert texts(told) == ["two"]
    assert told["initial"] is True
    assert told["limited"] is True
    assert told["num_live"] == 0
    assert told["name"] == "Hall"
    assert "heroes" not in told
    assert (told["joined_count"], told["invited_count"]) == (2, 0)
    assert (told["notification_count"], told["highlight_count"]) == (2, 0)
    assert told["bump_stamp"] > 0
    assert "is_dm" not in told
    members = {key for kind, key in state_of(told) if kind == "m.room.member"}
    assert members == {hanako.user_id, taro.user_id}
    earlier = await taro.get(f"v3/rooms/{room}/messages", dir="b", **{"from": told["prev_batch"]}, limit="1")
    assert earlier["chunk"][0]["content"]["body"] == "one"


async def test_a_list_grows_and_each_room_is_told_once(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    rooms = [await hanako.creates_room(name=str(number)) for number in range(7)]
    device = Device(hanako)
    first = await device.syncs(lists=all_rooms(2))
    assert first["lists"]["all_rooms"]["count"] == 7
    assert set(first["rooms"]) == set(rooms[4:])
    second = await device.syncs(lists=all_rooms(5))
    assert set(second["rooms"]) == set(rooms[1:4])
    assert all(told["initial"] for told in second["rooms"].values())
    assert set((await device.syncs(lists=all_rooms(99)))["rooms"]) == {rooms[0]}
    assert (await device.syncs())["rooms"] == {}


async def test_the_newest_activity_comes_first(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    rooms = [await hanako.creates_room(name=str(number)) for number in range(4)]
    await hanako.says(rooms[1], "here")
    assert set((await Device(hanako).syncs(lists=all_rooms(1)))["rooms"]) == {rooms[1], rooms[3]}
    device = Device(hanako)
    await device.syncs(lists=all_rooms(0))
    await hanako.says(rooms[0], "now here")
    answer = await device.syncs()
    assert set(answer["rooms"]) == {rooms[0]}
    assert answer["rooms"][rooms[0]]["initial"] is True
    assert answer["rooms"][rooms[0]]["num_live"] == 1


async def test_only_what_others_want_to_hear_of_bumps_a_room(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    stamp = (await device.syncs())["rooms"][room]["bump_stamp"]
    await hanako.sets(room, "m.room.topic", {"topic": "quiet"})
    assert "bump_stamp" not in (await device.syncs())["rooms"][room]
    for kind in ("m.room.encrypted", "org.matrix.msc3381.poll.start", "m.room.message"):
        await hanako.sends(room, kind, {"body": "x", "msgtype": "m.text"})
        newer = (await device.syncs())["rooms"][room]["bump_stamp"]
        assert newer > stamp
        stamp = newer


async def test_only_rooms_with_news_are_told_and_every_message_once(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.creates_room(name="other")
    device = Device(hanako, lists=all_rooms(limit=20))
    await device.syncs()
    seen: list[str] = []
    for number in range(8):
        await taro.says(room, str(number))
        if number % 3 == 0:
            answer = await device.syncs()
            assert set(answer["rooms"]) == {room}
            told = answer["rooms"][room]
            assert "initial" not in told
            assert told["limited"] is False
            assert told["num_live"] == len(told["timeline"])
            seen += texts(told)
    assert seen + texts((await device.syncs())["rooms"][room]) == [str(number) for number in range(8)]


async def test_a_gap_is_said_to_be_one(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    await hanako.sets(room, "m.room.topic", {"topic": "new"})
    for number in range(5):
        await hanako.says(room, str(number))
    told = (await device.syncs())["rooms"][room]
    assert told["limited"] is True
    assert texts(told) == ["4"]
    assert ("m.room.topic", "") in state_of(told)


async def test_a_room_that_is_opened_shows_more_of_its_past(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    for number in range(5):
        await hanako.says(room, str(number))
    await hanako.sets(room, "m.room.pinned_events", {"pinned": []})
    device = Device(taro)
    await device.syncs()
    told = (await device.syncs(room_subscriptions=opened(room, limit=4)))["rooms"][room]
    assert told["unstable_expanded_timeline"] is True
    assert "initial" not in told
    assert texts(told) == ["2", "3", "4", "m.room.pinned_events"]
    assert told["num_live"] == 0
    assert told["limited"] is True
    assert set(state_of(told)) == {("m.room.pinned_events", "")}
    assert (await device.syncs())["rooms"] == {}
    assert (await device.syncs(room_subscriptions={}))["rooms"] == {}
    again = (await device.syncs(room_subscriptions=opened(room, limit=4)))["rooms"]
    assert all("unstable_expanded_timeline" not in told for told in again.values())


async def test_state_that_is_asked_for_later_comes_at_once(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, room = hall
    await hanako.sets(room, "m.room.topic", {"topic": "garden"})
    device = Device(hanako, lists=all_rooms(state=[["m.room.name", ""]]))
    assert set(state_of((await device.syncs())["rooms"][room])) == {("m.room.name", "")}
    more = all_rooms(state=[["m.room.name", ""], ["m.room.topic", ""]])
    assert set(state_of((await device.syncs(lists=more))["rooms"][room])) == {("m.room.topic", "")}
    assert (await device.syncs())["rooms"] == {}


async def test_stars_stand_for_all_types_and_all_keys(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    everything = await Device(hanako, lists=all_rooms(state=[["*", "*"]])).syncs()
    assert {kind for kind, _ in state_of(everything["rooms"][room])} >= {"m.room.create", "m.room.power_levels"}
    members = await Device(hanako, lists=all_rooms(state=[["m.room.member", "*"]])).syncs()
    assert set(state_of(members["rooms"][room])) == {
        ("m.room.member", hanako.user_id), ("m.room.member", taro.user_id),
    }
    own = await Device(hanako, lists=all_rooms(state=[["*", "$ME"]])).syncs()
    assert set(state_of(own["rooms"][room])) == {("m.room.member", hanako.user_id)}


async def test_members_come_when_they_speak_and_only_once(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "hello")
    device = Device(hanako, lists=all_rooms(state=[["m.room.member", "$LAZY"]]))
    assert set(state_of((await device.syncs())["rooms"][room])) == {("m.room.member", hanako.user_id)}
    await taro.says(room, "good day")
    assert set(state_of((await device.syncs())["rooms"][room])) == {("m.room.member", taro.user_id)}
    await taro.says(room, "again")
    assert (await device.syncs())["rooms"][room]["required_state"] == []
    await taro.put(f"v3/profile/{taro.user_id}/displayname", {"displayname": "Taro T."})
    told = (await device.syncs())["rooms"][room]
    assert state_of(told)["m.room.member", taro.user_id]["content"]["displayname"] == "Taro T."


async def test_one_asks_for_oneself_alone(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "hello")
    answer = await Device(taro, lists=all_rooms(state=[["m.room.member", "$ME"]])).syncs()
    assert set(state_of(answer["rooms"][room])) == {("m.room.member", taro.user_id)}


async def test_a_room_without_a_name_has_heroes(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="trusted_private_chat", invite=[taro.user_id], is_direct=True)
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/m.direct", {taro.user_id: [room]})
    device = Device(hanako)
    told = (await device.syncs())["rooms"][room]
    assert told["heroes"] == [{"user_id": taro.user_id, "displayname": "taro"}]
    assert told["is_dm"] is True
    assert "name" not in told
    assert (told["joined_count"], told["invited_count"]) == (1, 1)
    await taro.joins(room)
    told = (await device.syncs())["rooms"][room]
    assert (told["joined_count"], told["invited_count"]) == (2, 0)
    await hanako.sets(room, "m.room.name", {"name": "Us"})
    assert (await device.syncs())["rooms"][room]["name"] == "Us"


async def test_a_room_becomes_a_direct_chat(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(hanako)
    await device.syncs()
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/m.direct", {taro.user_id: [room], "nonsense": 3})
    assert (await device.syncs())["rooms"][room]["is_dm"] is True


async def test_an_invitation_comes_with_what_the_room_is_called(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    device = Device(taro)
    assert (await device.syncs())["lists"]["all_rooms"]["count"] == 0
    room = await hanako.creates_room(name="Garden")
    await hanako.invites(taro, room)
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 1
    told = answer["rooms"][room]
    shown = {(event["type"], event["state_key"]): event["content"] for event in told["invite_state"]}
    assert shown["m.room.name", ""] == {"name": "Garden"}
    assert shown["m.room.member", taro.user_id]["membership"] == "invite"
    assert "timeline" not in told
    assert told["required_state"] == []
    assert (await device.syncs())["rooms"] == {}
    await taro.joins(room)
    told = (await device.syncs())["rooms"][room]
    assert told["initial"] is True
    assert told["name"] == "Garden"
    assert "invite_state" not in told


async def test_an_invitation_by_somebody_ignored_is_not_shown(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await taro.put(f"v3/user/{taro.user_id}/account_data/m.ignored_user_list", {"ignored_users": {hanako.user_id: {}}})
    await hanako.creates_room(invite=[taro.user_id])
    assert (await Device(taro).syncs())["rooms"] == {}


async def test_a_declined_invitation_goes_away(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(invite=[taro.user_id], preset="public_chat")
    device = Device(taro)
    await device.syncs()
    await taro.leaves(room)
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 0
    told = answer["rooms"][room]
    assert [event["content"]["membership"] for event in told["timeline"]] == ["leave"]
    assert (await device.syncs())["rooms"] == {}


async def test_a_room_that_one_left_is_told_once_and_disappears(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    await taro.leaves(room)
    await hanako.says(room, "secret")
    answer = await device.syncs()
    assert answer["lists"]["all_rooms"]["count"] == 0
    told = answer["rooms"][room]
    assert state_of(told)["m.room.member", taro.user_id]["content"]["membership"] == "leave"
    assert "secret" not in texts(told)
    await hanako.says(room, "more")
    assert (await device.syncs())["rooms"] == {}
    assert room not in (await Device(taro, "other").syncs())["rooms"]
    await taro.joins(room)
    assert (await device.syncs())["rooms"][room]["initial"] is True


async def test_a_room_that_is_forgotten_at_once_disappears_too(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    await taro.leaves(room)
    assert (await taro.post(f"v3/rooms/{room}/forget")).status == 200
    told = (await device.syncs())["rooms"][room]
    assert state_of(told)["m.room.member", taro.user_id]["content"]["membership"] == "leave"
    assert (await device.syncs())["rooms"] == {}


async def test_whoever_was_put_out_still_sees_the_room(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    device = Device(taro)
    await device.syncs()
    await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})
    await hanako.says(room, "secret")
    for told in ((await device.syncs())["rooms"][room], (await Device(taro, "b").syncs())["rooms"][room]):
        assert state_of(told)["m.room.member", taro.user_id]["content"]["membership"] == "leave"
        assert "secret" not in texts(told)
    assert (await device.syncs())["rooms"] == {}


async def test_nobody_sees_rooms_of_others(hall: tuple[Person, Person, str], node: RunningNode) -> None:
    jiro = await node.user("jiro")
    _hanako, _taro, room = hall
    assert (await Device(jiro, room_subscriptions=opened(room, "!nowhere:x")).syncs())["rooms"] == {}


async def test_what_was_said_before_one_came_stays_hidden(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.sets(room, "m.room.history_visibility", {"history_visibility": "joined"})
    await hanako.says(room, "before")
    await taro.joins(room)
    await hanako.says(room, "after")
    told = (await Device(taro, lists=all_rooms(limit=50)).syncs())["rooms"][room]
    assert "before" not in texts(told)
    assert "after" in texts(told)


async def test_filters_choose_rooms(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    plain = await hanako.creates_room(name="plain")
    secret = await hanako.creates_room(initial_state=[
        {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
    ])
    space = await hanako.creates_room(creation_content={"type": "m.space"})
    await hanako.sets(space, "m.space.child", {"via": ["sakura.example"]}, plain)
    invited = await taro.creates_room(invite=[hanako.user_id])
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/m.direct", {taro.user_id: [secret]})

    async def rooms(**filters: Any) -> set[str]:
        answer = await Device(hanako).syncs(lists=all_rooms(**filters))
        assert answer["lists"]["all_rooms"]["count"] == len(answer["rooms"])
        return set(answer["rooms"])

    everything = {plain, secret, space, invited}
    assert await rooms() == everything
    assert await rooms(is_dm=True) == {secret}
    assert await rooms(is_dm=False) == everything - {secret}
    assert await rooms(is_encrypted=True) == {secret}
    assert await rooms(is_invite=True) == {invited}
    assert await rooms(is_invite=False) == everything - {invited}
    assert await rooms(room_types=["m.space"]) == {space}
    assert await rooms(not_room_types=["m.space"]) == everything - {space}
    assert await rooms(room_types=[None], not_room_types=[None]) == set()
    assert await rooms(spaces=[space]) == {plain}


async def test_the_sender_finds_the_transaction_id(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    mine, his = Device(hanako), Device(taro)
    await mine.syncs()
    await his.syncs()
    await hanako.sends(room, "m.room.message", {"msgtype": "m.text", "body": "x"}, txn="my-txn")
    assert (await mine.syncs())["rooms"][room]["timeline"][0]["unsigned"]["transaction_id"] == "my-txn"
    assert (await his.syncs())["rooms"][room]["timeline"][0]["unsigned"] == {"membership": "join"}


async def test_events_say_what_one_was_in_the_room_then(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.says(room, "before")
    await taro.joins(room)
    device = Device(taro, lists=all_rooms(limit=20))
    told = (await device.syncs())["rooms"][room]
    seen = {event["content"].get("body", event["type"]): event["unsigned"]["membership"] for event in told["timeline"]}
    assert seen["before"] == "leave"
    assert told["timeline"][-1]["unsigned"]["membership"] == "join"
    await hanako.says(room, "after")
    await hanako.post(f"v3/rooms/{room}/kick", {"user_id": taro.user_id})
    told = (await device.syncs())["rooms"][room]
    assert [event["unsigned"]["membership"] for event in told["timeline"]] == ["join", "leave"]


async def test_a_knock_is_shown_and_answered(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(name="Club", initial_state=[
        {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}},
    ])
    device = Device(taro)
    await device.syncs()
    await taro.post(f"v3/knock/{room}")
    told = (await device.syncs())["rooms"][room]
    own = [event for event in told["invite_state"] if event["type"] == "m.room.member"]
    assert [event["content"]["membership"] for event in own if event["state_key"] == taro.user_id] == ["knock"]
    await hanako.invites(taro, room)
    told = (await device.syncs())["rooms"][room]
    own = [event for event in told["invite_state"] if event["type"] == "m.room.member"]
    assert [event["content"]["membership"] for event in own if event["state_key"] == taro.user_id] == ["invite"]


async def test_after_a_long_sleep_nothing_is_missed(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    others = [await hanako.creates_room(preset="public_chat", name=str(number)) for number in range(5)]
    for other in others:
        await taro.joins(other)
    device = Device(taro, lists=all_rooms(2))
    await device.syncs()
    for number in range(130):
        await hanako.says(room, str(number))
    await hanako.sets(others[0], "m.room.topic", {"topic": "slept"})
    invited = await hanako.creates_room(invite=[taro.user_id])
    await taro.leaves(others[4])
    told = (await device.syncs())["rooms"]
    assert set(told) == {room, others[0], invited, others[4]}
    assert texts(told[room]) == ["129"]
    assert told[room]["limited"] is True
    earlier = await taro.get(f"v3/rooms/{room}/messages", dir="b", **{"from": told[room]["prev_batch"]}, limit="3")
    assert [event["content"]["body"] for event in earlier["chunk"]] == ["128", "127", "126"]
    assert state_of(told[others[0]])["m.room.topic", ""]["content"] == {"topic": "slept"}
    more = await device.syncs(lists=all_rooms(20))
    assert set(more["rooms"]) == {others[1]}


async def test_a_room_that_moved_out_of_the_window_catches_up_when_it_comes_back(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    first, second = [await hanako.creates_room(preset="public_chat", name=name) for name in ("first", "second")]
    for room in (first, second):
        await taro.joins(room)
    device = Device(taro, lists=all_rooms(0, limit=10))
    assert set((await device.syncs())["rooms"]) == {second}
    await hanako.says(second, "one")
    await hanako.says(first, "two")
    assert set((await device.syncs())["rooms"]) == {first}
    await hanako.says(second, "three")
    told = (await device.syncs())["rooms"][second]
    assert "initial" not in told
    assert texts(told) == ["one", "three"]
    assert told["num_live"] == 1
