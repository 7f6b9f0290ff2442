"""Finding people: whom one shares a room with, and whom all may meet."""

from __future__ import annotations

from typing import Any

import pytest

from server.rooms.people_words import rank_of, words_of_person, words_of_term
from server.rooms.timeline import Entry
from server.rooms.user_directory_store import follow_people_in_forks, read_anew, rooms_to_read
from server.storage.database import Writes
from tests.builders import Person, RunningNode

PUBLIC, INVITED = {"join_rule": "public"}, {"join_rule": "invite"}


async def found(person: Person, term: str, **more: Any) -> list[str]:
    answer = await person.post("v3/user_directory/search", {"search_term": term, **more})
    return [item["user_id"].partition(":")[0] for item in answer["results"]]


async def names(person: Person, user: Person, name: str) -> None:
    assert (await person.put(f"v3/profile/{user.user_id}/displayname", {"displayname": name})).status == 200


async def test_who_is_in_a_public_room_is_found_by_all(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    assert await found(taro, "hanako") == []
    await hanako.creates_room(preset="public_chat")
    assert await found(taro, "hanako") == ["@hanako"]
    await node.restart()
    assert await found(taro, "hanako") == ["@hanako"]


async def test_who_is_in_a_private_room_is_found_by_those_who_are_in_it_until_they_leave(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room = await hanako.creates_room()
    assert await found(taro, "hanako") == []
    await hanako.invites(taro, room)
    assert await found(taro, "hanako") == []
    await taro.joins(room)
    assert await found(taro, "hanako") == ["@hanako"]
    assert await found(hanako, "taro") == ["@taro"]
    assert await found(jiro, "taro") == []
    await taro.leaves(room)
    assert await found(taro, "hanako") == []
    assert await found(hanako, "taro") == []


async def test_a_room_that_is_opened_or_closed_shows_or_hides_its_members(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room()
    for kind, opened, closed in (
        ("m.room.join_rules", PUBLIC, INVITED),
        ("m.room.history_visibility", {"history_visibility": "world_readable"}, {"history_visibility": "shared"}),
    ):
        await hanako.sets(room, kind, opened)
        assert await found(taro, "hanako") == ["@hanako"]
        await hanako.sets(room, kind, closed)
        assert await found(taro, "hanako") == []


async def test_who_can_be_read_by_all_stays_when_the_door_is_closed(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await hanako.sets(room, "m.room.history_visibility", {"history_visibility": "world_readable"})
    await hanako.sets(room, "m.room.join_rules", INVITED)
    assert await found(taro, "hanako") == ["@hanako"]


async def test_a_new_name_is_found_and_the_old_one_is_not(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await hanako.creates_room(preset="public_chat")
    await names(hanako, hanako, "山田 花子")
    answer = await taro.post("v3/user_directory/search", {"search_term": "山田"})
    assert answer["results"] == [{"user_id": hanako.user_id, "display_name": "山田 花子"}]
    await names(hanako, hanako, "佐藤 花子")
    assert await found(taro, "山田") == []
    assert await found(taro, "佐藤") == ["@hanako"]


async def test_a_name_of_one_room_is_found_where_that_room_is_seen(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    await hanako.creates_room(preset="public_chat")
    secret = await hanako.creates_room(invite=[taro.user_id])
    await taro.joins(secret)
    await hanako.sets(secret, "m.room.member", {"membership": "join", "displayname": "編集長"}, hanako.user_id)
    assert await found(taro, "編集長") == ["@hanako"]
    assert await found(jiro, "編集長") == []
    event = (await hanako.get(f"v3/rooms/{secret}/state/m.room.member/{hanako.user_id}", format="event"))["event_id"]
    await hanako.redacts(secret, event)
    assert await found(taro, "編集長") == []
    assert await found(taro, "hanako") == ["@hanako"]


@pytest.mark.parametrize(("name", "term"), [
    ("山田 花子", "花子"), ("山田\u3000花子", "山田花子"), ("山田花子", "山田 花子"), ("山田 花子", "花子 山田"),
    ("髙橋", "高橋"), ("ヤマダ", "やまだ"), ("やまだ", "ﾔﾏﾀﾞ"), ("Hanako", "\uff28\uff21\uff2e\uff21"),
    ("Straße", "STRASSE"), ("50%_a\\b", "%_a\\"), ("子", "子"),
])
def test_names_are_found_however_they_are_written(name: str, term: str) -> None:
    words = words_of_person("@user:sakura.example", name)
    assert all(word in words for word in words_of_term(term))


@pytest.mark.parametrize(("term", "rank"), [
    ("yamada", 0), ("Yamada Hana", 0), ("@yamada", 0), ("@yamada:sakura.example", 0), ("yama", 1), ("hana", 2),
    ("ada", 3),
])
def test_who_fits_best_is_first(term: str, rank: int) -> None:
    assert rank_of(term, words_of_person("@yamada:sakura.example", "Yamada Hana")) == rank


async def test_signs_of_the_search_language_are_ordinary_letters(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    await hanako.creates_room(preset="public_chat")
    await names(hanako, hanako, "50%_a\\b")
    assert await found(taro, "0%_a\\b") == ["@hanako"]
    assert await found(taro, "%") == ["@hanako"]
    assert await found(taro, "h%o") == []
    assert await found(taro, "\0hanako") == ["@hanako"]


async def test_the_answer_is_limited_and_says_so(node: RunningNode) -> None:
    hanako, *others = await node.users("hanako", "taro1", "taro2", "taro3")
    room = await hanako.creates_room(preset="public_chat")
    for person in others:
        await person.joins(room)
    answer = await hanako.post("v3/user_directory/search", {"search_term": "taro", "limit": 2})
    assert ([item["display_name"] for item in answer["results"]], answer["limited"]) == (["taro1", "taro2"], True)
    answer = await hanako.post("v3/user_directory/search", {"search_term": "TARO", "limit": 3})
    assert (len(answer["results"]), answer["limited"]) == (3, False)


async def test_nobody_finds_themselves_or_a_closed_account(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    assert await found(hanako, "hanako") == []
    await node.inside.accounts.deactivate(taro.user_id)
    assert await found(hanako, "taro") == []


@pytest.mark.parametrize(("body", "refusal"), [
    ({}, (400, "M_MISSING_PARAM")), ({"search_term": 1}, (400, "M_BAD_JSON")),
    ({"search_term": "x", "limit": -1}, (400, "M_INVALID_PARAM")),
    ({"search_term": "x", "limit": "2"}, (400, "M_BAD_JSON")),
])
async def test_a_search_that_makes_no_sense_is_refused(node: RunningNode, body: Any, refusal: Any) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.post("v3/user_directory/search", body)).refusal == refusal
    nobody = await node.ask("POST", "v3/user_directory/search", {"search_term": "x"})
    assert nobody.refusal == (401, "M_MISSING_TOKEN")


async def test_rooms_from_before_the_directory_are_read_at_the_first_search(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    writes = Writes()
    for room_id in (room, "!gone:sakura.example"):
        read_anew(writes, room_id)
    await node.inside.core.database.submit(writes)
    await node.restart()
    assert await found(hanako, "taro") == ["@taro"]
    assert await found(taro, "hanako") == ["@hanako"]


async def test_what_a_fork_changes_is_followed_too(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room_id = await hanako.creates_room(preset="public_chat")
    await taro.joins(room_id)
    room = await node.inside.services.rooms.get(room_id)
    rules, member = ("m.room.join_rules", ""), ("m.room.member", taro.user_id)

    async def moves(**changes: Any) -> None:
        writes, entry = Writes(), Entry(room.create_event, 0, 0)
        entry.moved = {rules: changes["rules"], member: changes["member"]}
        follow_people_in_forks(room, entry, writes)
        await node.inside.core.database.submit(writes)

    room.outside = True
    await moves(rules=(room.state[rules], None), member=(room.state[member], None))
    assert await found(jiro, "taro") == ["@taro"]
    room.outside = False
    await moves(rules=(room.state[rules], None), member=(room.state[member], None))
    assert (await found(jiro, "hanako"), await found(hanako, "taro")) == ([], [])
    await moves(rules=(None, room.state[rules]), member=(None, room.state[member]))
    assert (await found(jiro, "hanako"), await found(hanako, "taro")) == (["@hanako"], ["@taro"])
    room.joined_here.clear()
    await moves(rules=(None, None), member=(None, None))
    assert await rooms_to_read(node.inside.core.database) == [room_id]
    assert await found(jiro, "taro") == ["@taro"]


async def test_when_the_last_of_us_goes_nobody_is_found_there(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    room_id = await hanako.creates_room(preset="public_chat")
    await taro.joins(room_id)
    room = await node.inside.services.rooms.get(room_id)
    room.joined_here.discard(taro.user_id)  # as if of another server
    await hanako.leaves(room_id)
    assert await found(jiro, "taro") == []


async def test_one_can_ask_which_rooms_one_shares(node: RunningNode) -> None:
    hanako, taro, jiro = await node.users("hanako", "taro", "jiro")
    shared = [await hanako.creates_room(preset="public_chat") for _ in range(3)]
    for room in shared:
        await taro.joins(room)
    await jiro.joins(shared[0])
    await taro.leaves(shared[2])
    answer = await hanako.get("v1/mutual_rooms", user_id=taro.user_id)
    assert answer.body == {"joined": sorted(shared[:2]), "count": 2}
    assert (await jiro.get("v1/mutual_rooms", user_id=taro.user_id)).body == {"joined": shared[:1], "count": 1}
    nobody = await hanako.get("v1/mutual_rooms", user_id="@nobody:elsewhere.example")
    assert nobody.body == {"joined": [], "count": 0}
    old = await hanako.get("unstable/uk.half-shot.msc2666/user/mutual_rooms", user_id=taro.user_id)
    assert old["joined"] == sorted(shared[:2])


async def test_shared_rooms_come_in_pages(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    hanako, taro = await node.users("hanako", "taro")
    shared = [await hanako.creates_room(preset="public_chat") for _ in range(3)]
    for room in shared:
        await taro.joins(room)
    assert (await hanako.get("v1/mutual_rooms", user_id=taro.user_id)).status == 200
    monkeypatch.setattr("server.matrix_api.user_directory._MOST_ROOMS", 2)
    first = await hanako.get("v1/mutual_rooms", user_id=taro.user_id)
    assert (first["joined"], first["count"]) == (sorted(shared)[:2], 3)
    second = await hanako.get("v1/mutual_rooms", user_id=taro.user_id, **{"from": first["next_batch"]})
    assert second.body == {"joined": sorted(shared)[2:], "count": 3}


@pytest.mark.parametrize(("query", "refusal"), [
    ({}, (400, "M_MISSING_PARAM")), ({"user_id": "taro"}, (400, "M_INVALID_PARAM")),
    ({"user_id": "@hanako:sakura.example"}, (400, "M_INVALID_PARAM")),
    ({"user_id": "@taro:sakura.example", "from": "nonsense"}, (400, "M_INVALID_PARAM")),
])
async def test_shared_rooms_with_nobody_are_refused(node: RunningNode, query: Any, refusal: Any) -> None:
    hanako = await node.user("hanako")
    assert (await hanako.get("v1/mutual_rooms", **query)).refusal == refusal
