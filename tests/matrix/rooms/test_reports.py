"""Reporting rooms, events and people to the admins."""

from __future__ import annotations

from typing import Any

import pytest

from server.rooms.report_store import Report, newest_reports
from server.rooms.reports import MOST_A_DAY
from tests.builders import Person, RunningNode


async def reported(node: RunningNode) -> list[Report]:
    return await newest_reports(node.inside.core.database, 100)


async def two_in_a_room(node: RunningNode) -> tuple[Person, Person, str]:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    return hanako, taro, room


async def test_rooms_events_and_people_can_be_reported(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    event_id = await taro.says(room, "ばか")
    for path, body in (
        (f"v3/rooms/{room}/report/{event_id}", {"reason": "ひどい", "score": -100}),
        (f"v3/rooms/{room}/report", {"reason": ""}),
        (f"v3/users/{taro.user_id}/report", {"reason": "いつも"}),
        ("v3/users/@stranger:elsewhere.example/report", {"reason": "迷惑"}),
    ):
        answer = await hanako.post(path, body)
        assert (answer.status, answer.body) == (200, {}), path
    kept = {(item.room_id, item.event_id, item.user_id, item.reason) for item in await reported(node)}
    assert kept == {
        (room, event_id, taro.user_id, "ひどい"), (room, "", "", ""), ("", "", taro.user_id, "いつも"),
        ("", "", "@stranger:elsewhere.example", "迷惑"),
    }
    assert {item.reporter for item in await reported(node)} == {hanako.user_id}


async def test_a_room_can_be_reported_from_outside_but_not_what_is_said_in_it(node: RunningNode) -> None:
    _hanako, taro, room = await two_in_a_room(node)
    event_id = await taro.says(room, "ばか")
    jiro = await node.user("jiro")
    assert (await jiro.post(f"v3/rooms/{room}/report", {"reason": "騒がしい"})).status == 200
    assert (await jiro.post(f"v3/rooms/{room}/report/{event_id}", {"reason": ""})).refusal == (404, "M_NOT_FOUND")
    assert len(await reported(node)) == 1


@pytest.mark.parametrize(("path", "body", "refusal"), [
    ("v3/rooms/!none:sakura.example/report", {"reason": ""}, (404, "M_NOT_FOUND")),
    ("v3/rooms/ROOM/report", {}, (400, "M_MISSING_PARAM")),
    ("v3/rooms/ROOM/report", {"reason": 1}, (400, "M_BAD_JSON")),
    ("v3/rooms/ROOM/report", {"reason": "a" * 2_001}, (400, "M_INVALID_PARAM")),
    ("v3/rooms/ROOM/report", {"reason": "\0"}, (400, "M_INVALID_PARAM")),
    ("v3/rooms/ROOM/report/$none", {"reason": ""}, (404, "M_NOT_FOUND")),
    ("v3/users/@nobody:sakura.example/report", {"reason": ""}, (404, "M_NOT_FOUND")),
    ("v3/users/nobody/report", {"reason": ""}, (400, "M_INVALID_PARAM")),
    ("v3/users/@hanako:sakura.example/report", {}, (400, "M_MISSING_PARAM")),
])
async def test_what_cannot_be_reported_leaves_nothing(
    node: RunningNode, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    assert (await hanako.post(path.replace("ROOM", room), body)).refusal == refusal
    assert await reported(node) == []


async def test_without_an_account_nothing_can_be_reported(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    answer = await node.ask("POST", f"v3/rooms/{room}/report", {"reason": ""})
    assert answer.refusal == (401, "M_MISSING_TOKEN")
    assert await reported(node) == []


async def test_nobody_reports_without_end(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    for _ in range(MOST_A_DAY):
        assert (await hanako.post(f"v3/rooms/{room}/report", {"reason": ""})).status == 200
    refused = await hanako.post(f"v3/rooms/{room}/report", {"reason": ""})
    assert refused.refusal == (429, "M_LIMIT_EXCEEDED")
    assert refused.body["retry_after_ms"] > 0
    assert len(await reported(node)) == MOST_A_DAY
    assert (await taro.post(f"v3/rooms/{room}/report", {"reason": ""})).status == 200
