"""Full text search: what is found, what is not, and what nobody finds any more."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from server.rooms import search
from server.rooms.search_words import filter_of, may_have, normal, pieces_of, words_of
from tests.builders import Answer, Person, RunningNode


async def ask(person: Person, term: str, *, next_batch: str | None = None, **more: Any) -> Answer:
    query = {} if next_batch is None else {"next_batch": next_batch}
    criteria = {"search_term": term, "order_by": "recent", **more}
    body = {"search_categories": {"room_events": {name: item for name, item in criteria.items() if item is not None}}}
    return await person.post("v3/search", body, **query)


async def finds(person: Person, term: str, **more: Any) -> list[str]:
    found = (await ask(person, term, **more))["search_categories"]["room_events"]
    return [item["result"]["content"].get("body") or str(item["result"]["content"]) for item in found["results"]]


async def blocks(node: RunningNode) -> list[tuple[int, int]]:
    rows = await node.inside.core.database.fetch_all(text("SELECT ends, length(bits) FROM search_blocks ORDER BY ends"))
    return [(int(row[0]), int(row[1])) for row in rows]


@pytest.mark.parametrize(("said", "term"), [
    ("防災訓練は中止", "防災"), ("防災訓練は中止", "練"), ("防災訓練は中止", "訓練　中止"),
    ("ｶﾒﾗを忘れた", "カメラ"), ("ＡＢＣ体操", "abc"), ("Straße", "STRASSE"), ("the Quick fox", "quick FOX"),
    ("一行目\n二行目", "二行"), ("😀😀", "😀"), ("100% sure", "100%"), ("a_b", "a_b"),
])
async def test_words_are_found_in_any_language(node: RunningNode, said: str, term: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    await hanako.says(room, said)
    await hanako.says(room, "なにもない")
    assert await finds(hanako, term) == [said]


@pytest.mark.parametrize("term", ["防火", "災防", "quick  bird", "", "   ", "_%_", "x" * 1_000])
async def test_other_words_are_not_found(node: RunningNode, term: str) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    await hanako.says(room, "防災 the quick fox")
    assert await finds(hanako, term) == []


async def test_old_messages_are_found_with_the_index_and_without(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for number in range(300):
        await hanako.says(room, "蛍を見ました" if number in (3, 64, 190, 299) else f"普通の話 {number}")
    assert await blocks(node) == []
    first = await finds(hanako, "蛍")
    assert len(first) == 4
    assert len(await blocks(node)) == 4
    assert await finds(hanako, "蛍") == first
    assert await finds(hanako, "話 17") == [f"普通の話 {number}" for number in (217, *range(179, 170, -1))]
    await hanako.says(room, "また蛍")
    assert await finds(hanako, "蛍") == ["また蛍", *first]
    await node.restart()
    assert await finds(hanako, "蛍") == ["また蛍", *first]


async def test_results_of_many_rooms_are_paged_by_time(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    rooms = [await hanako.creates_room() for _ in range(3)]
    for number in range(40):
        await hanako.says(rooms[number % 3], f"祭り {number}")
        await hanako.says(rooms[(number + 1) % 3], "ほか")
    found: list[str] = []
    token: str | None = None
    while True:
        part = (await ask(hanako, "祭り", next_batch=token, filter={"limit": 7}, order_by="recent"))
        events = part["search_categories"]["room_events"]
        found += [item["result"]["content"]["body"] for item in events["results"]]
        token = events.get("next_batch")
        if token is None:
            break
    assert found == [f"祭り {number}" for number in reversed(range(40))]


async def test_a_request_that_may_not_read_on_says_from_where_to_go_on(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_READ", 20)
    monkeypatch.setattr(search, "MOST_WRITTEN", 1)
    hanako = await node.user("hanako")
    rooms = [await hanako.creates_room() for _ in range(3)]
    await hanako.says(rooms[0], "宝物")
    for number in range(210):
        await hanako.says(rooms[number % 3], "石")
    token: str | None = None
    asked, found = 0, []
    while asked == 0 or token is not None:
        events = (await ask(hanako, "宝物", next_batch=token))["search_categories"]["room_events"]
        found += events["results"]
        token = events.get("next_batch")
        asked += 1
        assert asked < 30
    assert (len(found), asked > 1) == (1, True)


async def test_what_is_redacted_is_found_by_nobody_and_leaves_the_index(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    secret = await hanako.says(room, "秘密の話")
    for number in range(150):
        await hanako.says(room, f"話 {number}")
    assert await finds(hanako, "秘密") == ["秘密の話"]
    before = await blocks(node)
    await hanako.redacts(room, secret)
    assert [size for _, size in await blocks(node)] == [0, before[1][1]]
    assert await finds(hanako, "秘密") == []
    after = await blocks(node)
    assert [ends for ends, _ in after] == [ends for ends, _ in before]
    assert all(size for _, size in after)
    assert await finds(hanako, "話 3") == [f"話 {number}" for number in (143, *range(139, 130, -1))]


async def test_only_what_one_may_see_is_found(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    hidden = [{"type": "m.room.history_visibility", "content": {"history_visibility": "joined"}}]
    room = await hanako.creates_room(preset="public_chat", initial_state=hidden)
    await hanako.says(room, "桜 前")
    await taro.joins(room)
    await hanako.says(room, "桜 中")
    await taro.leaves(room)
    await hanako.says(room, "桜 後")
    assert await finds(hanako, "桜") == ["桜 後", "桜 中", "桜 前"]
    assert await finds(taro, "桜") == ["桜 中"]
    assert await finds(jiro, "桜") == []
    assert await finds(jiro, "桜", filter={"rooms": [room]}) == []
    await taro.post(f"v3/rooms/{room}/forget")
    assert await finds(taro, "桜") == []


async def test_filters_and_keys(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat", name="桜の会", topic="桜について")
    other = await hanako.creates_room()
    await taro.joins(room)
    await taro.says(room, "桜 太郎")
    await hanako.says(room, "桜 花子")
    await hanako.says(other, "桜 よそ")
    assert await finds(hanako, "桜", filter={"rooms": [other]}) == ["桜 よそ"]
    assert await finds(hanako, "桜", filter={"not_rooms": [other], "senders": [taro.user_id]}) == ["桜 太郎"]
    assert await finds(hanako, "桜", keys=["content.name"]) == ["{'name': '桜の会'}"]
    (topic,) = await finds(hanako, "桜", filter={"types": ["m.room.topic"]})
    assert "'topic': '桜について'" in topic
    assert len(await finds(hanako, "桜")) == 5
    ignored: dict[str, Any] = {"ignored_users": {taro.user_id: {}}}
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/m.ignored_user_list", ignored)
    assert "桜 太郎" not in await finds(hanako, "桜")


async def test_results_come_with_what_was_asked_for(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await hanako.put(f"v3/profile/{hanako.user_id}/displayname", {"displayname": "花子"})
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    for body in ("a", "b"):
        await taro.says(room, body)
    hit = await hanako.says(room, "桜")
    for body in ("c", "d"):
        await taro.says(room, body)
    await hanako.put(f"v3/profile/{hanako.user_id}/displayname", {"displayname": "後の名前"})
    found = (await ask(
        taro, "桜", include_state=True, groupings={"group_by": [{"key": "room_id"}, {"key": "sender"}]},
        event_context={"before_limit": 1, "after_limit": 2, "include_profile": True},
    ))["search_categories"]["room_events"]
    assert (found["count"], found["highlights"]) == (1, ["桜"])
    result = found["results"][0]
    assert (result["result"]["event_id"], result["result"]["room_id"]) == (hit, room)
    context = result["context"]
    assert [event["content"]["body"] for event in context["events_before"]] == ["b"]
    assert [event["content"]["body"] for event in context["events_after"]] == ["c", "d"]
    assert context["profile_info"][hanako.user_id] == {"displayname": "花子"}
    page = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="1", **{"from": context["start"]})
    assert page["chunk"][0]["content"]["body"] == "a"
    assert found["groups"] == {
        "room_id": {room: {"order": 1, "results": [hit]}}, "sender": {hanako.user_id: {"order": 1, "results": [hit]}},
    }
    assert {event["type"] for event in found["state"][room]} >= {"m.room.create", "m.room.member"}


async def test_by_rank_comes_first_what_says_little_else(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    for body in ("桜が咲いたので花見をしよう", "桜", "桜です"):
        await hanako.says(room, body)
    for order in ({"order_by": "rank"}, {"order_by": None}):
        assert await finds(hanako, "桜", **order) == ["桜", "桜です", "桜が咲いたので花見をしよう"]
    assert await finds(hanako, "桜", order_by="recent") == ["桜です", "桜", "桜が咲いたので花見をしよう"]
    results = (await ask(hanako, "桜"))["search_categories"]["room_events"]["results"]
    assert [result["rank"] for result in results] == [0.3333, 1.0, 0.0769]


async def test_a_group_can_be_paged_alone(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room, other = await hanako.creates_room(preset="public_chat"), await hanako.creates_room()
    await taro.joins(room)
    for number in range(3):
        await hanako.says(room, f"桜 花子 {number}")
        await taro.says(room, f"桜 太郎 {number}")
        await hanako.says(other, f"桜 よそ {number}")
    groupings = {"group_by": [{"key": "room_id"}, {"key": "sender"}]}
    asked: dict[str, Any] = {"groupings": groupings, "filter": {"limit": 3}}
    found = (await ask(hanako, "桜", **asked))["search_categories"]["room_events"]
    groups = found["groups"]
    assert set(groups["room_id"]) == {room, other}
    assert set(groups["sender"]) == {hanako.user_id, taro.user_id}
    for key, value, wanted in (
        ("room_id", other, ["桜 よそ 1", "桜 よそ 0"]), ("sender", taro.user_id, ["桜 太郎 1", "桜 太郎 0"]),
    ):
        token = groups[key][value]["next_batch"]
        page = (await ask(hanako, "桜", next_batch=token, **asked))["search_categories"]["room_events"]
        assert [item["result"]["content"]["body"] for item in page["results"]] == wanted
    foreign = found["next_batch"] + "~room_id~!foreign"
    page = (await ask(hanako, "桜", next_batch=foreign))["search_categories"]["room_events"]
    assert page["results"] == []


async def test_who_names_a_room_means_also_what_it_was_before_its_upgrade(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    old = await hanako.creates_room(preset="public_chat", room_version="11")
    await hanako.says(old, "桜 前")
    new = str((await hanako.post(f"v3/rooms/{old}/upgrade", {"new_version": "12"}))["replacement_room"])
    await hanako.says(new, "桜 後")
    await taro.joins(new)
    assert await finds(hanako, "桜", filter={"rooms": [new]}) == ["桜 後", "桜 前"]
    assert await finds(hanako, "桜", filter={"rooms": [new], "not_rooms": [old]}) == ["桜 後"]
    assert await finds(hanako, "桜", filter={"rooms": [old]}) == ["桜 前"]
    assert await finds(taro, "桜", filter={"rooms": [new]}) == ["桜 後"]


@pytest.mark.parametrize(("body", "refusal"), [
    ({}, (400, "M_MISSING_PARAM")),
    ({"search_categories": []}, (400, "M_BAD_JSON")),
    ({"search_categories": {"room_events": {}}}, (400, "M_MISSING_PARAM")),
    ({"search_categories": {"room_events": {"search_term": 1}}}, (400, "M_BAD_JSON")),
    ({"search_categories": {"room_events": {"search_term": "a" * 1_001}}}, (400, "M_INVALID_PARAM")),
    ({"search_categories": {"room_events": {"search_term": "a", "keys": ["content.x"]}}}, (400, "M_INVALID_PARAM")),
    ({"search_categories": {"room_events": {"search_term": "a", "keys": [[]]}}}, (400, "M_INVALID_PARAM")),
    ({"search_categories": {"room_events": {"search_term": "a", "order_by": "age"}}}, (400, "M_INVALID_PARAM")),
    ({"search_categories": {"room_events": {"search_term": "a", "filter": {"rooms": 1}}}}, (400, "M_BAD_JSON")),
    ({"search_categories": {"room_events": {"search_term": "a", "groupings": {"group_by": [{"key": {}}]}}}},
     (400, "M_INVALID_PARAM")),
])
async def test_searches_that_make_no_sense(node: RunningNode, body: Any, refusal: tuple[int, str]) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post("v3/search", body)).refusal == refusal


async def test_a_search_needs_an_account_and_a_position_of_ours(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    body = {"search_categories": {"room_events": {"search_term": "a"}}}
    assert (await node.ask("POST", "v3/search", body)).refusal == (401, "M_MISSING_TOKEN")
    assert (await ask(hanako, "a", next_batch="x")).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.post("v3/search", {"search_categories": {}})).body == {"search_categories": {}}


def test_a_filter_never_denies_what_is_there() -> None:
    texts = [normal(f"第{number}回 町内会 meeting {number * 7}") for number in range(500)]
    bits = filter_of(piece for said in texts for piece in pieces_of(said))
    assert all(may_have(bits, pieces_of(word)) for said in texts for word in words_of(said))
    strange = [chr(place) + chr(place + 1) for place in range(0x3500, 0x3900, 2)]
    assert sum(may_have(bits, pieces_of(word)) for word in strange) < len(strange) / 50
    assert may_have(b"", {"x"})
    assert not may_have(filter_of([]), {"x"})


async def test_rooms_of_which_only_the_membership_is_known_are_passed_over(node: RunningNode) -> None:
    hanako = await node.user("hanako")
    room = await hanako.creates_room()
    await hanako.says(room, "桜")
    async with node.inside.core.database.write() as tx:
        await tx.execute(text(
            "INSERT INTO memberships VALUES (:who, '!far:elsewhere.example', 'leave', '$x', 1, :who, 0)"
        ), {"who": hanako.user_id})
    assert await finds(hanako, "桜") == ["桜"]
