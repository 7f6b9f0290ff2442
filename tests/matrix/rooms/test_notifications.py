"""GET notifications: what one was told of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Person, RunningNode


async def told(person: Person, **query: str) -> list[dict[str, Any]]:
    return list((await person.get("v3/notifications", **query))["notifications"])


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [item["event"]["content"]["body"] for item in found]


async def test_messages_of_others_are_listed_with_what_they_mean(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.says(room, "before")
    await taro.joins(room)
    first = await hanako.says(room, "one")
    await taro.says(room, "own")
    await hanako.says(room, "two", **{"m.mentions": {"user_ids": [taro.user_id]}})
    await taro.reads(room, first)
    found = await told(taro)
    assert texts(found) == ["two", "one"]
    assert [item["read"] for item in found] == [False, True]
    sound = {"set_tweak": "sound", "value": "default"}
    assert found[0]["actions"] == ["notify", sound, {"set_tweak": "highlight"}]
    assert found[1]["actions"] == ["notify", sound]  # a room of two
    assert found[0]["room_id"] == room
    assert found[0]["ts"] == found[0]["event"]["origin_server_ts"]
    assert texts(await told(taro, only="highlight")) == ["two"]
    assert texts(await told(hanako)) == ["own"]


async def test_the_list_can_be_paged(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    rooms = [await hanako.creates_room(preset="public_chat") for _ in range(2)]
    for room in rooms:
        await taro.joins(room)
    for number in range(7):
        await hanako.says(rooms[number % 2], str(number))
    found: list[str] = []
    query = {"limit": "3"}
    while True:
        answer = await taro.get("v3/notifications", **query)
        found += texts(answer["notifications"])
        if "next_token" not in answer.body:
            break
        query["from"] = answer["next_token"]
    assert found == ["6", "5", "4", "3", "2", "1", "0"]


async def test_rooms_that_one_has_left_tell_nothing(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await hanako.says(room, "one")
    await taro.leaves(room)
    assert await told(taro) == []


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"from": "x"}])
async def test_questions_that_make_no_sense(node: RunningNode, query: dict[str, str]) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.get("v3/notifications", **query)).refusal == (400, "M_INVALID_PARAM")


async def test_without_an_account_there_is_nothing_to_be_told(node: RunningNode) -> None:
    assert (await node.ask("GET", "v3/notifications")).refusal == (401, "M_MISSING_TOKEN")
