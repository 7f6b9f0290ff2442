"""Gaps in a room: closed by missing events or by the state as another server tells it, and never filled with lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.rooms.event import Event
from server.rooms.graph_store import stored_events
from tests.federation.stranger import Asked, Said, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_transactions import a_room_of_both, everything_works, texts

Json = dict[str, Any]


def talk(oni: Stranger, room: StrangerRoom, count: int) -> list[Event]:
    """Messages one after another that our node has not heard."""
    return [room.put(oni.user("oni"), "m.room.message", {"msgtype": "m.text", "body": f"第{number}号"})
            for number in range(count)]


async def test_what_is_missing_is_asked_for_and_comes_in_order(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = talk(oni, room, 30)
        await oni.tells_of(node, said[-1])
        assert oni.asked_for("get_missing_events")
        assert await texts(hanako, room) == [f"第{number}号" for number in range(30)]
        assert not oni.asked_for("state_ids")
        await everything_works(node, hanako, oni, room)


async def test_a_long_absence_is_caught_up_with_without_a_gap(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = talk(oni, room, 400)
        await oni.tells_of(node, said[-1])
        assert await texts(hanako, room) == [f"第{number}号" for number in range(400)]
        await everything_works(node, hanako, oni, room)


async def test_our_own_absence_is_caught_up_with(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        await node.restart()
        talk(oni, room, 60)
        room.put(oni.user("oni"), "m.room.member", {"membership": "join", "displayname": "鬼"}, oni.user("oni"))
        last = talk(oni, room, 1)[0]
        await oni.tells_of(node, last)
        assert len(await texts(hanako, room)) == 61
        member = await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.member/{oni.user('oni')}")
        assert member["displayname"] == "鬼"


async def test_where_missing_events_are_not_told_the_state_is(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        room.put(me, "m.room.member", {"membership": "join", "displayname": "青鬼"}, me)
        said = talk(oni, room, 5)
        oni.tells["get_missing_events"] = {"events": []}
        await oni.tells_of(node, said[-1])
        assert [asked.query["event_id"] for asked in oni.asked_for("state_ids")] == [said[-2].event_id]
        member = await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.member/{me}")
        assert member["displayname"] == "青鬼"
        assert (await texts(hanako, room))[-1] == "第4号"
        name = await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.name")
        assert name["name"] == "広場"
        await hanako.says(room.room_id, "はい")
        told = await oni.hears_text("はい")
        assert said[-1].event_id in told["prev_events"]


@pytest.mark.parametrize("told", [
    Said(404, {"errcode": "M_NOT_FOUND"}), Said(500), {}, {"events": 5, "pdu_ids": 5}, Said(200, b"x"),
    {"events": [None, 5], "pdu_ids": [5], "auth_chain_ids": [None], "pdus": [5], "auth_chain": [{}]},
    {"events": [{"type": "x"}] * 500, "pdu_ids": ["$x"] * 5_000, "auth_chain_ids": ["$y"] * 5_000, "pdus": [],
     "auth_chain": []},
])
async def test_an_event_whose_past_nobody_tells_is_not_taken(told: Any, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        before = (await hanako.get(f"v3/rooms/{room.room_id}/state")).body
        heads = set(room.judged.heads)
        lost = talk(oni, room, 2)
        for door in ("get_missing_events", "state_ids", "state", "event", "event_auth"):
            oni.tells[door] = told
        answer = await oni.sends(node, lost[-1])
        assert "error" in answer["pdus"][lost[-1].event_id]
        assert await texts(hanako, room) == []
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state")).body == before
        oni.tells.clear()
        room.judged.heads = heads
        await everything_works(node, hanako, oni, room)


async def test_a_refused_gap_is_no_refusal_for_ever(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        lost = talk(oni, room, 3)
        for door in ("get_missing_events", "state_ids"):
            oni.tells[door] = Said(500)
        assert "error" in (await oni.sends(node, lost[-1]))["pdus"][lost[-1].event_id]
        oni.tells.clear()
        await oni.tells_of(node, lost[-1])
        assert await texts(hanako, room) == ["第0号", "第1号", "第2号"]


@pytest.mark.parametrize("damage", ["signature", "content", "room", "number", "sender"])
async def test_a_broken_event_in_a_gap_is_left_out(damage: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = talk(oni, room, 4)
        other = oni.creates_room()
        damaged = {
            "signature": {**said[1].pdu, "signatures": {oni.name: {oni.key.key_id: "A" * 86}}},
            "content": {**said[1].pdu, "content": {"msgtype": "m.text", "body": "嘘"}},
            "room": other.says(oni.user("oni"), "嘘").pdu,
            "number": room.sealed({**said[1].pdu, "content": {"body": "嘘", "a": 1.5}}).pdu,
            "sender": {**said[1].pdu, "sender": hanako.user_id},
        }[damage]

        def missing(asked: Asked) -> Json:
            told = oni.on_get_missing_events(asked)
            return {"events": [damaged if pdu == said[1].pdu else pdu for pdu in told["events"]]}

        oni.tells["get_missing_events"] = missing
        oni.tells["event"] = Said(404, {"errcode": "M_NOT_FOUND"}) if damage != "content" else oni.on_event
        answer = await oni.sends(node, said[-1])
        assert answer.status == 200
        assert "嘘" not in await texts(hanako, room)
        oni.tells.clear()
        later = talk(oni, room, 1)[0]
        await oni.sends(node, later)
        assert {"第0号"} < {*(await texts(hanako, room)), "第0号", "x"}
        await everything_works(node, hanako, oni, room)


async def test_a_room_is_not_taken_over_by_a_state_without_power_levels(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        before = (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.power_levels")).body
        member = room.state["m.room.member", me]
        gap = room.says(me, "隙間", rests_on=[room.create.event_id, member.event_id])
        forged = [event for event in room.state.values() if event.type != "m.room.power_levels"]
        oni.tells["get_missing_events"] = {"events": []}
        oni.tells["event"] = {"pdus": [gap.pdu]}
        oni.tells["state_ids"] = {"pdu_ids": [event.event_id for event in forged],
                                  "auth_chain_ids": [event.event_id for event in room.chain(forged)]}
        oni.tells["state"] = {"pdus": [event.pdu for event in forged],
                              "auth_chain": [event.pdu for event in room.chain(forged)]}
        oni.tells["event_auth"] = {"auth_chain": [room.create.pdu, member.pdu]}
        grab = room.event(me, "m.room.power_levels", {"users": {me: 100}}, "", after=[gap.event_id],
                          rests_on=[room.create.event_id, member.event_id])
        await oni.sends(node, grab)
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.power_levels")).body == before
        follow = room.event(me, "m.room.topic", {"topic": "乗っ取り"}, "", after=[grab.event_id],
                            rests_on=[room.create.event_id, member.event_id, grab.event_id])
        await oni.sends(node, follow)
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.topic")).status == 404
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.power_levels")).body == before
        assert (await hanako.sets(room.room_id, "m.room.name", {"name": "まだ私の"})).status == 200


async def test_a_forged_state_at_a_gap_does_not_change_the_room(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        before = {(e["type"], e["state_key"]): e["event_id"] for e in
                  (await hanako.get(f"v3/rooms/{room.room_id}/state")).body}
        gap = room.says(me, "隙間")
        rests = room.draft(me, "m.room.topic", {}, "")["auth_events"]
        forged = [
            room.event(me, "m.room.power_levels", {"users": {me: 100}}, "", rests_on=rests),
            room.event(me, "m.room.topic", {"topic": "x"}, "", rests_on=rests),
            room.event(me, "m.room.member", {"membership": "ban"}, hanako.user_id, rests_on=rests),
            room.event(oni.user("gast"), "m.room.member", {"membership": "join"}, oni.user("gast"), rests_on=[]),
        ]
        right = list(room.state.values())
        every = [*right, *forged, *room.chain([*right, *forged])]
        oni.tells["get_missing_events"] = {"events": []}
        by_id = {event.event_id: event for event in [*every, gap]}
        oni.tells["event"] = lambda asked: {"pdus": [by_id[asked.names[0]].pdu]}
        keys = {event.key for event in forged}
        state = [*(event for event in right if event.key not in keys), *forged]
        oni.tells["state_ids"] = {"pdu_ids": [event.event_id for event in state],
                                  "auth_chain_ids": [event.event_id for event in room.chain(every)]}
        oni.tells["state"] = {"pdus": [event.pdu for event in state], "auth_chain": [e.pdu for e in room.chain(every)]}
        child = room.says(me, "その後", after=[gap.event_id])
        child = room.says(me, "その後", after=[gap.event_id],
                          rests_on=room.draft(me, "m.room.message", {})["auth_events"])
        await oni.sends(node, child)
        after = {(e["type"], e["state_key"]): e["event_id"] for e in
                 (await hanako.get(f"v3/rooms/{room.room_id}/state")).body}
        assert after == before
        assert (await hanako.says(room.room_id, "無事"))


async def test_state_without_authorities_at_a_gap_is_taken_sanely(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = talk(oni, room, 3)
        oni.tells["get_missing_events"] = {"events": []}
        oni.tells["state_ids"] = lambda asked: {**oni.on_state_ids(asked), "auth_chain_ids": []}
        odd = room.event(oni.user("oni"), "m.room.topic", {"topic": "x"}, "", rests_on=[])
        oni.tells["state_ids"] = lambda asked: {
            "pdu_ids": [*oni.on_state_ids(asked)["pdu_ids"], odd.event_id], "auth_chain_ids": []}
        oni.tells["event"] = lambda asked: (
            {"pdus": [odd.pdu]} if asked.names[0] == odd.event_id else oni.on_event(asked))
        await oni.tells_of(node, said[-1])
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.topic")).status == 404
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.name"))["name"] == "広場"


async def test_auth_events_that_are_missing_are_asked_for(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        named = room.put(me, "m.room.member", {"membership": "join", "displayname": "赤鬼"}, me)
        said = talk(oni, room, 1)[0]
        oni.tells["get_missing_events"] = {"events": []}
        await oni.tells_of(node, said)
        assert named.event_id in said.auth_events
        assert await texts(hanako, room) == ["第0号"]


async def test_a_chain_of_a_thousand_authorities_is_followed(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        last = room.state["m.room.member", me]
        rests = [room.create.event_id, *(
            room.state[key].event_id for key in (("m.room.power_levels", ""), ("m.room.join_rules", "")))]
        chain = []
        for number in range(1_000):
            last = room.event(me, "m.room.member", {"membership": "join", "displayname": f"{number}"}, me,
                              after=[last.event_id] if number else sorted(room.judged.heads),
                              rests_on=[*rests, last.event_id])
            room.judged.events[last.event_id] = last
            chain.append(last)
        room.judged.states_after[last.event_id] = {
            **room.judged.state_over(room.judged.heads), last.key: last.event_id}
        room.judged.heads = {last.event_id}
        await oni.tells_of(node, last)
        member = await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.member/{me}")
        assert member["displayname"] == "999"
        await everything_works(node, hanako, oni, room)


async def test_the_past_of_a_room_is_told_wrongly_and_nothing_of_it_is_shown(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        said = talk(oni, room, 6)
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        other = oni.creates_room()
        float_ = room.sealed({**said[2].pdu, "content": {"msgtype": "m.text", "body": "嘘", "a": 1.5}})
        lies = [
            {**said[3].pdu, "signatures": {}}, {**said[2].pdu, "content": {"msgtype": "m.text", "body": "嘘"}},
            other.says(oni.user("oni"), "嘘").pdu, float_.pdu, room.says(oni.user("nobody"), "嘘").pdu, None, {},
        ]
        right = [said[5].pdu, said[4].pdu]
        oni.tells["backfill"] = {"origin": oni.name, "origin_server_ts": 5, "pdus": [*right, *lies]}
        found = await texts(taro, room)
        assert "嘘" not in found
        assert "第5号" in found
        assert "第4号" in found


async def test_the_past_is_asked_for_and_shown(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        talk(oni, room, 250)
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        assert await texts(taro, room) == [f"第{number}号" for number in range(250)]
        assert oni.asked_for("backfill")


@pytest.mark.parametrize("told", [Said(500), Said(403, {"errcode": "M_FORBIDDEN"}), {"pdus": 5}, {"pdus": []}, []])
async def test_a_past_that_is_not_told_is_no_fault_of_ours(told: Any, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        talk(oni, room, 5)
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        oni.tells["backfill"] = told
        assert await texts(taro, room) == []


async def test_what_was_rejected_does_not_come_back_with_a_state(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        grab = room.event(me, "m.room.power_levels", {"users": {me: 100}}, "")
        assert "error" in (await oni.sends(node, grab))["pdus"][grab.event_id]
        before = (await hanako.get(f"v3/rooms/{room.room_id}/state")).body
        right = [event for event in room.state.values() if event.type != "m.room.power_levels"]
        room.judged.events[grab.event_id] = grab
        said = talk(oni, room, 2)
        oni.tells["get_missing_events"] = {"events": []}
        oni.tells["state_ids"] = {"pdu_ids": [grab.event_id, *(event.event_id for event in right)],
                                  "auth_chain_ids": [event.event_id for event in room.chain([grab, *right])]}
        await oni.sends(node, said[-1])
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state")).body == before
        live = await node.inside.services.rooms.get(room.room_id)
        assert grab.event_id not in {event.event_id for event in live.state.values()}
        assert (await hanako.sets(room.room_id, "m.room.name", {"name": "まだ私の"})).status == 200


@pytest.mark.parametrize("door", ["event", "state", "event_auth"])
async def test_nothing_is_kept_that_is_fetched_and_signed_wrongly(door: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        forged = room.event(me, "m.room.topic", {"topic": "嘘"}, "")
        pdu = {**forged.pdu, "signatures": {oni.name: {oni.key.key_id: "A" * 86}}}
        room.judged.events[forged.event_id] = forged
        said = talk(oni, room, 2)
        oni.tells["get_missing_events"] = {"events": []}
        # Above a few that are lacking, the whole state is fetched at once.
        others = [f"$nothing{number}" for number in range(40 if door == "state" else 0)]
        oni.tells["state_ids"] = lambda asked: {
            **oni.on_state_ids(asked), "pdu_ids": [*oni.on_state_ids(asked)["pdu_ids"], forged.event_id, *others]}
        oni.tells["state"] = lambda asked: {
            **oni.on_state(asked), "pdus": [*oni.on_state(asked)["pdus"], pdu, said[0].pdu]}
        oni.tells["event"] = lambda asked: (
            {"pdus": [pdu]} if asked.names[0] == forged.event_id else oni.on_event(asked))
        oni.tells["event_auth"] = {"auth_chain": [pdu, *(event.pdu for event in room.state.values())]}
        last = said[-1]
        if door == "event_auth":
            rests = room.draft(me, "m.room.message", {})["auth_events"]
            last = room.says(me, "その上", rests_on=[*rests, forged.event_id])
        await oni.sends(node, last)
        assert oni.asked_for(door)
        stored = await stored_events(
            node.inside.core.database, await node.inside.services.rooms.get(room.room_id), [forged.event_id])
        assert not stored
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.topic")).status == 404


async def test_what_is_from_before_our_time_is_no_part_of_today(tmp_path: Path) -> None:
    """Replayed, or handed out beyond what was asked for: an old state does not stand beside the one of today."""
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(levels={"state_default": 0})
        me = oni.user("oni")
        old = [*room.state.values()]
        friends = [oni.user(f"friend{number}") for number in range(3)]
        for friend in friends:
            room.put(friend, "m.room.member", {"membership": "join"}, friend)
        said = talk(oni, room, 3)
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        closed = room.put(me, "m.room.join_rules", {"join_rule": "invite"}, "")
        await oni.tells_of(node, closed)
        before = {(e["type"], e["state_key"]): e["event_id"] for e in
                  (await taro.get(f"v3/rooms/{room.room_id}/state")).body}
        for event in (*old[1:], said[0]):
            await oni.sends(node, event)
        new = talk(oni, room, 2)
        oni.tells["get_missing_events"] = {
            "events": [event.pdu for event in room.judged.events.values() if event != new[-1]][:50]}
        await oni.tells_of(node, new[-1])
        assert (await texts(taro, room))[-2:] == ["第0号", "第1号"]
        after = {(e["type"], e["state_key"]): e["event_id"] for e in
                 (await taro.get(f"v3/rooms/{room.room_id}/state")).body}
        assert after == before
        assert set(friends) < set((await taro.get(f"v3/rooms/{room.room_id}/joined_members"))["joined"])
