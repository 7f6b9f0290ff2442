"""Each event says what the reader was in the room at that moment (``unsigned.membership``)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Json, RunningNode

WIDE: dict[str, Any] = {"room": {"timeline": {"limit": 50}, "include_leave": True}}


def memberships(events: list[Json]) -> dict[str, str]:
    """By text; other events by what they made of Taro."""
    named = {event["content"].get("body") or event["content"].get("membership", ""): event for event in events}
    return {name: event["unsigned"]["membership"] for name, event in named.items()}


@pytest.mark.parametrize("invited", [True, False])
async def test_before_one_came_while_one_was_in_and_at_the_end(node: RunningNode, invited: bool) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.says(room, "early")
    if invited:
        await hanako.invites(taro, room)
    await hanako.says(room, "waiting")
    since = (await taro.syncs()).token
    await taro.joins(room)
    event_id = await taro.says(room, "inside")
    expected = {"early": "leave", "waiting": "invite" if invited else "leave", "inside": "join"}
    page = (await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="50"))["chunk"]
    for events in ((await taro.syncs(wanted=WIDE)).timeline(room), (await taro.syncs(since)).timeline(room), page):
        assert expected.items() <= memberships(events).items()
    one = await taro.get(f"v3/rooms/{room}/event/{event_id}")
    assert one["unsigned"]["membership"] == "join"
    await taro.leaves(room)
    left = memberships((await taro.syncs(wanted=WIDE)).timeline(room, "leave"))
    assert {**expected, "leave": "leave"}.items() <= left.items()


async def test_what_is_new_was_seen_by_a_member(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    tokens = [(person, (await person.syncs()).token) for person in (hanako, taro)]
    await hanako.says(room, "x")
    await hanako.sets(room, "m.room.name", {"name": "y"})
    await hanako.sets(room, "m.room.name", {"name": "z"})
    for person, since in tokens:
        events = (await person.syncs(since)).timeline(room)
        assert [event["unsigned"]["membership"] for event in events] == ["join"] * 3
        assert events[2]["unsigned"]["prev_content"] == {"name": "y"}
    assert "transaction_id" in (await hanako.syncs(tokens[0][1])).timeline(room)[0]["unsigned"]


async def test_events_say_how_old_they_are(node: RunningNode) -> None:
    """Without it, clients let calls ring that were over long ago."""
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    said = await hanako.says(room, "x")
    answers = await hanako.says(room, "y", **{"m.relates_to": {"rel_type": "m.thread", "event_id": said}})
    reads = f"v3/rooms/{room}"
    told = [
        *(await taro.syncs()).timeline(room), *(await taro.get(f"{reads}/messages", dir="b"))["chunk"],
        (await taro.get(f"{reads}/event/{said}")).body, (await taro.get(f"{reads}/context/{answers}"))["event"],
        *(await taro.get(f"v1/rooms/{room}/threads"))["chunk"],
        *(await taro.get(f"v1/rooms/{room}/relations/{said}"))["chunk"],
    ]
    assert len(told) > 10
    for event in told:
        assert 0 <= event["unsigned"]["age"] < 60_000
        assert event["unsigned"]["membership"] in ("join", "leave")


async def test_events_of_the_future_are_not_younger_than_nothing(node: RunningNode) -> None:
    """Other servers' clocks go wrong."""
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    await hanako.says(room, "x")
    stored = (await node.inside.services.rooms.get(room)).timeline[-1].event
    stored.origin_server_ts += 3_600_000
    assert (await hanako.syncs()).timeline(room)[-1]["unsigned"]["age"] == 0
