"""Servers that a room's ACL shuts out, and events that come after somebody was put out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from federation.identity.servers import path_of
from server.rooms.server_acl import is_admitted
from tests.builders import Person, RunningNode
from tests.federation.stranger import Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_transactions import a_room_of_both, everything_works, texts


async def shut_out(node: RunningNode, oni: Stranger) -> tuple[Person, StrangerRoom, str]:
    """A room of both that then shuts oni's server out; the id of a message in it."""
    hanako, room = await a_room_of_both(node, oni)
    said = await hanako.says(room.room_id, "前")
    acl = {"allow": ["*"], "deny": ["localhost"], "allow_ip_literals": True}
    assert (await hanako.sets(room.room_id, "m.room.server_acl", acl)).status == 200
    return hanako, room, said


async def test_a_server_that_is_shut_out_gets_and_sends_nothing(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room, said = await shut_out(node, oni)
        me, room_id = oni.user("oni"), room.room_id
        event = room.says(me, "外から")
        told = await oni.sends(node, event)
        assert "error" in told["pdus"][event.event_id]
        join = room.event(oni.user("ao"), "m.room.member", {"membership": "join"}, oni.user("ao"))
        leave = room.event(me, "m.room.member", {"membership": "leave"}, me)
        taro = await node.user("taro")
        invite = room.event(me, "m.room.member", {"membership": "invite"}, taro.user_id)
        missing = {"earliest_events": [], "latest_events": [said], "limit": 5}
        for answer in (
            await oni.asks(node, "GET", path_of("v1/make_join", room_id, oni.user("ao")), query={"ver": "11"}),
            await oni.asks(node, "GET", path_of("v1/make_leave", room_id, me), query={"ver": "11"}),
            await oni.asks(node, "GET", path_of("v1/make_knock", room_id, oni.user("ao")), query={"ver": "11"}),
            await oni.asks(node, "PUT", path_of("v1/send_join", room_id, join.event_id), join.pdu),
            await oni.asks(node, "PUT", path_of("v2/send_join", room_id, join.event_id), join.pdu),
            await oni.asks(node, "PUT", path_of("v1/send_leave", room_id, leave.event_id), leave.pdu),
            await oni.asks(node, "PUT", path_of("v2/send_leave", room_id, leave.event_id), leave.pdu),
            await oni.invites(node, invite),
            await oni.asks(node, "GET", path_of("v1/state", room_id), query={"event_id": said}),
            await oni.asks(node, "GET", path_of("v1/state_ids", room_id), query={"event_id": said}),
            await oni.asks(node, "GET", path_of("v1/backfill", room_id), query={"v": said, "limit": 5}),
            await oni.asks(node, "GET", path_of("v1/event_auth", room_id, said)),
            await oni.asks(node, "GET", path_of("v1/event", said)),
            await oni.asks(node, "POST", path_of("v1/get_missing_events", room_id), missing),
        ):
            assert answer.refusal == (403, "M_FORBIDDEN")
        await hanako.says(room_id, "内輪")
        assert await texts(hanako, room) == ["前", "内輪"]
        assert "内輪" not in str(oni.heard)


async def test_an_event_that_goes_round_an_acl_by_another_server_is_not_taken(tmp_path: Path) -> None:
    """The ACL is about who sends the transaction; of somebody inside it may bring events of whom it likes."""
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        await momo.joins(node, room.room_id)
        await oni.hears(lambda pdu: pdu["sender"] == momo.user("oni")) if oni.heard else None
        event = room.says(oni.user("oni"), "鬼から")
        told = await momo.sends(node, event)
        assert told["pdus"] == {event.event_id: {}}
        assert "鬼から" in await texts(hanako, room)


@pytest.mark.parametrize(("acl", "server", "admitted"), [
    ({"allow": ["*"]}, "a.example", True), ({"allow": []}, "a.example", False), ({}, "a.example", False),
    ({"allow": ["*"], "deny": ["a.example"]}, "a.example:8448", False),
    ({"allow": ["*"], "deny": ["a.example"]}, "A.EXAMPLE", False),
    ({"allow": ["*"], "deny": ["*.example"]}, "a.example", False),
    ({"allow": ["*"], "deny": ["?.example"]}, "ab.example", True),
    ({"allow": ["*"], "allow_ip_literals": False}, "1.2.3.4", False),
    ({"allow": ["*"], "allow_ip_literals": False}, "[::1]:8448", False),
    ({"allow": ["*"], "allow_ip_literals": "no"}, "1.2.3.4", True),
    ({"allow": "*"}, "a.example", False), ({"allow": ["*"], "deny": "a.example"}, "a.example", True),
    ({"allow": ["*", 5, None], "deny": [5, {}]}, "a.example", True),
])
def test_the_list_is_read_as_the_specification_says(acl: dict[str, Any], server: str, *, admitted: bool) -> None:
    assert is_admitted(acl, server) is admitted


def quickest(acl: dict[str, Any], server: str) -> float:
    """Seconds that a look at a list takes, when the machine has nothing else to do."""
    times = []
    for _ in range(5):
        fresh, started = dict(acl), time.perf_counter()
        is_admitted(fresh, server)
        times.append(time.perf_counter() - started)
    return min(times)


def test_a_list_made_to_hold_us_up_does_not() -> None:
    server = "a" * 200 + ".example"
    assert is_admitted({"allow": ["*"], "deny": ["*?*?*?*?*?*?*?*?*?*?*x"] * 2_000}, server)
    assert quickest({"allow": ["*"], "deny": ["*?*?*"] * 99_999 + ["x"]}, server) < 0.05
    # As many different ones as an event has room for.
    deny = [f"*?*?*{number}" for number in range(5_000)]
    assert quickest({"allow": ["*"], "deny": deny}, server) < 0.05
    deny = [f"*a*?*a*aa?e{'a' * (number % 90)}?{number}" for number in range(1_000)]
    assert quickest({"allow": ["*"], "deny": deny}, server) < 0.2
    acl, started = {"allow": ["*"], "deny": deny}, time.perf_counter()
    assert all(is_admitted(acl, f"{server}:{port}") for port in range(1, 1_000))
    assert time.perf_counter() - started < 0.2


async def test_a_server_that_is_shut_out_is_not_heard_typing_reading_or_redacting(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room, said = await shut_out(node, oni)
        me = oni.user("oni")
        token = (await hanako.syncs()).token
        receipt = {room.room_id: {"m.read": {me: {"event_ids": [said], "data": {"ts": 1}}}}}
        typing = {"room_id": room.room_id, "user_id": me, "typing": True}
        gone = room.event(me, "m.room.redaction", {"redacts": said})
        told = await oni.sends(node, gone, edus=[
            {"edu_type": "m.typing", "content": typing}, {"edu_type": "m.receipt", "content": receipt}])
        assert "error" in told["pdus"][gone.event_id]
        news = await hanako.syncs(token)
        assert news.ephemeral(room.room_id, "m.typing") is None
        assert news.ephemeral(room.room_id, "m.receipt") is None
        shown = await hanako.get(f"v3/rooms/{room.room_id}/event/{said}")
        assert shown["content"]["body"] == "前"


async def test_what_was_said_before_a_ban_by_old_links_only_is_not_shown(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        ends = sorted(room.judged.heads)
        rests = room.draft(me, "m.room.message", {})["auth_events"]
        assert (await hanako.post(f"v3/rooms/{room.room_id}/ban", {"user_id": me})).status == 200
        first = room.says(me, "遅れて一", after=ends, rests_on=rests)
        second = room.says(me, "遅れて二", after=[first.event_id], rests_on=rests)
        for late in (first, second):
            assert (await oni.sends(node, late))["pdus"] == {late.event_id: {}}
        assert not {"遅れて一", "遅れて二"} & set(await texts(hanako, room))
        assert not {"遅れて一", "遅れて二"} & set((await hanako.syncs()).texts(room.room_id))
        live = await node.inside.services.rooms.get(room.room_id)
        assert not {first.event_id, second.event_id} & set(live.tip.extremities)
        await hanako.says(room.room_id, "次")
        assert first.event_id not in live.tip.extremities


async def test_what_follows_a_softly_failed_event_is_judged_for_itself(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        theirs = await momo.joins(node, room.room_id)
        me = oni.user("oni")
        await oni.hears(lambda pdu: pdu["type"] == "m.room.member" and pdu["sender"] == momo.user("oni"))
        oni.rooms[room.room_id] = room
        ends = sorted(room.judged.heads)
        rests = room.draft(me, "m.room.message", {})["auth_events"]
        assert (await hanako.post(f"v3/rooms/{room.room_id}/ban", {"user_id": me})).status == 200
        await momo.hears(lambda pdu: pdu["content"].get("membership") == "ban")
        late = room.says(me, "遅れて", after=ends, rests_on=rests)
        assert (await oni.sends(node, late))["pdus"] == {late.event_id: {}}
        theirs.judged.receive(late.pdu)
        both = theirs.says(momo.user("oni"), "桃から", after=[*sorted(theirs.judged.heads), late.event_id])
        await momo.tells_of(node, both)
        theirs.add(both)
        assert await texts(hanako, room) == ["桃から"]
        live = await node.inside.services.rooms.get(room.room_id)
        assert live.tip.extremities == [both.event_id]
        await everything_works(node, hanako, momo, theirs)
