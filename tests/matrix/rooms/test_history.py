"""Reading the past: pages, context, single events, state and members; who sees what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import Person, RunningNode


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [event["content"]["body"] for event in events if "body" in event["content"]]


async def page(person: Person, room: str, **query: Any) -> dict[str, Any]:
    answer = await person.get(f"v3/rooms/{room}/messages", **{"dir": "b", **query})
    assert answer.status == 200, answer
    return dict(answer.body)


async def test_all_pages_together_are_the_whole_room_in_both_directions(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for number in range(23):
        await hanako.says(room, str(number))
    backwards: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        found = await page(hanako, room, limit="5", **({"from": token} if token else {}))
        backwards += found["chunk"]
        if "end" not in found:
            break
        token = found["end"]
    assert texts(backwards) == [str(number) for number in reversed(range(23))]
    assert backwards[-1]["type"] == "m.room.create"
    forwards: list[dict[str, Any]] = []
    found = await page(hanako, room, dir="f", limit="7")
    while True:
        forwards += found["chunk"]
        if "end" not in found:
            break
        found = await page(hanako, room, dir="f", limit="7", **{"from": found["end"]})
    assert [event["event_id"] for event in forwards] == [event["event_id"] for event in reversed(backwards)]
    assert all(event["room_id"] == room for event in forwards)


async def test_pages_of_a_room_that_memory_does_not_hold_are_the_same(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for number in range(140):
        await hanako.says(room, str(number))
    before = await page(hanako, room, limit="200")
    await node.restart()
    after = await page(hanako, room, limit="200")
    for event in (*before["chunk"], *after["chunk"]):
        del event["unsigned"]["age"]
    assert after["chunk"] == before["chunk"]
    first = await hanako.syncs(wanted={"room": {"timeline": {"limit": 100}}})
    assert first.texts(room) == [str(number) for number in range(40, 140)]
    token = first.room(room)["timeline"]["prev_batch"]
    assert texts((await page(hanako, room, limit="10", **{"from": token}))["chunk"]) == [
        str(number) for number in range(39, 29, -1)
    ]


async def test_a_filter_is_walked_through(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for number in range(30):
        await hanako.sends(room, "jp.kairan.wanted" if number % 10 == 0 else "jp.kairan.other", {"body": str(number)})
    found = await page(hanako, room, limit="3", filter='{"types": ["jp.kairan.want*"]}')
    assert texts(found["chunk"]) == ["20", "10", "0"]
    literal = await page(hanako, room, limit="3", filter='{"types": ["jp.kairan.[w]anted", "?p.kairan.wanted"]}')
    assert literal["chunk"] == []


async def test_to_ends_a_page(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    await hanako.says(room, "before")
    since = (await hanako.syncs()).token
    await hanako.says(room, "after")
    assert texts((await page(hanako, room, to=since))["chunk"]) == ["after"]
    assert texts((await page(hanako, room, dir="f", **{"from": since}))["chunk"]) == ["after"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "M_MISSING_PARAM"), ({"dir": "x"}, "M_INVALID_PARAM"), ({"dir": "b", "from": "x"}, "M_INVALID_PARAM"),
        ({"dir": "b", "from": "s99999999999999999999"}, "M_INVALID_PARAM"),
        ({"dir": "b", "limit": "x"}, "M_INVALID_PARAM"),
        ({"dir": "b", "limit": "-1"}, "M_INVALID_PARAM"), ({"dir": "b", "filter": "{"}, "M_NOT_JSON"),
        ({"dir": "b", "filter": '{"types": "x"}'}, "M_BAD_JSON"), ({"dir": "b", "filter": "[]"}, "M_BAD_JSON"),
    ],
)
async def test_a_wrong_question_is_refused(node: RunningNode, query: dict[str, str], code: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    answer = await node.ask("GET", f"v3/rooms/{room}/messages", token=hanako.token, **query)
    assert answer.refusal == (400, code)


async def test_strangers_see_nothing(node: RunningNode) -> None:
    hanako, jiro = await node.users("hanako", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    event_id = await hanako.says(room, "x")
    for path in ("messages?dir=b", f"context/{event_id}", "state", "state/m.room.name", "members", "joined_members",
                 "aliases"):
        answer = await node.ask("GET", f"v3/rooms/{room}/{path}", token=jiro.token)
        assert answer.refusal == (403, "M_FORBIDDEN"), path
    for place in (room, "!nowhere:sakura.example"):
        answer = await jiro.get(f"v3/rooms/{place}/event/{event_id}")
        assert answer.refusal == (404, "M_NOT_FOUND")
        assert (await jiro.get(f"v1/rooms/{place}/relations/{event_id}")).refusal == (404, "M_NOT_FOUND")
        assert (await jiro.get(f"v3/rooms/{place}/messages", dir="b")).refusal == (403, "M_FORBIDDEN")


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        ("world_readable", ["early", "invited", "inside"]), ("shared", ["early", "invited", "inside"]),
        ("invited", ["invited", "inside"]), ("joined", ["inside"]), ("nonsense", ["inside"]),
    ],
)
async def test_the_history_visibility_decides(node: RunningNode, visibility: str, seen: list[str]) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(initial_state=[
        {"type": "m.room.history_visibility", "content": {"history_visibility": visibility}},
    ])
    ids = {"early": await hanako.says(room, "early")}
    await hanako.invites(taro, room)
    ids["invited"] = await hanako.says(room, "invited")
    await taro.joins(room)
    ids["inside"] = await hanako.says(room, "inside")
    await taro.leaves(room)
    ids["later"] = await hanako.says(room, "later")
    can_see = [*seen, "later"] if visibility == "world_readable" else seen
    assert texts((await page(taro, room, limit="100"))["chunk"])[::-1] == can_see
    assert texts((await page(taro, room, limit="100", dir="f"))["chunk"]) == can_see
    for text, event_id in ids.items():
        expected = 200 if text in can_see else 404
        assert (await taro.get(f"v3/rooms/{room}/event/{event_id}")).status == expected, text
        assert (await taro.get(f"v3/rooms/{room}/context/{event_id}")).status == expected, text


async def test_a_change_of_visibility_counts_from_then_on(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    assert (await hanako.syncs()).token
    await hanako.says(room, "shared")
    await hanako.sets(room, "m.room.history_visibility", {"history_visibility": "joined"})
    await hanako.syncs()
    await hanako.says(room, "hidden")
    await taro.joins(room)
    await hanako.says(room, "inside")
    assert texts((await page(taro, room, limit="100"))["chunk"]) == ["inside", "shared"]
    assert (await taro.syncs()).texts(room) == ["shared", "inside"]


async def test_who_has_left_sees_the_state_of_that_moment(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", name="before")
    await taro.joins(room)
    await taro.leaves(room)
    await hanako.sets(room, "m.room.name", {"name": "after"})
    await hanako.invites(taro, room)
    assert (await taro.get(f"v3/rooms/{room}/state/m.room.name"))["name"] == "before"
    state = {(e["type"], e["state_key"]): e for e in (await taro.get(f"v3/rooms/{room}/state")).body}
    assert state["m.room.name", ""]["content"] == {"name": "before"}
    members = (await taro.get(f"v3/rooms/{room}/members"))["chunk"]
    assert {e["state_key"]: e["content"]["membership"] for e in members} == {
        hanako.user_id: "join", taro.user_id: "leave",
    }


async def test_members_can_be_asked_by_membership_and_by_time(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    earlier = (await hanako.syncs()).token
    await taro.leaves(room)
    await hanako.invites(jiro, room)

    async def members(**query: str) -> set[str]:
        chunk = (await hanako.get(f"v3/rooms/{room}/members", **query))["chunk"]
        return {event["state_key"] for event in chunk}

    assert await members() == {hanako.user_id, taro.user_id, jiro.user_id}
    assert await members(membership="join") == {hanako.user_id}
    assert await members(not_membership="leave") == {hanako.user_id, jiro.user_id}
    assert await members(at=earlier) == {hanako.user_id, taro.user_id}
    assert await members(at=earlier, membership="join") == {hanako.user_id, taro.user_id}
    assert (await hanako.get(f"v3/rooms/{room}/members", at="x")).refusal == (400, "M_INVALID_PARAM")


async def test_context_shows_what_came_before_and_after(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    ids = [await hanako.says(room, str(number)) for number in range(11)]
    found = await hanako.get(f"v3/rooms/{room}/context/{ids[5]}", limit="5")
    assert found["event"]["event_id"] == ids[5]
    assert texts(found["events_before"]) == ["4", "3"]
    assert texts(found["events_after"]) == ["6", "7", "8"]
    assert {event["type"] for event in found["state"]} >= {"m.room.create", "m.room.member"}
    earlier = await page(hanako, room, limit="2", **{"from": found["start"]})
    later = await page(hanako, room, limit="2", dir="f", **{"from": found["end"]})
    assert (texts(earlier["chunk"]), texts(later["chunk"])) == (["2", "1"], ["9", "10"])
    lazy = await hanako.get(f"v3/rooms/{room}/context/{ids[5]}", filter='{"lazy_load_members": true}')
    assert [e["state_key"] for e in lazy["state"] if e["type"] == "m.room.member"] == [hanako.user_id]
    none = await hanako.get(f"v3/rooms/{room}/context/{ids[5]}", limit="0")
    assert (none["events_before"], none["events_after"]) == ([], [])
    assert (await hanako.get(f"v3/rooms/{room}/context/$nothing")).refusal == (404, "M_NOT_FOUND")


async def test_lazy_pages_bring_their_senders(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    await taro.says(room, "x")
    found = await page(hanako, room, limit="1", filter='{"lazy_load_members": true}')
    assert [event["state_key"] for event in found["state"]] == [taro.user_id]


async def test_an_event_of_another_room_is_not_found(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    one, other = await hanako.creates_room(), await hanako.creates_room()
    event_id = await hanako.says(one, "x")
    assert (await hanako.get(f"v3/rooms/{other}/event/{event_id}")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get(f"v3/rooms/{other}/context/{event_id}")).refusal == (404, "M_NOT_FOUND")


async def test_a_page_may_hold_only_what_others_relate_to(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room, other = [await hanako.creates_room(preset="public_chat") for _ in range(2)]
    await taro.joins(room)
    talked_about, liked, bare = [await hanako.says(room, text) for text in ("a", "b", "c")]
    await taro.says(room, "d", **{"m.relates_to": {"rel_type": "m.thread", "event_id": talked_about}})
    like = {"m.relates_to": {"rel_type": "m.annotation", "event_id": liked, "key": "x"}}
    await hanako.sends(room, "m.reaction", like)
    await hanako.says(other, "e", **{"m.relates_to": {"rel_type": "m.thread", "event_id": bare}})

    async def found(**wanted: Any) -> list[str]:
        answer = await hanako.get(f"v3/rooms/{room}/messages", dir="f", filter=json.dumps(wanted))
        return [event["event_id"] for event in answer["chunk"]]

    assert await found(related_by_rel_types=["m.thread"]) == [talked_about]
    assert await found(related_by_rel_types=["m.thread", "m.annotation"]) == [talked_about, liked]
    assert await found(related_by_senders=[taro.user_id]) == [talked_about]
    assert await found(related_by_senders=[jiro.user_id]) == []
    assert await found(related_by_senders=[hanako.user_id], related_by_rel_types=["m.annotation"]) == [liked]
    assert await found(related_by_rel_types=[]) == []
    page = f"v3/rooms/{room}/messages"
    for wrong in ('{"related_by_rel_types": "m.thread"}', '{"related_by_senders": [5]}'):
        assert (await hanako.get(page, dir="b", filter=wrong)).refusal == (400, "M_BAD_JSON")
    assert (await jiro.get(page, dir="b", filter='{"related_by_rel_types": ["m.thread"]}')).status == 403
