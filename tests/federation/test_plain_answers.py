"""What other servers ask now and then: what an event rests on, a moment, keys, kinds of questions that nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from federation.identity.servers import path_of
from tests.federation.stranger import meeting
from tests.federation.test_transactions import a_room_of_both


async def test_what_an_event_rests_on_is_told(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = await hanako.says(room.room_id, "こんにちは")
        pdu = (await oni.asks(node, "GET", path_of("v1/event", said)))["pdus"][0]
        told = await oni.asks(node, "GET", path_of("v1/event_auth", room.room_id, said))
        kinds = sorted(event["type"] for event in told["auth_chain"])
        assert told.status == 200
        assert len(pdu["auth_events"]) <= len(kinds)
        assert {"m.room.create", "m.room.member", "m.room.power_levels"} <= set(kinds)
        assert (await oni.asks(node, "GET", path_of("v1/event_auth", room.room_id, "$nothing"))).status == 404


async def test_the_event_of_a_moment_is_told(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = await hanako.says(room.room_id, "こんにちは")
        ts = (await hanako.get(f"v3/rooms/{room.room_id}/event/{quote(said)}"))["origin_server_ts"]
        path = path_of("v1/timestamp_to_event", room.room_id)
        for direction in ("f", "b"):
            told = await oni.asks(node, "GET", path, query={"ts": ts, "dir": direction})
            assert told.body == {"event_id": said, "origin_server_ts": ts}
        assert (await oni.asks(node, "GET", path, query={"ts": ts + 1, "dir": "f"})).refusal == (404, "M_NOT_FOUND")
        assert (await oni.asks(node, "GET", path, query={"ts": 1, "dir": "b"})).refusal == (404, "M_NOT_FOUND")
        assert (await oni.asks(node, "GET", path, query={"ts": ts, "dir": "up"})).status == 400
        assert (await oni.asks(node, "GET", path, query={"ts": "now", "dir": "f"})).status == 400


async def test_the_version_of_the_program_is_told_to_everybody(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, _oni):
        assert (await node.ask("GET", "/_matrix/federation/v1/version"))["server"]["name"] == "Kairan"


async def test_a_question_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        refused = await oni.asks(node, "GET", "v1/query/fortune", query={"of": oni.user("oni")})
        assert refused.status in (400, 404)
        assert refused.code is not None


async def test_keys_are_asked_for_as_it_should_be(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        refused: list[Any] = [{"server_keys": []}, {"server_keys": {"not a name": {}}}, [], b"{"]
        for body in refused:
            assert (await node.ask("POST", "/_matrix/key/v2/query", body)).status == 400, body
        told = await node.ask("POST", "/_matrix/key/v2/query", {"server_keys": {oni.name: {}}})
        assert [keys["server_name"] for keys in told["server_keys"]] == [oni.name]
        assert (await node.ask("GET", "/_matrix/key/v2/query/not%20a%20name")).refusal == (400, "M_INVALID_PARAM")


async def test_an_invitation_of_the_first_kind_is_checked_like_others(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako = await node.user("hanako")
        room = oni.creates_room(version="10", join_rule="invite")
        invitation = room.event(oni.user("oni"), "m.room.member", {"membership": "invite"}, hanako.user_id)
        forged = {**invitation.pdu, "signatures": {}}
        path = path_of("v1/invite", room.room_id, invitation.event_id)
        assert (await oni.asks(node, "PUT", path, forged)).status in (400, 403)
        assert room.room_id not in (await hanako.syncs()).rooms("invite")
