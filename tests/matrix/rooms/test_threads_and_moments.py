"""The threads of a room, and the event nearest to a moment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Person, RunningNode


async def answers(person: Person, room: str, root: str, text: str) -> str:
    return await person.says(room, text, **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}})


async def roots(person: Person, room: str, **query: Any) -> list[str]:
    return [event["event_id"] for event in (await person.get(f"v1/rooms/{room}/threads", **query))["chunk"]]


async def two_in_a_room(node: RunningNode, **wishes: Any) -> tuple[Person, Person, str]:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", **wishes)
    await taro.joins(room)
    return hanako, taro, room


async def test_threads_come_by_their_newest_answer_with_what_belongs_to_them(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    first, second, _alone = [await hanako.says(room, text) for text in ("one", "two", "three")]
    await answers(taro, room, first, "a")
    await answers(taro, room, second, "b")
    assert await roots(hanako, room) == [second, first]
    await answers(hanako, room, first, "c")
    found = (await taro.get(f"v1/rooms/{room}/threads"))["chunk"]
    assert [event["event_id"] for event in found] == [first, second]
    assert found[0]["room_id"] == room
    thread = found[0]["unsigned"]["m.relations"]["m.thread"]
    assert (thread["count"], thread["current_user_participated"]) == (2, True)
    assert thread["latest_event"]["content"]["body"] == "c"


async def test_threads_can_be_paged(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    begun = [await hanako.says(room, str(number)) for number in range(5)]
    for root in begun:
        await answers(taro, room, root, "a")
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = await hanako.get(f"v1/rooms/{room}/threads", **query)
        found += [event["event_id"] for event in page["chunk"]]
        if "next_batch" not in page.body:
            break
        query["from"] = page["next_batch"]
    assert found == list(reversed(begun))


async def test_only_the_threads_that_one_has_written_in(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    jiro = await node.user("jiro")
    await jiro.joins(room)
    own, answered, foreign = await taro.says(room, "1"), await hanako.says(room, "2"), await hanako.says(room, "3")
    for root in (own, answered, foreign):
        await answers(jiro, room, root, "a")
    await answers(taro, room, answered, "b")
    assert await roots(taro, room, include="participated") == [answered, own]
    assert len(await roots(taro, room, include="all")) == 3


async def test_a_thread_whose_answers_are_all_redacted_is_none(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    root = await hanako.says(room, "one")
    answer = await answers(taro, room, root, "a")
    await taro.redacts(room, answer)
    assert await roots(hanako, room) == []


async def test_the_root_of_somebody_who_is_ignored_says_nothing(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    root = await taro.says(room, "loud")
    await answers(hanako, room, root, "a")
    await hanako.put(
        f"v3/user/{hanako.user_id}/account_data/m.ignored_user_list", {"ignored_users": {taro.user_id: {}}}
    )
    event = (await hanako.get(f"v1/rooms/{room}/threads"))["chunk"][0]
    assert (event["event_id"], event["content"]) == (root, {})
    assert event["unsigned"]["m.relations"]["m.thread"]["count"] == 1


async def test_answers_of_somebody_who_is_ignored_are_not_counted(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    first, second = await hanako.says(room, "first"), await hanako.says(room, "second")
    own = await answers(hanako, room, first, "a")
    await answers(taro, room, first, "b")
    await answers(taro, room, second, "c")
    assert await roots(hanako, room) == [second, first]
    await hanako.put(
        f"v3/user/{hanako.user_id}/account_data/m.ignored_user_list", {"ignored_users": {taro.user_id: {}}}
    )
    (event,) = (await hanako.get(f"v1/rooms/{room}/threads"))["chunk"]
    thread = event["unsigned"]["m.relations"]["m.thread"]
    assert (event["event_id"], thread["count"], thread["latest_event"]["event_id"]) == (first, 1, own)
    related = await hanako.get(f"v1/rooms/{room}/relations/{first}")
    assert [item["event_id"] for item in related["chunk"]] == [own]
    assert len((await taro.get(f"v1/rooms/{room}/relations/{first}"))["chunk"]) == 2


async def test_a_thread_does_not_begin_inside_another(node: RunningNode) -> None:
    hanako, taro, room = await two_in_a_room(node)
    root = await hanako.says(room, "root")
    answer = await answers(hanako, room, root, "a")
    nested = {"msgtype": "m.text", "body": "b", "m.relates_to": {"event_id": answer, "rel_type": "m.thread"}}
    assert (await taro.sends(room, "m.room.message", nested)).refusal == (400, "M_UNKNOWN")
    unknown = {"msgtype": "m.text", "body": "b", "m.relates_to": {"event_id": "$elsewhere", "rel_type": "m.thread"}}
    assert (await taro.sends(room, "m.room.message", unknown)).status == 200
    assert await roots(hanako, room) == [root]


async def test_threads_from_before_one_came_are_hidden_where_the_past_is(node: RunningNode) -> None:
    hidden = [{"type": "m.room.history_visibility", "content": {"history_visibility": "joined"}}]
    hanako = await node.user("hanako")
    room = await hanako.creates_room(preset="public_chat", initial_state=hidden)
    old = await hanako.says(room, "old")
    await answers(hanako, room, old, "a")
    taro = await node.user("taro")
    await taro.joins(room)
    new = await hanako.says(room, "new")
    await answers(hanako, room, new, "b")
    await answers(hanako, room, old, "c")
    assert await roots(taro, room) == [new]
    assert await roots(hanako, room) == [old, new]


@pytest.mark.parametrize(("query", "refusal"), [
    ({"include": "mine"}, (400, "M_INVALID_PARAM")),
    ({"limit": "0"}, (400, "M_INVALID_PARAM")),
    ({"limit": "x"}, (400, "M_INVALID_PARAM")),
    ({"from": "x"}, (400, "M_INVALID_PARAM")),
])
async def test_questions_for_threads_that_make_no_sense(
    node: RunningNode, query: dict[str, str], refusal: tuple[int, str]
) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    assert (await hanako.get(f"v1/rooms/{room}/threads", **query)).refusal == refusal


async def test_strangers_learn_of_no_threads_and_no_moments(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    jiro = await node.user("jiro")
    for place in (room, "!none:sakura.example"):
        assert (await jiro.get(f"v1/rooms/{place}/threads")).refusal == (403, "M_FORBIDDEN")
        moment = await jiro.get(f"v1/rooms/{place}/timestamp_to_event", ts="1", dir="f")
        assert moment.refusal == (403, "M_FORBIDDEN")


async def test_the_event_nearest_to_a_moment_before_and_after_it(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    said = [await hanako.says(room, str(number)) for number in range(3)]
    times = [(await hanako.get(f"v3/rooms/{room}/event/{event_id}"))["origin_server_ts"] for event_id in said]
    path = f"v1/rooms/{room}/timestamp_to_event"
    after = await hanako.get(path, ts=str(times[1]), dir="f")
    assert after["origin_server_ts"] == times[1]
    before = await hanako.get(path, ts=str(times[2] + 100_000), dir="b")
    assert before.body == {"event_id": said[2], "origin_server_ts": times[2]}
    first = await hanako.get(path, ts="0", dir="f")
    assert (await hanako.get(f"v3/rooms/{room}/event/{first['event_id']}"))["type"] == "m.room.create"
    assert (await hanako.get(path, ts="0", dir="b")).refusal == (404, "M_NOT_FOUND")
    assert (await hanako.get(path, ts=str(times[2] + 100_000), dir="f")).refusal == (404, "M_NOT_FOUND")


async def test_moments_that_one_may_not_see_are_passed_over(node: RunningNode) -> None:
    hidden = [{"type": "m.room.history_visibility", "content": {"history_visibility": "joined"}}]
    hanako = await node.user("hanako")
    room = await hanako.creates_room(preset="public_chat", initial_state=hidden)
    for number in range(120):
        await hanako.says(room, str(number))
    taro = await node.user("taro")
    await taro.joins(room)
    found = await taro.get(f"v1/rooms/{room}/timestamp_to_event", ts="0", dir="f")
    seen = await taro.get(f"v3/rooms/{room}/event/{found['event_id']}")
    assert seen.status == 200


@pytest.mark.parametrize(("query", "refusal"), [
    ({"ts": "1"}, (400, "M_MISSING_PARAM")),
    ({"dir": "f"}, (400, "M_MISSING_PARAM")),
    ({"ts": "1", "dir": "x"}, (400, "M_INVALID_PARAM")),
    ({"ts": "soon", "dir": "f"}, (400, "M_INVALID_PARAM")),
    ({"ts": "-1", "dir": "f"}, (400, "M_INVALID_PARAM")),
    ({"ts": str(2**70), "dir": "f"}, (400, "M_INVALID_PARAM")),
])
async def test_moments_that_make_no_sense(node: RunningNode, query: dict[str, str], refusal: tuple[int, str]) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    assert (await hanako.get(f"v1/rooms/{room}/timestamp_to_event", **query)).refusal == refusal
