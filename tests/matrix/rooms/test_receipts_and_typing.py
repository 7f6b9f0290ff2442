"""Receipts, read markers, typing."""

from __future__ import annotations

import asyncio

from tests.builders import Person, RunningNode


async def test_a_receipt_is_told_to_all_and_kept(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    since = (await hanako.syncs()).token
    assert (await taro.reads(room, event_id)).status == 200
    told = (await hanako.syncs(since)).ephemeral(room, "m.receipt")
    assert told is not None
    assert list(told[event_id]["m.read"]) == [taro.user_id]
    assert (await hanako.syncs((await hanako.syncs(since)).token)).rooms() == {}
    await node.restart()
    assert (await hanako.syncs()).ephemeral(room, "m.receipt") == told


async def test_a_receipt_never_goes_back(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    ids = [await hanako.says(room, str(number)) for number in range(5)]
    await asyncio.gather(*(taro.reads(room, event_id) for event_id in reversed(ids)))
    await taro.reads(room, ids[0])
    for _ in range(2):
        told = (await hanako.syncs()).ephemeral(room, "m.receipt")
        assert told is not None
        assert list(told) == [ids[4]]
        await node.restart()


async def test_a_private_receipt_is_told_to_its_owner_only(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    tokens = (await hanako.syncs()).token, (await taro.syncs()).token
    await taro.reads(room, event_id, "m.read.private")
    assert (await hanako.syncs(tokens[0])).rooms() == {}
    told = (await taro.syncs(tokens[1])).ephemeral(room, "m.receipt")
    assert told is not None
    assert list(told[event_id]) == ["m.read.private"]


async def test_receipts_of_threads_stand_beside_each_other(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    await taro.reads(room, event_id, thread_id="main")
    told = (await hanako.syncs()).ephemeral(room, "m.receipt")
    assert told is not None
    assert told[event_id]["m.read"][taro.user_id]["thread_id"] == "main"


async def test_wrong_receipts_are_refused(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    jiro = await node.user("jiro")
    event_id = await hanako.says(room, "x")
    assert (await jiro.reads(room, event_id)).refusal == (403, "M_FORBIDDEN")
    assert (await taro.reads(room, event_id, "m.nonsense")).refusal == (400, "M_INVALID_PARAM")
    assert (await taro.reads(room, "$nothing")).refusal == (404, "M_NOT_FOUND")
    assert (await taro.reads(room, "nothing")).refusal == (400, "M_INVALID_PARAM")
    assert (await taro.reads("!nowhere:x", event_id)).refusal == (404, "M_NOT_FOUND")
    assert (await taro.reads(room, event_id, thread_id=5)).refusal == (400, "M_INVALID_PARAM")
    other = await taro.creates_room()
    assert (await taro.reads(other, event_id)).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.syncs()).ephemeral(room, "m.receipt") is None


async def test_read_markers_set_everything_in_one_request(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    since = (await taro.syncs()).token
    body = {"m.fully_read": event_id, "m.read": event_id, "m.read.private": event_id}
    assert (await taro.post(f"v3/rooms/{room}/read_markers", body)).status == 200
    told = await taro.syncs(since)
    assert told.room(room)["account_data"]["events"] == [{"type": "m.fully_read", "content": {"event_id": event_id}}]
    receipts = told.ephemeral(room, "m.receipt")
    assert receipts is not None
    assert set(receipts[event_id]) == {"m.read", "m.read.private"}
    path = f"v3/rooms/{room}/read_markers"
    assert (await taro.post(path, {"m.fully_read": 5})).refusal == (400, "M_BAD_JSON")
    assert (await taro.post(path, {"m.fully_read": "x"})).refusal == (400, "M_INVALID_PARAM")
    assert (await taro.post(path, {"m.read": "$\0"})).status in (400, 404)
    assert (await taro.post(path, {})).status == 200


async def test_typing_is_told_and_ends(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    since = (await hanako.syncs()).token
    path = f"v3/rooms/{room}/typing/{taro.user_id}"
    assert (await taro.put(path, {"typing": True, "timeout": 60_000})).status == 200
    first = await hanako.syncs(since)
    assert first.ephemeral(room, "m.typing") == {"user_ids": [taro.user_id]}
    assert (await taro.put(path, {"typing": False})).status == 200
    second = await hanako.syncs(first.token)
    assert second.ephemeral(room, "m.typing") == {"user_ids": []}
    assert (await hanako.syncs(second.token)).rooms() == {}


async def test_typing_ends_by_itself_and_with_leaving(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    path = f"v3/rooms/{room}/typing/{taro.user_id}"
    await taro.put(path, {"typing": True, "timeout": 1})
    first = await hanako.syncs()
    if first.ephemeral(room, "m.typing"):
        first = await hanako.syncs(first.token, timeout=20_000)
    assert not (first.ephemeral(room, "m.typing") or {}).get("user_ids")
    await taro.put(path, {"typing": True})
    since = (await hanako.syncs()).token
    await taro.leaves(room)
    assert (await hanako.syncs(since)).ephemeral(room, "m.typing") == {"user_ids": []}


async def test_wrong_typing_is_refused(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    jiro = await node.user("jiro")
    assert (await taro.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})).status == 403
    assert (await jiro.put(f"v3/rooms/{room}/typing/{jiro.user_id}", {"typing": True})).status == 403
    own = f"v3/rooms/{room}/typing/{taro.user_id}"
    assert (await taro.put(own, {"typing": "yes"})).refusal == (400, "M_BAD_JSON")
    assert (await taro.put(own, {})).refusal == (400, "M_MISSING_PARAM")
    assert (await taro.put(own, {"typing": True, "timeout": "x"})).refusal == (400, "M_BAD_JSON")
    assert (await hanako.syncs()).ephemeral(room, "m.typing") is None


async def test_a_receipt_belongs_to_its_thread(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    root = await hanako.says(room, "root")
    relation = {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}
    inside, outside = await hanako.says(room, "in", **relation), await hanako.says(room, "out")
    assert (await taro.reads(room, inside, thread_id=root)).status == 200
    assert (await taro.reads(room, root, thread_id=root)).status == 200
    assert (await taro.reads(room, outside, thread_id="main")).status == 200
    for event_id, thread in ((inside, "main"), (outside, root), (outside, "$nothing"), (outside, ""), (outside, None)):
        assert (await taro.reads(room, event_id, thread_id=thread)).refusal == (400, "M_INVALID_PARAM"), thread
    assert (await taro.reads(room, outside, "m.fully_read", thread_id="main")).refusal == (400, "M_INVALID_PARAM")


async def test_of_two_receipts_at_one_event_the_one_for_all_threads_is_told(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    event_id = await hanako.says(room, "x")
    await taro.reads(room, event_id)
    await taro.reads(room, event_id, thread_id="main")
    told = (await hanako.syncs()).ephemeral(room, "m.receipt")
    assert told is not None
    assert "thread_id" not in told[event_id]["m.read"][taro.user_id]


async def test_a_read_marker_never_goes_back(hall: tuple[Person, Person, str]) -> None:
    hanako, taro, room = hall
    first, second = await hanako.says(room, "1"), await hanako.says(room, "2")
    path = f"v3/user/{taro.user_id}/rooms/{room}/account_data/m.fully_read"
    for event_id in (first, second, first):
        assert (await taro.post(f"v3/rooms/{room}/read_markers", {"m.fully_read": event_id})).status == 200
    assert (await taro.get(path))["event_id"] == second
    assert (await taro.reads(room, "$nothing", "m.fully_read")).refusal == (404, "M_NOT_FOUND")
    assert (await taro.reads(room, first, "m.fully_read")).status == 200
    assert (await taro.get(path))["event_id"] == second


async def test_receipts_of_before_one_came_are_told_with_the_room(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    event_id = await hanako.says(room, "x")
    await hanako.reads(room, event_id)
    await hanako.put(f"v3/rooms/{room}/typing/{hanako.user_id}", {"typing": True})
    since = (await taro.syncs()).token
    await taro.joins(room)
    answer = await taro.syncs(since)
    told = answer.ephemeral(room, "m.receipt")
    assert told is not None
    assert list(told[event_id]["m.read"]) == [hanako.user_id]
    assert answer.ephemeral(room, "m.typing") == {"user_ids": [hanako.user_id]}


async def test_nobody_hears_of_typing_elsewhere(node: RunningNode, hall: tuple[Person, Person, str]) -> None:
    hanako, taro, _room = hall
    other = await hanako.creates_room()
    jiro = await node.user("jiro")
    await hanako.invites(jiro, other)
    await jiro.joins(other)
    since = (await taro.syncs()).token
    await jiro.put(f"v3/rooms/{other}/typing/{jiro.user_id}", {"typing": True})
    assert (await taro.syncs(since)).rooms() == {}
