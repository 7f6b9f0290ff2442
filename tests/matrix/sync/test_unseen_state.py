"""What changed in a room before one may look, or without being wanted, is in the state all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import RunningNode


def visible(value: str) -> list[dict[str, Any]]:
    return [{"type": "m.room.history_visibility", "content": {"history_visibility": value}}]


@pytest.mark.parametrize("visibility", ["joined", "invited"])
@pytest.mark.parametrize("before", [0, 30])
@pytest.mark.parametrize("after", [0, 30])
async def test_the_state_of_a_room_with_a_hidden_past_is_whole(
    node: RunningNode, visibility: str, before: int, after: int
) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", initial_state=visible("shared"))
    await hanako.says(room, "seen")
    await hanako.sets(room, "m.room.history_visibility", {"history_visibility": visibility})
    await hanako.sets(room, "a.madeup.test.state", {"key": "hidden"})
    for _ in range(before):
        await hanako.says(room, "hidden")
    since = (await taro.syncs()).token
    await taro.joins(room)
    for _ in range(after):
        await hanako.says(room, "inside")
    for answer in (await taro.syncs(), await taro.syncs(since)):
        told = answer.state(room) | {
            (event["type"], event["state_key"]): event for event in answer.timeline(room) if "state_key" in event
        }
        assert told["a.madeup.test.state", ""]["content"] == {"key": "hidden"}
        assert told["m.room.member", taro.user_id]["content"]["membership"] == "join"
        assert "hidden" not in answer.texts(room)


async def test_state_that_the_timelines_filter_leaves_out_is_in_the_state(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room(name="old")
    await hanako.says(room, "1")
    await hanako.sets(room, "m.room.name", {"name": "new"})
    await hanako.says(room, "2")
    answer = await hanako.syncs(wanted={"room": {"timeline": {"types": ["m.room.message"]}}})
    assert answer.texts(room) == ["1", "2"]
    assert answer.state(room)["m.room.name", ""]["content"] == {"name": "new"}
