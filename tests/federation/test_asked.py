"""What strangers ask of our rooms: right answers for members' servers, none for others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from federation.identity.servers import path_of
from server.rooms.graph_store import stored_events
from tests.builders import PASSWORD, Answer, RunningNode
from tests.federation.stranger import Stranger, meeting
from tests.federation.test_transactions import a_room_of_both

Json = dict[str, Any]


async def state(oni: Stranger, node: RunningNode, room: str, event_id: str, *, ids: bool = False) -> Answer:
    """An answer to state or state_ids."""
    door = "state_ids" if ids else "state"
    return await oni.asks(node, "GET", path_of(f"v1/{door}", room), query={"event_id": event_id})


async def test_one_event_is_given_to_members_servers(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        said = await hanako.says(room.room_id, "こんにちは")
        answer = await oni.asks(node, "GET", path_of("v1/event", said))
        assert answer["origin"] == node.settings.server_name
        assert answer["pdus"][0]["content"]["body"] == "こんにちは"
        assert (await momo.asks(node, "GET", path_of("v1/event", said))).refusal == (403, "M_FORBIDDEN")
        assert (await oni.asks(node, "GET", path_of("v1/event", "$nothing"))).refusal == (404, "M_NOT_FOUND")


async def test_what_somebody_said_who_was_erased_is_told_to_nobody_any_more(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        said = await hanako.says(room.room_id, "個人の話")
        theirs = await momo.joins(node, room.room_id)
        assert theirs.state
        event = path_of("v1/event", said)
        assert (await oni.asks(node, "GET", event))["pdus"][0]["content"]["body"] == "個人の話"
        keeper = await node.user("keeper")
        await keeper.joins(room.room_id)
        closing = {"erase": True, "auth": {"type": "m.login.password", "password": PASSWORD, "identifier": {
            "type": "m.id.user", "user": hanako.user_id}}}
        assert (await hanako.post("v3/account/deactivate", closing)).status == 200
        assert (await oni.asks(node, "GET", event))["pdus"][0]["content"] == {}
        assert (await momo.asks(node, "GET", event))["pdus"][0]["content"] == {}
        back = await momo.asks(node, "GET", path_of("v1/backfill", room.room_id), query={"v": said, "limit": 5})
        assert "個人の話" not in str(back.body)


async def test_the_state_before_an_event_is_told(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        first = await hanako.says(room.room_id, "前")
        assert (await hanako.sets(room.room_id, "m.room.topic", {"topic": "後"})).status == 200
        second = await hanako.says(room.room_id, "後")
        before, after = await state(oni, node, room.room_id, first), await state(oni, node, room.room_id, second)
        assert "m.room.topic" not in {pdu["type"] for pdu in before["pdus"]}
        assert "m.room.topic" in {pdu["type"] for pdu in after["pdus"]}
        assert "m.room.create" in {pdu["type"] for pdu in after["auth_chain"]}
        ids = await state(oni, node, room.room_id, second, ids=True)
        assert len(ids["pdu_ids"]) == len(after["pdus"])
        assert len(ids["auth_chain_ids"]) == len(after["auth_chain"])


async def test_state_is_told_at_an_event_only(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        _, room = await a_room_of_both(node, oni)
        for door in ("state", "state_ids"):
            answer = await oni.asks(node, "GET", path_of(f"v1/{door}", room.room_id))
            assert answer.refusal == (400, "M_MISSING_PARAM")


async def test_an_event_of_another_room_has_no_state_here(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        secret = await hanako.creates_room(room_version="11")
        said = await hanako.says(secret, "内緒")
        for ids in (False, True):
            assert (await state(oni, node, room.room_id, said, ids=ids)).refusal == (404, "M_NOT_FOUND")
            assert (await state(oni, node, secret, said, ids=ids)).refusal == (403, "M_FORBIDDEN")
        auth = path_of("v1/event_auth", room.room_id, said)
        assert (await oni.asks(node, "GET", auth)).refusal == (404, "M_NOT_FOUND")


async def test_there_is_no_state_at_an_outlier(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, _momo):
        taro = await node.user("taro")
        room = oni.creates_room()
        name = room.put(oni.user("oni"), "m.room.name", {"name": "鬼ヶ島"}, "")
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        for ids in (False, True):
            assert (await state(oni, node, room.room_id, name.event_id, ids=ids)).refusal == (404, "M_NOT_FOUND")


async def test_there_is_no_state_at_what_was_rejected_and_the_next_is_as_before(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        small = {**room.state["m.room.power_levels", ""].content, "events": {"m.shout": 50}}
        assert (await hanako.sets(room.room_id, "m.room.power_levels", small)).status == 200
        await oni.hears(lambda pdu: pdu["type"] == "m.room.power_levels" and "m.shout" in pdu["content"]["events"])
        good = room.says(me, "はじめ")
        await oni.tells_of(node, good)
        room.add(good)
        before = await state(oni, node, room.room_id, good.event_id, ids=True)
        for kind, key in (("m.shout", None), ("m.room.topic", "")):
            bad = room.event(me, kind, {"topic": "x"}, key)
            assert "error" in (await oni.sends(node, bad))["pdus"][bad.event_id]
            for ids in (False, True):
                assert (await state(oni, node, room.room_id, bad.event_id, ids=ids)).refusal == (404, "M_NOT_FOUND")
            rests_on = room.draft(me, "m.room.message", {})["auth_events"]
            child = room.says(me, "つぎ", after=[bad.event_id], rests_on=rests_on)
            await oni.tells_of(node, child)
            after = await state(oni, node, room.room_id, child.event_id, ids=True)
            assert sorted(after["pdu_ids"]) == sorted(before["pdu_ids"])
            live = await node.inside.services.rooms.get(room.room_id)
            stored = await stored_events(node.inside.core.database, live, [bad.event_id])
            assert stored[bad.event_id].is_rejected
            room.judged.receive(bad.pdu)
            room.add(child)


async def test_the_past_is_given_back_from_an_event_of_the_room_only(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        said = [await hanako.says(room.room_id, f"{number}") for number in range(5)]
        path = path_of("v1/backfill", room.room_id)
        answer = await oni.asks(node, "GET", path, query={"v": said[-1], "limit": 3})
        assert [pdu["content"]["body"] for pdu in answer["pdus"]] == ["4", "3", "2"]
        other = await hanako.creates_room(room_version="11")
        foreign = await hanako.says(other, "内緒")
        told = await oni.asks(node, "GET", path, query={"v": foreign, "limit": 3})
        assert told.status in (403, 404) or told["pdus"] == []
        assert "内緒" not in str(told.body)
        assert (await momo.asks(node, "GET", path, query={"v": said[-1], "limit": 3})).refusal == (403, "M_FORBIDDEN")
        many = await oni.asks(node, "GET", path, query={"v": said[-1], "limit": 10**9})
        assert many.status in (200, 400)
        assert (await oni.asks(node, "GET", path, query={"v": said[-1], "limit": "x"})).status == 400


async def test_missing_events_are_given_between_those_that_were_named(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        said = [await hanako.says(room.room_id, f"{number}") for number in range(8)]
        path = path_of("v1/get_missing_events", room.room_id)
        between = {"earliest_events": [said[1]], "latest_events": [said[6]], "limit": 10}
        answer = await oni.asks(node, "POST", path, between)
        assert [pdu["content"]["body"] for pdu in answer["events"]] == ["2", "3", "4", "5"]
        few = await oni.asks(node, "POST", path, {**between, "limit": 2})
        assert [pdu["content"]["body"] for pdu in few["events"]] == ["4", "5"]
        assert (await momo.asks(node, "POST", path, between)).refusal == (403, "M_FORBIDDEN")
        for wrong in ({"earliest_events": 5}, {"latest_events": [5]}, {"limit": "x"}, {"limit": -1}, {}):
            with node.contract.tolerating("wrong on purpose"):
                told = await oni.asks(node, "POST", path, {**between, **wrong} if wrong else {})
            assert told.status in (200, 400)


async def test_who_has_left_hears_nothing_more(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        leave = room.event(me, "m.room.member", {"membership": "leave"}, me)
        await oni.tells_of(node, leave)
        later = await hanako.says(room.room_id, "内輪の話")
        for answer in (
            await oni.asks(node, "GET", path_of("v1/event", later)),
            await state(oni, node, room.room_id, later),
            await oni.asks(node, "GET", path_of("v1/event_auth", room.room_id, later)),
            await oni.asks(node, "GET", path_of("v1/backfill", room.room_id), query={"v": later, "limit": 5}),
            await oni.asks(node, "GET", path_of("v1/timestamp_to_event", room.room_id), query={"ts": 5, "dir": "f"}),
        ):
            assert answer.refusal == (403, "M_FORBIDDEN")
        assert "内輪の話" not in str(oni.heard)


async def test_what_was_said_before_a_server_came_is_hidden_where_the_room_wants_it_so(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        hidden = [{"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "joined"}}]
        room_id = await hanako.creates_room(preset="public_chat", room_version="11", initial_state=hidden)
        said = await hanako.says(room_id, "内緒の話")
        await oni.joins(node, room_id)
        later = await hanako.says(room_id, "みんなへ")
        for path, query in ((path_of("v1/event", said), None),
                            (path_of("v1/backfill", room_id), {"v": later, "limit": 50})):
            answer = await oni.asks(node, "GET", path, query=query)
            assert answer.status == 200
            assert "内緒の話" not in str(answer.body)
        missing = {"earliest_events": [], "latest_events": [later], "limit": 50}
        answer = await oni.asks(node, "POST", path_of("v1/get_missing_events", room_id), missing)
        assert "内緒の話" not in str(answer.body)


async def test_the_public_list_and_its_names_are_told(tmp_path: Path) -> None:
    async with meeting(tmp_path, more="[directory]\npublic = true\n") as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", name="広場", topic="集まる所", visibility="public",
                                         room_alias_name="hiroba")
        for answer in (await oni.asks(node, "GET", "v1/publicRooms"),
                       await oni.asks(node, "POST", "v1/publicRooms", {"limit": 5})):
            (item,) = answer["chunk"]
            assert (item["room_id"], item["name"], item["topic"]) == (room, "広場", "集まる所")
            assert item["num_joined_members"] == 1
        alias = f"#hiroba:{node.settings.server_name}"
        told = await oni.asks(node, "GET", "v1/query/directory", query={"room_alias": alias})
        assert told.body == {"room_id": room, "servers": [node.settings.server_name]}
        for wrong in ("#hiroba:elsewhere.example", "hiroba", "#none:" + node.settings.server_name, ""):
            answer = await oni.asks(node, "GET", "v1/query/directory", query={"room_alias": wrong})
            assert answer.status in (400, 404), wrong


async def test_who_was_never_in_a_room_is_told_nothing_of_it(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(name="内輪", room_version="11")
        said = await hanako.says(room, "内緒")
        missing = {"earliest_events": [], "latest_events": [said], "limit": 5}
        for answer in (
            await oni.asks(node, "GET", path_of("v1/event", said)),
            await state(oni, node, room, said),
            await oni.asks(node, "GET", path_of("v1/state_ids", room), query={"event_id": said}),
            await oni.asks(node, "GET", path_of("v1/event_auth", room, said)),
            await oni.asks(node, "GET", path_of("v1/backfill", room), query={"v": said, "limit": 5}),
            await oni.asks(node, "POST", path_of("v1/get_missing_events", room), missing),
            await oni.asks(node, "GET", path_of("v1/timestamp_to_event", room), query={"ts": 5, "dir": "f"}),
            await oni.asks(node, "GET", path_of("v1/make_join", room, oni.user("oni")), query={"ver": "11"}),
            await oni.asks(node, "GET", path_of("v1/make_knock", room, oni.user("oni")), query={"ver": "11"}),
        ):
            assert answer.refusal == (403, "M_FORBIDDEN")
        told = await oni.asks(node, "GET", path_of("v1/hierarchy", room))
        assert told.refusal == (404, "M_NOT_FOUND")
        asked = await oni.asks(node, "GET", "v1/publicRooms")
        assert "内輪" not in str(asked.body)


async def test_nobody_answers_for_our_names_but_we(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        mine, theirs = f"#hiroba:{node.settings.server_name}", f"#hiroba:{oni.name}"
        oni.tells["query"] = {"room_id": "!evil:example.org", "servers": [oni.name]}
        room = await hanako.creates_room(preset="public_chat", room_alias_name="hiroba")
        assert (await hanako.get(f"v3/directory/room/{quote(mine)}"))["room_id"] == room
        unknown = quote(mine.replace("hiroba", "nowhere"))
        assert (await hanako.get(f"v3/directory/room/{unknown}")).refusal == (404, "M_NOT_FOUND")
        assert not oni.asked_for("query")
        asked = await oni.asks(node, "GET", "v1/query/directory", query={"room_alias": theirs})
        assert asked.status in (400, 404)
        answers = await asyncio.gather(*(
            hanako.put(f"v3/directory/room/{quote(mine.replace('hiroba', 'atarashii'))}", {"room_id": room})
            for _ in range(50)
        ))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 49
