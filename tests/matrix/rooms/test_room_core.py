"""One tip a room: whatever fails, is dropped from memory or is loaded at the same moment, the line stays one line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.foundation.errors import Forbidden, Refused
from server.rooms import rooms as rooms_module
from server.rooms.send_event import Draft
from tests.builders import Person, RunningNode

FEDERATION_FORM: dict[str, Any] = {"event_format": "federation", "room": {"timeline": {"limit": 200}}}


async def require_one_line(person: Person, room: str, messages: int) -> None:
    """The room as the database has it: every event once, each upon the one before."""
    line = (await person.syncs(wanted=FEDERATION_FORM)).timeline(room)
    assert [event["depth"] for event in line] == list(range(1, len(line) + 1))
    assert all(len(event["prev_events"]) == 1 for event in line[1:])
    assert len({event["prev_events"][0] for event in line[1:]}) == len(line) - 1
    assert sum(event["type"] == "m.room.message" for event in line) == messages


def message(person: Person, room: str, text: str = "x") -> Draft:
    return Draft(room, person.user_id, "m.room.message", {"msgtype": "m.text", "body": text})


async def test_a_commit_that_fails_leaves_nothing_in_memory(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    since = (await hanako.syncs()).token
    database = node.inside.core.database
    commit_rows = database._commit_rows
    failures = 3

    async def fails(rows: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError("no space left")
        await commit_rows(rows)

    monkeypatch.setattr(database, "_commit_rows", fails)
    with node.contract.tolerating("the database fails"):
        refused = await hanako.sets(room, "m.room.topic", {"topic": "never written"})
        assert refused.status == 500
        answers = await asyncio.gather(*(
            hanako.sends(room, "m.room.message", {"body": str(number)}) for number in range(10)
        ))
    written = sum(answer.status == 200 for answer in answers)
    assert written > 0
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.topic")).refusal == (404, "M_NOT_FOUND")
    assert len((await hanako.syncs(since)).timeline(room)) == written
    await require_one_line(hanako, room, written)
    await node.restart()
    await require_one_line(hanako, room, written)


async def test_rooms_that_leave_memory_while_people_speak_stay_one_line(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms_module, "KEPT_ROOMS", 10)
    hanako = await node.user("hanako")
    rooms = [await hanako.creates_room() for _ in range(25)]
    await asyncio.gather(*(hanako.says(room, str(number)) for number in range(8) for room in rooms))
    for room in rooms:
        await require_one_line(hanako, room, 8)


async def test_a_room_that_is_dropped_again_and_again_stays_one_line(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    registry = node.inside.services.rooms
    done = asyncio.Event()

    async def disturb() -> None:
        while not done.is_set():
            live = registry.live(room)
            if live is not None:
                registry.drop(live)
            await asyncio.sleep(0.001)

    disturbing = asyncio.ensure_future(disturb())
    answers = await asyncio.gather(*(
        person.sends(room, "m.room.message", {"body": str(number)}) for number in range(30) for person in (hanako, taro)
    ))
    done.set()
    await disturbing
    written = sum(answer.status == 200 for answer in answers)
    assert {answer.status for answer in answers} <= {200, 503}
    await require_one_line(taro, room, written)


async def test_rooms_loaded_one_by_one_and_together_are_the_same_objects(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    ids = [await hanako.creates_room() for _ in range(60)]
    await node.restart()
    registry = node.inside.services.rooms
    together = asyncio.gather(registry.get_many(ids), registry.get_many(ids[::-1]))
    single = asyncio.gather(*(registry.get(room) for room in ids))
    (one, other), singles = await together, await single
    for room, loaded in zip(ids, singles, strict=True):
        assert one[room] is other[room] is loaded is registry.live(room)


async def test_several_drafts_are_written_all_or_none(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    services = node.inside.services
    forbidden = Draft(room, taro.user_id, "m.room.name", {"name": "no"}, "")

    async def all_or_none() -> None:
        with pytest.raises(Forbidden):
            await services.sender.send_all(await services.rooms.get(room), [message(taro, room), forbidden])

    speaking = asyncio.gather(*(hanako.says(room, str(number)) for number in range(10)))
    await asyncio.gather(all_or_none(), all_or_none())
    await speaking
    await require_one_line(hanako, room, 10)
    await services.sender.send_all(await services.rooms.get(room), [message(taro, room), message(hanako, room)])
    await require_one_line(hanako, room, 12)


async def test_many_drafts_to_many_rooms(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    ids = [await hanako.creates_room() for _ in range(70)]
    await node.restart()
    sender = node.inside.services.sender
    await asyncio.gather(
        sender.send_many([message(hanako, room) for room in ids]),
        sender.send_many([message(hanako, room) for room in ids[::-1]]),
    )
    for room in ids[::10]:
        await require_one_line(hanako, room, 2)


async def test_a_projection_that_fails_refuses_the_event_and_holds_nobody_up(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    since = (await hanako.syncs()).token

    def stumbles(*_: Any) -> None:
        raise LookupError

    node.inside.core.acceptor.project(stumbles, ["jp.kairan.stumble"])
    with node.contract.tolerating("a projection fails"):
        assert (await hanako.sends(room, "jp.kairan.stumble", {})).status == 500
    await hanako.says(room, "goes on")
    assert (await hanako.syncs(since)).texts(room) == ["goes on"]
    await require_one_line(hanako, room, 1)


async def test_a_draft_upon_a_state_that_is_gone_is_refused(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    first = await hanako.sets(room, "m.room.topic", {"topic": "1"})
    await hanako.sets(room, "m.room.topic", {"topic": "2"})
    draft = Draft(room, hanako.user_id, "m.room.topic", {"topic": "3"}, "", replaces=first["event_id"])
    with pytest.raises(Refused):
        await node.inside.services.sender.send(draft)
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.topic"))["topic"] == "2"


async def test_a_sender_who_gives_up_is_not_doubled_when_it_asks_again(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    sender = node.inside.services.sender
    for number in range(20):
        draft = message(hanako, room, str(number))
        task = asyncio.ensure_future(sender.send_once(draft, hanako.device_id, f"t{number}"))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.send_once(draft, hanako.device_id, f"t{number}")
    await require_one_line(hanako, room, 20)


async def test_a_state_of_long_ago_is_found_again(node: RunningNode) -> None:
    """More changes than a chain of snapshots has steps, and a memory that reaches back less far."""
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    tokens = []
    for number in range(230):
        await hanako.sets(room, "m.room.topic", {"topic": str(number)})
        if number % 50 == 0:
            await hanako.sets(room, "jp.kairan.kept", {"n": number}, f"k{number}")
            tokens.append((number, (await hanako.syncs()).token))
    await node.restart()
    history = node.inside.services.history
    for number, token in tokens:
        at = int(token[1:].partition("_")[0])
        _room, state = await history.state(room, hanako.user_id, at)
        assert state["m.room.topic", ""].content == {"topic": str(number)}
        assert len([key for key in state if key[0] == "jp.kairan.kept"]) == number // 50 + 1
    assert (await hanako.get(f"v3/rooms/{room}/state/m.room.topic"))["topic"] == "229"
