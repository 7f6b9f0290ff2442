"""Strangers join, leave and knock at our rooms, rightly or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.identity.servers import path_of
from server.rooms.event import Event
from server.rooms.event_format import read_pdu
from tests.builders import Answer, RunningNode
from tests.federation.stranger import Stranger, meeting
from tests.federation.stranger_room import StrangerRoom

Json = dict[str, Any]


async def proposed(
    oni: Stranger, node: RunningNode, room: str, user: str, kind: str = "join", ver: str = "11"
) -> Answer:
    """An answer to make_join, make_leave or make_knock."""
    return await oni.asks(node, "GET", path_of(f"v1/make_{kind}", room, user), query={"ver": ver})


def paper(oni: Stranger, room: str, version: str = "11") -> StrangerRoom:
    """Something to seal events of a room with."""
    return StrangerRoom(room, version, oni.known)


async def brings(
    oni: Stranger, node: RunningNode, kind: str, room: str, event: Event,
    *, v: int = 2, pdu: Any = None, named: str = "",
) -> Answer:
    """An answer to send_join, send_leave or send_knock."""
    path = path_of(f"v{v}/send_{kind}", room, named or event.event_id)
    return await oni.asks(node, "PUT", path, event.pdu if pdu is None else pdu)


async def test_a_stranger_joins_and_is_told_the_room(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room_id = await hanako.creates_room(preset="public_chat", name="広場", room_version="11")
        room = await oni.joins(node, room_id)
        assert room.state["m.room.name", ""].content == {"name": "広場"}
        await hanako.says(room_id, "ようこそ")
        await oni.hears_text("ようこそ")
        assert hanako.user_id in (await hanako.get(f"v3/rooms/{room_id}/joined_members"))["joined"]


async def test_the_old_way_to_bring_a_join_is_answered_too(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="10")
        template = await proposed(oni, node, room, oni.user("oni"), ver="10")
        join = paper(oni, room, "10").sealed(template["event"])
        answer = await brings(oni, node, "join", room, join, v=1)
        assert answer.status == 200
        assert answer.body[0] == 200
        assert {"auth_chain", "state", "origin"} <= answer.body[1].keys()
        assert "m.room.create" in {pdu["type"] for pdu in answer.body[1]["state"]}


@pytest.mark.parametrize("kind", ["join", "leave", "knock"])
async def test_nobody_is_joined_put_out_or_knocks_by_somebody_elses_server(kind: str, tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, taro = await node.users("hanako", "taro")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        for user in (taro.user_id, momo.user("momo"), hanako.user_id, "nobody", "@x:", ""):
            answer = await proposed(oni, node, room, user, kind)
            assert answer.status in (400, 403, 404), (user, answer)


async def test_a_join_that_is_signed_wrongly_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        join = paper(oni, room).sealed((await proposed(oni, node, room, oni.user("oni")))["event"])
        wrong: list[Json] = [
            {}, {oni.name: {}}, {oni.name: {oni.key.key_id: "A" * 86}}, {oni.name: {"ed25519:x": "A"}},
            {node.settings.server_name: {oni.key.key_id: "A" * 86}},
        ]
        for signatures in wrong:
            pdu = {**join.pdu, "signatures": signatures}
            for version in (1, 2):
                assert (await brings(oni, node, "join", room, join, v=version, pdu=pdu)).status == 403
        assert oni.user("oni") not in (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]


async def test_a_join_of_another_server_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        join = paper(momo, room).sealed((await proposed(momo, node, room, momo.user("momo")))["event"])
        for version in (1, 2):
            assert (await brings(oni, node, "join", room, join, v=version)).status == 403
        assert (await brings(momo, node, "join", room, join)).status == 200


async def test_a_leave_of_another_server_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        theirs = await momo.joins(node, room)
        await oni.joins(node, room)
        user = momo.user("oni")
        leave = theirs.event(user, "m.room.member", {"membership": "leave"}, user)
        for version in (1, 2):
            assert (await brings(oni, node, "leave", room, leave, v=version)).status == 403
        members = (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]
        assert user in members
        assert (await brings(momo, node, "leave", room, leave)).status == 200
        assert user not in (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]


@pytest.mark.parametrize("kind", ["join", "leave", "knock"])
async def test_only_the_membership_that_was_asked_for_may_be_brought(kind: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        other_room = await hanako.creates_room(preset="public_chat", room_version="11")
        ours = await oni.joins(node, room)
        user, me = hanako.user_id, oni.user("oni")
        wrong = [
            ours.event(me, "m.room.member", {"membership": "leave"}, user),  # a kick
            ours.event(me, "m.room.member", {"membership": "ban"}, user),
            ours.event(me, "m.room.member", {"membership": "invite"}, me),
            ours.event(me, "m.room.power_levels", {"users": {me: 100}}, ""),
            ours.event(me, "m.room.message", {"membership": kind}),
            ours.event(me, "m.room.member", {}, me),
            ours.event(me, "m.room.member", {"membership": kind}, me, room_id=other_room),
        ]
        for event in wrong:
            answer = await brings(oni, node, kind, room, event, v=1 if kind == "knock" else 2)
            assert answer.status in (400, 403), (event.content, answer)
        right = ours.event(me, "m.room.member", {"membership": kind}, me)
        version = 1 if kind == "knock" else 2
        assert (await brings(oni, node, kind, other_room, right, v=version)).status in (400, 403)
        assert (await brings(oni, node, kind, room, right, v=version, named="$other")).status == 400
        joined = (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]
        assert set(joined) == {user, me}
        await hanako.says(room, "まだ居ます")
        await oni.hears_text("まだ居ます")


@pytest.mark.parametrize("content", [{"a": 1.5}, {"a": 2**53}, {"a": -(2**60)}, {"a": [{"b": 1e30}]}])
async def test_a_join_with_json_that_rooms_of_version_6_do_not_know_is_refused(content: Json, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="10")
        template = (await proposed(oni, node, room, oni.user("oni"), ver="10"))["event"]
        join = paper(oni, room, "10").sealed({**template, "content": {"membership": "join", **content}})
        for version in (1, 2):
            answer = await brings(oni, node, "join", room, join, v=version)
            assert answer.refusal == (400, "M_BAD_JSON")
        assert (await oni.joins(node, room)).state


async def test_who_is_not_admitted_does_not_come_in(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        closed = await hanako.creates_room(room_version="11")
        public = await hanako.creates_room(preset="public_chat", room_version="11")
        me = oni.user("oni")
        assert (await hanako.post(f"v3/rooms/{public}/ban", {"user_id": me})).status == 200
        for room in (closed, public):
            assert (await proposed(oni, node, room, me)).refusal == (403, "M_FORBIDDEN")
            inside = [event.event_id for (kind, _), event in (await node.inside.services.rooms.get(room)).state.items()
                      if kind in ("m.room.create", "m.room.power_levels", "m.room.join_rules")]
            tip = (await node.inside.services.rooms.get(room)).tip
            join = paper(oni, room).event(me, "m.room.member", {"membership": "join"}, me,
                                          after=tip.extremities, rests_on=inside)
            assert (await brings(oni, node, "join", room, join)).refusal == (403, "M_FORBIDDEN")
            assert (await proposed(oni, node, room, me, "knock")).status == 403
        assert (await proposed(oni, node, "!nowhere:example.org", me)).status == 404
        refused = await proposed(oni, node, public, oni.user("other"), ver="9")
        assert refused.refusal == (400, "M_INCOMPATIBLE_ROOM_VERSION")
        assert refused.body["room_version"] == "11"


async def test_nobody_vouches_for_a_stranger_who_may_not_come(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        hall = await hanako.creates_room(preset="public_chat", room_version="11")
        rule = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": hall}]}
        room = await hanako.creates_room(room_version="11", initial_state=[
            {"type": "m.room.join_rules", "state_key": "", "content": rule}])
        me = oni.user("oni")
        assert (await proposed(oni, node, room, me)).refusal == (403, "M_FORBIDDEN")
        live = await node.inside.services.rooms.get(room)
        rests = [event.event_id for (kind, key), event in live.state.items()
                 if kind in ("m.room.create", "m.room.power_levels", "m.room.join_rules") or key == hanako.user_id]
        content = {"membership": "join", "join_authorised_via_users_server": hanako.user_id}
        join = paper(oni, room).event(me, "m.room.member", content, me, after=live.tip.extremities, rests_on=rests)
        for pdu in (join.pdu, {**join.pdu, "signatures": {**join.pdu["signatures"],
                                                          node.settings.server_name: {"ed25519:x": "A" * 86}}}):
            assert (await brings(oni, node, "join", room, join, pdu=pdu)).status == 403
        await oni.joins(node, hall)
        inside = await oni.joins(node, room)
        assert inside.state["m.room.member", me].content == content


async def test_a_join_that_claims_to_stand_before_a_ban_does_not_bring_anybody_in(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(preset="public_chat", room_version="11")
        me = oni.user("oni")
        template = (await proposed(oni, node, room, me))["event"]
        assert (await hanako.post(f"v3/rooms/{room}/ban", {"user_id": me})).status == 200
        join = paper(oni, room).sealed(template)
        await brings(oni, node, "join", room, join)
        shown = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{me}")
        assert shown["membership"] == "ban"
        assert not [event for event in (await hanako.syncs()).timeline(room) if event["event_id"] == join.event_id]


async def test_a_stranger_knocks(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(room_version="11", name="会議室", initial_state=[
            {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}])
        me = oni.user("oni")
        template = (await proposed(oni, node, room, me, "knock"))["event"]
        knock = paper(oni, room).sealed(template)
        answer = await brings(oni, node, "knock", room, knock, v=1)
        assert "m.room.name" in {event["type"] for event in answer["knock_room_state"]}
        member = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{me}")
        assert member["membership"] == "knock"
        assert read_pdu(template | {"hashes": {}, "signatures": {}}, knock.version).content["membership"] == "knock"


async def test_levels_are_set_by_those_only_who_may(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room_id = await hanako.creates_room(preset="public_chat", room_version="11")
        room = await oni.joins(node, room_id)
        me = oni.user("oni")
        before = (await hanako.get(f"v3/rooms/{room_id}/state/m.room.power_levels")).body
        grab = room.event(me, "m.room.power_levels", {**before, "users": {**before["users"], me: 100}}, "")
        answer = await oni.sends(node, grab)
        assert "error" in answer["pdus"][grab.event_id]
        assert (await hanako.get(f"v3/rooms/{room_id}/state/m.room.power_levels")).body == before


async def test_a_voucher_that_is_forged_or_worthless_lets_nobody_in(tmp_path: Path) -> None:
    """Not at the door for joins, and not by a transaction of somebody who is in."""
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, taro = await node.users("hanako", "taro")
        hall = await hanako.creates_room(preset="public_chat", room_version="11")
        rule = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": hall}]}
        room = await hanako.creates_room(
            room_version="11", power_level_content_override={"invite": 50}, initial_state=[
                {"type": "m.room.join_rules", "state_key": "", "content": rule}])
        await hanako.invites(taro, room)
        await taro.joins(room)
        await momo.joins(node, hall)
        inside = await momo.joins(node, room)
        me = oni.user("oni")
        for voucher in (taro.user_id, hanako.user_id, momo.user("oni"), oni.user("x"), "", 5):
            rests = inside.draft(me, "m.room.member", {"membership": "join"}, me)["auth_events"]
            rests += [event.event_id for event in inside.state.values()
                      if event.state_key == voucher and event.event_id not in rests]
            content = {"membership": "join", "join_authorised_via_users_server": voucher}
            join = inside.event(me, "m.room.member", content, me, rests_on=rests)
            forged = {**join.pdu["signatures"], node.settings.server_name: {"ed25519:x": "A" * 86}}
            for pdu in (join.pdu, {**join.pdu, "signatures": forged}):
                assert (await brings(oni, node, "join", room, join, pdu=pdu)).status in (400, 403)
                told = await momo.sends(node, pdu)
                assert "error" in told["pdus"].get(join.event_id, {"error": "not read"})
        assert me not in (await hanako.get(f"v3/rooms/{room}/joined_members"))["joined"]
