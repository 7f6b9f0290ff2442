"""Receipts, read markers, typing."""

from __future__ import annotations

import asyncio

import pytest

from tests.builders import Person, RunningNode


@pytest.fixture
async def hall(node: RunningNode) -> tuple[Person, Person, str]:
    """Hanako's public room, with Taro in it."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    return hanako, taro, room


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
        first = await hanako.syncs(first.token, timeout=5_000)
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
