"""Which event was nearest to a moment of which we know nothing: other servers are asked, and not believed blindly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from server.rooms import backfill
from server.rooms.event import Event
from tests.builders import Person, RunningNode
from tests.federation.stranger import Asked, Said, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom

Json = dict[str, Any]
HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


def talk(oni: Stranger, room: StrangerRoom, count: int) -> list[Event]:
    """One message an hour, before any of us came."""
    return [
        room.put(oni.user("oni"), "m.room.message", {"msgtype": "m.text", "body": f"第{number}号"},
                 origin_server_ts=START_MS + number * HOUR_MS)
        for number in range(count)
    ]


def knows(room: StrangerRoom) -> Any:
    """An honest answer."""

    def tell(asked: Asked) -> Any:
        ts, backwards = int(asked.query["ts"]), asked.query["dir"] == "b"
        events = [event for event in room.judged.events.values()
                  if (event.origin_server_ts <= ts if backwards else event.origin_server_ts >= ts)]
        if not events:
            return Said(404, {"errcode": "M_NOT_FOUND"})
        found = min(events, key=lambda event: (abs(event.origin_server_ts - ts), event.depth))
        return {"event_id": found.event_id, "origin_server_ts": found.origin_server_ts}

    return tell


async def moment(person: Person, room: StrangerRoom, ts: int, direction: str = "f") -> Any:
    return await person.get(f"v1/rooms/{room.room_id}/timestamp_to_event", ts=str(ts), dir=direction)


async def joined(node: RunningNode, oni: Stranger, room: StrangerRoom) -> Person:
    taro = await node.user("taro")
    answer = await taro.post(f"v3/join/{quote(room.room_id)}", via=oni.name)
    assert answer.status == 200, answer
    return taro


async def all_ids(person: Person, room: StrangerRoom) -> list[str]:
    """Everything that can be paged back to, the newest first."""
    found: list[str] = []
    start: Json = {}
    while True:
        page = await person.get(f"v3/rooms/{room.room_id}/messages", dir="b", limit="100", **start)
        found += [event["event_id"] for event in page["chunk"]]
        if page.body.get("end") is None:
            return found
        start = {"from": page["end"]}


async def test_the_event_before_or_after_a_moment_of_before_we_came(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room()
        said = talk(oni, room, 5)
        oni.tells["timestamp_to_event"] = knows(room)
        taro = await joined(node, oni, room)

        found = await moment(taro, room, START_MS + 2 * HOUR_MS + 1)
        assert found.body == {"event_id": said[3].event_id, "origin_server_ts": said[3].origin_server_ts}
        assert (await moment(taro, room, START_MS + 2 * HOUR_MS + 1, "b"))["event_id"] == said[2].event_id
        assert (await moment(taro, room, START_MS - 1, "b")).refusal == (404, "M_NOT_FOUND")

        around = await taro.get(f"v3/rooms/{room.room_id}/context/{quote(said[3].event_id)}", limit="4")
        assert [event["event_id"] for event in around["events_before"]] == [said[2].event_id, said[1].event_id]
        assert around["events_after"][0]["event_id"] == said[4].event_id


async def test_nobody_is_asked_for_what_is_known_here(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room()
        talk(oni, room, 5)
        oni.tells["timestamp_to_event"] = knows(room)
        taro = await joined(node, oni, room)
        first = await taro.says(room.room_id, "最初")
        first_ts = (await taro.get(f"v3/rooms/{room.room_id}/event/{quote(first)}"))["origin_server_ts"]
        second = await taro.says(room.room_id, "次")
        second_ts = (await taro.get(f"v3/rooms/{room.room_id}/event/{quote(second)}"))["origin_server_ts"]

        assert (await moment(taro, room, second_ts, "b"))["event_id"] == second
        assert (await moment(taro, room, first_ts + 1))["event_id"] == second
        assert (await moment(taro, room, second_ts + HOUR_MS)).refusal == (404, "M_NOT_FOUND")
        assert not oni.asked_for("timestamp_to_event")


async def test_what_lies_far_back_is_fetched_alone_and_comes_once_when_somebody_reads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_MOST_PIECES", 2)
    monkeypatch.setattr(backfill, "_AT_ONCE", 5)
    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room()
        said = talk(oni, room, 40)
        oni.tells["timestamp_to_event"] = knows(room)
        taro = await joined(node, oni, room)

        assert (await moment(taro, room, START_MS + 3 * HOUR_MS))["event_id"] == said[3].event_id
        shown = await taro.get(f"v3/rooms/{room.room_id}/event/{quote(said[3].event_id)}")
        assert shown["content"]["body"] == "第3号"

        heard = await all_ids(taro, room)
        mine = [event.event_id for event in said]
        assert [event_id for event_id in reversed(heard) if event_id in mine] == mine
        assert set(Counter(heard).values()) == {1}


@pytest.mark.parametrize("told", [
    Said(404, {"errcode": "M_NOT_FOUND"}), Said(500), Said(200, b"x"), [], {}, {"event_id": 5, "origin_server_ts": 5},
    {"event_id": "$nothing-of-the-kind", "origin_server_ts": START_MS + HOUR_MS},
    {"event_id": "$nothing-of-the-kind", "origin_server_ts": 1}, {"event_id": "$x", "origin_server_ts": "now"},
    {"event_id": "$" + "x" * 100_000, "origin_server_ts": START_MS + HOUR_MS},
    {"event_id": "../../x?y=z", "origin_server_ts": START_MS + HOUR_MS},
])  # fmt: skip
async def test_nonsense_helps_nobody_and_harms_nobody(tmp_path: Path, told: Any) -> None:
    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room()
        oni.tells["timestamp_to_event"] = told
        oni.tells["backfill"] = {"pdus": []}
        taro = await joined(node, oni, room)
        (join_id,) = await all_ids(taro, room)
        assert (await moment(taro, room, START_MS))["event_id"] == join_id
        assert (await moment(taro, room, START_MS, "b")).refusal == (404, "M_NOT_FOUND")


async def test_one_that_lies_about_a_time_does_not_hide_what_another_knows(tmp_path: Path) -> None:
    async with meeting(tmp_path, 2) as (node, oni, aka):
        room = oni.creates_room()
        said = talk(oni, room, 5)
        aka.rooms[room.room_id] = room
        room.put(aka.user("aka"), "m.room.member", {"membership": "join"}, aka.user("aka"))
        aka.tells["timestamp_to_event"] = {"event_id": said[4].event_id, "origin_server_ts": START_MS}
        oni.tells["timestamp_to_event"] = knows(room)
        taro = await joined(node, oni, room)
        assert (await moment(taro, room, START_MS))["event_id"] == said[0].event_id


async def test_an_event_that_the_rules_forbid_is_not_found(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room()
        talk(oni, room, 1)
        stranger = oni.user("never-came")
        forged = room.event(stranger, "m.room.message", {"body": "偽"}, origin_server_ts=START_MS + HOUR_MS)
        room.judged.events[forged.event_id] = forged
        oni.tells["timestamp_to_event"] = {"event_id": forged.event_id, "origin_server_ts": START_MS + HOUR_MS}
        taro = await joined(node, oni, room)
        found = await moment(taro, room, START_MS + HOUR_MS)
        assert found.status == 200
        assert found["event_id"] != forged.event_id
        assert (await taro.get(f"v3/rooms/{room.room_id}/event/{quote(forged.event_id)}")).status == 404
