"""What /sync tells of rooms that one is in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.builders import Person, RunningNode


def limit(number: int, **more: Any) -> dict[str, Any]:
    return {"room": {"timeline": {"limit": number, **more}}}


async def test_a_device_that_is_up_to_date_is_told_nothing(hall: tuple[Person, Person, str]) -> None:
    hanako, _taro, _room = hall
    since = (await hanako.syncs()).token
    again = await hanako.syncs(since)
    assert set(again.body) == {
        "next_batch", "device_one_time_keys_count", "device_unused_fallback_key_types",
        "org.matrix.msc2732.device_unused_fallback_key_types",
    }
    assert again.token.partition("_")[0] == since.partition("_")[0]


async def test_every_message_comes_exactly_once(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    token = (await taro.syncs()).token
    seen: list[str] = []
    for number in range(10):
        await hanako.says(room, str(number))
        if number % 3 == 0:
            answer = await taro.syncs(token)
            seen += answer.texts(room)
            token = answer.token
    seen += (await taro.syncs(token)).texts(room)
    assert seen == [str(number) for number in range(10)]


async def test_every_message_of_many_at_once_comes_exactly_once_to_all_who_wait(node: RunningNode) -> None:
    people = await node.users(*(f"user{number}" for number in range(6)))
    room = await people[0].creates_room(preset="public_chat")
    other = await people[0].creates_room(preset="public_chat")
    for person in people[1:]:
        await person.joins(room)
        await person.joins(other)
    starts = [(await person.syncs()).token for person in people]

    async def listen(person: Person, token: str) -> list[str]:
        seen: list[str] = []
        while len(seen) < 120:
            answer = await person.syncs(token, timeout=20_000)
            assert token != answer.token, (len(seen), "nothing for long")
            token = answer.token
            seen += answer.texts(room) + answer.texts(other)
        return seen

    async def speak(person: Person, number: int) -> None:
        for place in range(10):
            await person.says(room if place % 2 else other, f"{number}.{place}")
            if place == 5:
                await person.put(f"v3/profile/{person.user_id}/displayname", {"displayname": f"name {number}"})

    speakers = [(person, number) for number, person in enumerate(people)] * 2
    heard = asyncio.gather(*(listen(person, token) for person, token in zip(people, starts, strict=True)))
    await asyncio.gather(*(speak(person, 10 * turn + number) for turn, (person, number) in enumerate(speakers)))
    for seen in await heard:
        assert len(seen) == len(set(seen)) == 120


async def test_the_initial_answer_shows_the_newest_and_the_state_before(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    for number in range(5):
        await hanako.says(room, str(number))
    await hanako.sets(room, "m.room.name", {"name": "in the timeline"})
    answer = await taro.syncs(wanted=limit(3))
    section = answer.room(room)
    assert answer.texts(room) == ["3", "4"]
    assert section["timeline"]["limited"] is True
    assert ("m.room.name", "") not in answer.state(room)
    assert {kind for kind, _ in answer.state(room)} >= {"m.room.create", "m.room.member", "m.room.power_levels"}
    assert section["summary"]["m.joined_member_count"] == 2
    assert "room_id" not in answer.timeline(room)[0]
    whole = await taro.syncs(wanted=limit(100))
    assert (whole.room(room)["timeline"]["limited"], whole.state(room)) == (False, {})


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_gap_brings_the_state_that_changed_in_it(
    node: RunningNode, hall: tuple[Person, Person, str], restarted: bool
) -> None:
    hanako, taro, room = hall
    since = (await taro.syncs()).token
    await hanako.sets(room, "m.room.topic", {"topic": "first"})
    await hanako.sets(room, "m.room.topic", {"topic": "second"})
    for number in range(140):
        await hanako.says(room, str(number))
    await hanako.sets(room, "m.room.name", {"name": "late"})
    if restarted:
        await node.restart()
    answer = await taro.syncs(since, wanted=limit(5))
    assert answer.texts(room) == ["136", "137", "138", "139"]
    assert {key: event["content"] for key, event in answer.state(room).items()} == {
        ("m.room.topic", ""): {"topic": "second"},
    }
    token = answer.room(room)["timeline"]["prev_batch"]
    back = (await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="500", **{"from": token, "to": since})).body
    assert len(back["chunk"]) == 138
    assert back["chunk"][0]["content"]["body"] == "135"
    assert back["chunk"][-1]["content"] == {"topic": "first"}


async def test_limit_nought_is_a_gap_without_events(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    since = (await taro.syncs()).token
    await hanako.sets(room, "m.room.topic", {"topic": "x"})
    answer = await taro.syncs(since, wanted=limit(0))
    assert (answer.timeline(room), answer.room(room)["timeline"]["limited"]) == ([], True)
    assert list(answer.state(room)) == [("m.room.topic", "")]
    first = await taro.syncs(wanted=limit(0))
    assert ("m.room.topic", "") in first.state(room)


async def test_a_filter_takes_out_what_is_not_wanted_but_loses_no_state(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    since = (await taro.syncs()).token
    await hanako.says(room, "x")
    await hanako.sends(room, "jp.kairan.x", {"body": "y"})
    await hanako.sets(room, "m.room.topic", {"topic": "x"})
    only = await taro.syncs(since, wanted=limit(10, types=["m.room.message"]))
    assert only.texts(room) == ["x"]
    assert list(only.state(room)) == [("m.room.topic", "")]
    without = await taro.syncs(since, wanted=limit(10, not_types=["jp.*"], not_senders=[taro.user_id]))
    assert [event["type"] for event in without.timeline(room)] == ["m.room.message", "m.room.topic"]
    assert await nothing(taro, since, {"room": {"rooms": []}})
    assert await nothing(taro, since, {"room": {"not_rooms": [room]}})
    assert await nothing(taro, since, {"room": {"timeline": {"senders": []}, "state": {"types": []}}})
    kept = await taro.syncs(since, wanted={"room": {"timeline": {"limit": 1, "types": ["m.room.message"]}}})
    assert kept.texts(room) == ["x"]


async def nothing(person: Person, since: str, wanted: dict[str, Any]) -> bool:
    return not (await person.syncs(since, wanted=wanted)).timeline("") and not any(
        section.get("timeline", {}).get("events")
        for section in (await person.syncs(since, wanted=wanted)).rooms().values()
    )


async def test_a_stored_filter_and_fields_and_the_federations_form(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "x")
    stored = await taro.post(f"v3/user/{taro.user_id}/filter", {
        "event_fields": ["content.body", "sender"], **limit(1),
    })
    with taro.node.contract.tolerating("a stored filter that wants few fields"):
        answer = await taro.syncs(wanted=str(stored["filter_id"]))
    assert answer.timeline(room) == [{"content": {"body": "x"}, "sender": hanako.user_id}]
    raw = await taro.syncs(wanted={"event_format": "federation", **limit(1)})
    assert {"auth_events", "prev_events", "hashes", "signatures", "depth"} <= set(raw.timeline(room)[0])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"since": "x"}, 400, "M_INVALID_PARAM"), ({"since": "s-1"}, 400, "M_INVALID_PARAM"),
        ({"since": "s1_x"}, 400, "M_INVALID_PARAM"), ({"since": "s" + "9" * 30}, 400, "M_INVALID_PARAM"),
        ({"timeout": "x"}, 400, "M_INVALID_PARAM"), ({"timeout": "-1"}, 400, "M_INVALID_PARAM"),
        ({"full_state": "maybe"}, 400, "M_INVALID_PARAM"), ({"set_presence": "x"}, 400, "M_INVALID_PARAM"),
        ({"filter": "{"}, 400, "M_NOT_JSON"), ({"filter": '{"room": 5}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"room": {"state": {"lazy_load_members": "true"}}}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"room": {"timeline": {"limit": 1.5}}}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"room": {"timeline": {"limit": -1}}}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"room": {"timeline": {"types": [5]}}}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"event_format": "x"}'}, 400, "M_BAD_JSON"),
        ({"filter": '{"x": ' + "[" * 300 + "]" * 300 + "}"}, 400, None),
        ({"filter": "[]"}, None, None), ({"filter": "999"}, None, None), ({"filter": "nonsense"}, None, None),
    ],
)
async def test_a_wrong_question_is_refused(
    node: RunningNode, query: dict[str, str], status: int | None, code: str | None
) -> None:
    hanako = await node.user("hanako")
    answer = await node.ask("GET", "v3/sync", token=hanako.token, **query)
    assert answer.status == status if status else answer.status in (400, 404)
    assert code is None or answer.code == code


async def test_a_position_of_the_future_waits_for_nobody(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    answer = await taro.syncs("s999999999_5")
    await hanako.says(room, "x")
    assert (await taro.syncs(answer.token)).texts(room) == ["x"]


async def test_the_sender_finds_its_transaction_on_the_same_device_only(
    node: RunningNode, hall: tuple[Person, Person, str]
) -> None:
    hanako, taro, room = hall
    tablet = await node.user("hanako")
    tokens = [(await person.syncs()).token for person in (hanako, tablet, taro)]
    await hanako.sends(room, "m.room.message", {"body": "x"}, txn="my own")
    for person, token, own in zip((hanako, tablet, taro), tokens, (True, False, False), strict=True):
        event = (await person.syncs(token)).timeline(room)[0]
        assert (event.get("unsigned", {}).get("transaction_id") == "my own") is own
        listed = (await person.get(f"v3/rooms/{room}/messages", dir="b", limit="1"))["chunk"][0]
        assert (listed.get("unsigned", {}).get("transaction_id") == "my own") is own
        single = (await person.get(f"v3/rooms/{room}/event/{event['event_id']}")).body
        assert (single.get("unsigned", {}).get("transaction_id") == "my own") is own


async def test_who_waits_is_woken(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    since = (await taro.syncs()).token
    waiting = asyncio.ensure_future(taro.syncs(since, timeout=20_000))
    while not node_waits(taro):
        await asyncio.sleep(0)
    await hanako.says(room, "good morning")
    answer = await asyncio.wait_for(waiting, 20)
    assert answer.texts(room) == ["good morning"]


def node_waits(person: Person) -> bool:
    return person.user_id in person.node.inside.services.sync._bell._waiting


async def test_who_waits_in_vain_is_answered_after_the_time(hall: tuple[Person, Person, str]) -> None:
    _hanako, taro, _room = hall
    since = (await taro.syncs()).token
    assert (await taro.syncs(since, timeout=30)).rooms() == {}


async def test_full_state_brings_all_state_but_only_new_events(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    await hanako.says(room, "old")
    since = (await taro.syncs()).token
    quiet = await taro.syncs(since, full_state="true")
    assert quiet.timeline(room) == []
    assert {("m.room.create", ""), ("m.room.member", taro.user_id)} <= set(quiet.state(room))
    await hanako.says(room, "new")
    assert (await taro.syncs(since, full_state="true")).texts(room) == ["new"]


@pytest.mark.parametrize("name", ["use_state_after", "org.matrix.msc4222.use_state_after"])
async def test_the_state_after_the_timeline(hall: tuple[Person, Person, str], name: str) -> None:
    hanako, taro, room = hall
    asked: dict[str, Any] = {name: "true"}
    first = await taro.syncs(wanted=limit(1), **asked)
    assert {("m.room.create", ""), ("m.room.member", taro.user_id)} <= set(first.state(room, name="state_after"))
    assert "state" not in first.room(room)
    await hanako.sets(room, "m.room.topic", {"topic": "x"})
    await hanako.says(room, "y")
    answer = await taro.syncs(first.token, **asked)
    assert [event["type"] for event in answer.timeline(room)] == ["m.room.topic", "m.room.message"]
    assert answer.state(room, name="state_after")["m.room.topic", ""]["content"] == {"topic": "x"}
    await hanako.says(room, "z")
    assert (await taro.syncs(answer.token, **asked)).room(room)["state_after"] == {"events": []}


async def test_heroes_name_a_room_without_a_name_and_are_never_oneself(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    tokens = {person: (await person.syncs()).token for person in (hanako, taro)}
    await jiro.joins(room)
    summaries = {person: (await person.syncs(token)).room(room)["summary"] for person, token in tokens.items()}
    assert summaries[hanako]["m.heroes"] == [taro.user_id, jiro.user_id]
    assert summaries[taro]["m.heroes"] == [hanako.user_id, jiro.user_id]
    assert summaries[taro]["m.joined_member_count"] == 3
    await hanako.sets(room, "m.room.name", {"name": "x"})
    assert "m.heroes" not in (await jiro.syncs()).room(room)["summary"]


async def test_ignored_people_are_not_heard_but_what_they_do_is_seen(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat", power_level_content_override={"state_default": 0})
    await taro.joins(room)
    await jiro.joins(room)
    path = f"v3/user/{taro.user_id}/account_data/m.ignored_user_list"
    assert (await taro.put(path, {"ignored_users": {jiro.user_id: {}}})).status == 200
    since = (await taro.syncs()).token
    await jiro.says(room, "noise")
    await jiro.sets(room, "m.room.topic", {"topic": "by jiro"})
    await hanako.says(room, "news")
    answer = await taro.syncs(since)
    assert [event["type"] for event in answer.timeline(room)] == ["m.room.topic", "m.room.message"]
    assert answer.texts(room) == ["news"]
    assert "noise" not in (await taro.syncs()).texts(room)
    other = await jiro.creates_room(invite=[taro.user_id])
    assert other not in (await taro.syncs(since)).rooms("invite")
    await taro.put(path, {"ignored_users": {}})
    assert "noise" in (await taro.syncs()).texts(room)
    assert other in (await taro.syncs()).rooms("invite")


async def test_nobody_misses_anything_while_rooms_leave_memory_and_people_come_and_go(node: RunningNode) -> None:
    """Every message exactly once for those who stay, whatever else happens in the node at the same moment."""
    stayers = await node.users("hanako", "taro", "jiro")
    visitors = await node.users("visitor1", "visitor2")
    rooms = [await stayers[0].creates_room(preset="public_chat") for _ in range(3)]
    for person in stayers[1:]:
        for room in rooms:
            await person.joins(room)
    starts = [(await person.syncs()).token for person in stayers]
    expected = len(stayers) * len(rooms) * 8
    done = asyncio.Event()

    async def listen(person: Person, token: str) -> list[str]:
        seen: list[str] = []
        while len(seen) < expected:
            answer = await person.syncs(token, timeout=30_000)
            assert answer.token != token, f"{len(seen)} of {expected}, then nothing for long"
            token = answer.token
            for room in rooms:
                assert not answer.rooms().get(room, {}).get("timeline", {}).get("limited")
                seen += answer.texts(room)
        return seen

    async def speak(person: Person, number: int) -> None:
        for place in range(8):
            for at, room in enumerate(rooms):
                event_id = await person.says(room, f"{number}.{at}.{place}")
            await person.put(f"v3/profile/{person.user_id}/displayname", {"displayname": f"{number} {place}"})
            await person.reads(rooms[-1], event_id)

    async def visit(person: Person) -> None:
        while not done.is_set():
            for room in rooms:
                await person.joins(room)
                await person.put(f"v3/rooms/{room}/typing/{person.user_id}", {"typing": True})
                await person.leaves(room)

    async def drop() -> None:
        registry = node.inside.services.rooms
        while not done.is_set():
            for live in list(registry.in_use()):
                if not live.pending:
                    registry.drop(live)
            await asyncio.sleep(0.01)

    listening = asyncio.gather(*(listen(person, token) for person, token in zip(stayers, starts, strict=True)))
    disturbing = asyncio.gather(drop(), *(visit(person) for person in visitors))
    await asyncio.gather(*(speak(person, number) for number, person in enumerate(stayers)))
    for seen in await asyncio.wait_for(listening, 40):
        assert len(seen) == len(set(seen)) == expected
    done.set()
    await disturbing


@pytest.mark.parametrize("after", [False, True])
async def test_all_parts_of_a_room_are_there_whatever_is_new(node: RunningNode, after: bool) -> None:
    """There are clients that read each of them without asking whether it is there."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    query: dict[str, Any] = {"use_state_after": "true"} if after else {}
    parts = {"timeline", "state_after" if after else "state", "ephemeral", "account_data", "unread_notifications"}
    told = await taro.syncs(**query)
    assert parts <= told.room(room).keys()
    said = await hanako.says(room, "x")
    acts: list[Callable[[], Awaitable[Any]]] = [
        lambda: hanako.sets(room, "m.room.topic", {"topic": "y"}), lambda: hanako.reads(room, said),
        lambda: hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True}),
        lambda: taro.put(f"v3/user/{taro.user_id}/rooms/{room}/tags/u.x"),
    ]
    for act in acts:
        since = (await taro.syncs(told.token, **query)).token
        await act()
        told = await taro.syncs(since, **query)
        assert parts <= told.room(room).keys()
        section = told.room(room)
        assert section["timeline"]["limited"] is False
        going_back = await taro.get(f"v3/rooms/{room}/messages", dir="b", **{"from": section["timeline"]["prev_batch"]})
        assert going_back["chunk"]
        assert isinstance(section["ephemeral"]["events"], list)
        assert isinstance(section["account_data"]["events"], list)


async def test_the_form_of_the_federation_carries_the_id_too(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    said = await hanako.says(room, "x")
    wanted = {"event_format": "federation", "room": {"timeline": {"limit": 1}}}
    (event,) = (await hanako.syncs(wanted=wanted)).timeline(room)
    assert event["event_id"] == said
    assert {"auth_events", "depth", "hashes", "prev_events", "room_id", "signatures"} <= event.keys()


async def test_state_tells_what_it_replaces(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(topic="夏祭り")
    first = (await hanako.get(f"v3/rooms/{room}/state/m.room.topic", format="event"))["event_id"]
    await hanako.sets(room, "m.room.topic", {"topic": "盆踊り"})
    event = (await hanako.syncs()).timeline(room)[-1]
    assert event["unsigned"]["replaces_state"] == first
    assert event["unsigned"]["prev_content"]["topic"] == "夏祭り"
    await hanako.sets(room, "jp.example.new", {})
    assert "replaces_state" not in (await hanako.syncs()).timeline(room)[-1]["unsigned"]
