"""Invitations between our people and strangers, and what strangers make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.identity.servers import path_of
from server.rooms.event import Event
from tests.builders import Person
from tests.federation.stranger import Asked, Said, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_two_nodes import wait_for
from tests.federation.town import free_port, town

Json = dict[str, Any]


def invitation(oni: Stranger, room: StrangerRoom, guest: Person, **content: Any) -> Event:
    """An invitation by oni."""
    return room.event(oni.user("oni"), "m.room.member", {"membership": "invite", **content}, guest.user_id)


async def invited(person: Person) -> set[str]:
    """Rooms to which somebody is invited."""
    return set((await person.syncs()).rooms("invite"))


@pytest.mark.parametrize("version", ["3", "6", "10", "11"])
async def test_an_invitation_comes_is_signed_and_is_followed(version: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(version=version, join_rule="invite")
        event = invitation(oni, room, taro)
        answer = await oni.invites(node, event, version=version)
        signed = answer["event"]
        assert node.settings.server_name in signed["signatures"]
        assert room.judged.receive(signed).accepted
        assert await invited(taro) == {room.room_id}
        assert (await taro.post(f"v3/join/{room.room_id}")).status == 200
        await oni.tells_of(node, room.says(oni.user("oni"), "ようこそ"))
        await wait_for(taro, room.room_id, "ようこそ")


async def test_an_invitation_comes_in_the_old_way(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(version="5", join_rule="invite")
        event = invitation(oni, room, taro)
        answer = await oni.asks(node, "PUT", path_of("v1/invite", room.room_id, event.event_id), event.pdu)
        assert answer.body[0] == 200
        assert node.settings.server_name in answer.body[1]["event"]["signatures"]
        assert await invited(taro) == {room.room_id}


@pytest.mark.parametrize("told", ["500", "unreachable", "403", "rubbish"])
async def test_an_invitation_can_be_declined_whatever_its_server_says(told: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(join_rule="invite")
        assert (await oni.invites(node, invitation(oni, room, taro))).status == 200
        assert await invited(taro) == {room.room_id}
        if told == "unreachable":
            await oni.stop()
        else:
            oni.tells["make_leave"] = {
                "500": Said(500), "403": Said(403, {"errcode": "M_FORBIDDEN"}), "rubbish": Said(200, b"x")}[told]
        before = (await taro.syncs()).token
        assert (await taro.post(f"v3/rooms/{room.room_id}/leave")).status == 200
        assert await invited(taro) == set()
        assert room.room_id in (await taro.syncs(before)).rooms("leave")


@pytest.mark.parametrize("signatures", ["none", "wrong", "another's"])
async def test_an_invitation_that_its_sender_has_not_signed_is_refused(signatures: str, tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        taro = await node.user("taro")
        room = oni.creates_room(join_rule="invite")
        event = invitation(oni, room, taro)
        signed = {
            "none": {}, "wrong": {oni.name: {oni.key.key_id: "A" * 86}},
            "another's": {momo.name: event.pdu["signatures"][oni.name]},
        }[signatures]
        answer = await oni.invites(node, event, pdu={**event.pdu, "signatures": signed})
        assert answer.refusal == (403, "M_FORBIDDEN")
        assert (await momo.invites(node, event)).refusal == (403, "M_FORBIDDEN")
        assert await invited(taro) == set()


@pytest.mark.parametrize("content", [{"a": 1.5}, {"a": 2**53}, {"a": -(2**54)}])
async def test_an_invitation_with_json_that_rooms_of_version_6_do_not_know_is_refused(
    content: Json, tmp_path: Path
) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(version="6", join_rule="invite")
        answer = await oni.invites(node, invitation(oni, room, taro, **content), version="6")
        assert answer.refusal == (400, "M_BAD_JSON")
        assert await invited(taro) == set()


async def test_what_is_no_invitation_of_ours_is_not_signed(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(join_rule="invite")
        me = oni.user("oni")
        wrong = [
            room.event(me, "m.room.member", {"membership": "join"}, me),
            room.event(me, "m.room.member", {"membership": "ban"}, taro.user_id),
            room.event(me, "m.room.power_levels", {"users": {me: 100}}, ""),
            room.event(me, "m.room.member", {"membership": "invite"}, me),
            room.event(me, "m.room.member", {"membership": "invite"}, f"@nobody:{node.settings.server_name}"),
            room.event(me, "m.room.message", {"membership": "invite"}),
        ]
        for event in wrong:
            answer = await oni.invites(node, event)
            assert answer.status in (400, 403, 404), answer
        right = invitation(oni, room, taro)
        elsewhere = await oni.asks(
            node, "PUT", path_of("v2/invite", "!other:x.example", right.event_id),
            {"event": right.pdu, "room_version": "11", "invite_room_state": []})
        assert elsewhere.status == 400
        assert (await oni.invites(node, right, version="99")).refusal == (400, "M_INCOMPATIBLE_ROOM_VERSION")
        assert await invited(taro) == set()


SHOWN: list[Any] = [
    [None, 5, "x", {}, []], [{"type": 5, "state_key": "", "content": {}, "sender": "@x:y"}],
    [{"type": "m.room.name", "state_key": "", "content": {"name": 5}, "sender": 5}],
    [{"type": "m.room.name", "state_key": "", "content": {"name": {"a": []}}, "sender": "@x:y"}],
    [{"type": "m.room.create", "state_key": "", "content": {"type": 5, "room_version": []}, "sender": "@x:y"}],
    [{"type": "m.room.avatar", "state_key": "", "content": {"url": 5}, "sender": "@x:y"}],
    [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": {}}, "sender": "@x:y"}],
    [{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": []}, "sender": "@x:y"}],
    [{"type": "m.room.member", "state_key": "@x:y", "content": {"membership": 5}, "sender": "@x:y"}],
    [{"type": "m.room.power_levels", "state_key": "", "content": {"users": 5}, "sender": "@x:y"}],
    [{"type": f"m.{nr}", "state_key": "", "content": {"a": "x" * 60_000}, "sender": "@x:y"} for nr in range(60)],
    [{"type": "m.room.canonical_alias", "state_key": "", "content": {"alias": []}, "sender": "@x:y"}],
]


async def test_odd_things_shown_with_an_invitation_do_not_stop_the_sync(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        with node.contract.tolerating("shown as it came"):
            for shown in SHOWN:
                room = oni.creates_room(join_rule="invite")
                answer = await oni.invites(node, invitation(oni, room, taro), shown=shown)
                assert answer.status in (200, 400), answer
                news = await taro.syncs()
                assert answer.status != 200 or room.room_id in news.rooms("invite")
                for path in ("v3/joined_rooms", f"v1/room_summary/{room.room_id}"):
                    assert (await taro.get(path)).status < 500
                sliding = {"lists": {"a": {"ranges": [[0, 99]], "required_state": [["*", "*"]], "timeline_limit": 1}}}
                found = await taro.post("unstable/org.matrix.simplified_msc3575/sync", sliding)
                assert found.status == 200, (shown, found)
            await node.restart()
            assert (await taro.syncs()).rooms("invite")


async def test_a_stranger_is_invited_by_us_and_signs(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(room_version="11", name="会議室")
        assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": oni.user("oni")})).status == 200
        (asked,) = oni.asked_for("invite")
        assert "/v2/" in asked.path
        assert asked.content["room_version"] == "11"
        assert "m.room.name" in {event["type"] for event in asked.content["invite_room_state"]}
        live = await node.inside.services.rooms.get(room)
        event = live.state["m.room.member", oni.user("oni")]
        assert set(event.pdu["signatures"]) == {oni.name, node.settings.server_name}
        assert (await oni.joins(node, room)).state


ANSWERS: dict[str, Any] = {
    "500": Said(500), "nothing": {}, "no json": Said(200, b"x"), "not an object": [],
    "unsigned": lambda asked: {"event": asked.content["event"]},
    "a fraction": lambda asked: {"event": {**asked.content["event"], "content": {"membership": "invite", "a": 1.5}}},
    "a large number": lambda asked: {"event": {**asked.content["event"], "depth": 2**60}},
    "refused": Said(403, {"errcode": "M_FORBIDDEN", "error": "No"}),
    "old": Said(404, {"errcode": "M_UNRECOGNIZED", "error": "?"}),
}


@pytest.mark.parametrize("told", list(ANSWERS))
async def test_an_invitation_that_is_not_signed_by_the_guests_server_does_not_stand(told: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(room_version="10")
        oni.tells["invite"] = ANSWERS[told]
        answer = await hanako.post(f"v3/rooms/{room}/invite", {"user_id": oni.user("oni")})
        assert answer.status in (400, 403, 404), answer
        state = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{oni.user('oni')}")
        assert state.status == 404
        await hanako.says(room, "まだ使える部屋")


async def test_a_signature_of_the_guests_server_that_is_wrong_does_not_count(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = await hanako.creates_room(room_version="11")

        def signs_wrongly(asked: Asked) -> Json:
            event = asked.content["event"]
            return {"event": {**event, "signatures": {**event["signatures"], oni.name: {oni.key.key_id: "A" * 86}}}}

        oni.tells["invite"] = signs_wrongly
        answer = await hanako.post(f"v3/rooms/{room}/invite", {"user_id": oni.user("oni")})
        assert answer.status in (400, 403, 404), answer


async def test_a_chat_that_is_made_with_somebody_elsewhere_invites_them(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        saburo = await sakura.user("saburo")
        chat = await hanako.creates_room(
            preset="trusted_private_chat", is_direct=True, invite=[saburo.user_id, taro.user_id])
        for guest in (saburo, taro):
            shown = (await guest.syncs()).room(chat, "invite")["invite_state"]["events"]
            own = next(event for event in shown if event.get("state_key") == guest.user_id)
            assert own["content"]["is_direct"] is True
        assert (await taro.post(f"v3/join/{chat}")).status == 200
        await wait_for(taro, chat, await _says(hanako, chat))


async def test_who_cannot_be_invited_is_told_and_the_others_are_invited(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        gone = f"@jiro:127.0.0.1:{free_port()}"
        answer = await hanako.post("v3/createRoom", {"invite": [gone, taro.user_id]})
        assert answer.status >= 400
        assert len(await invited(taro)) == 1


async def _says(person: Person, room: str) -> str:
    await person.says(room, "ようこそ")
    return "ようこそ"
