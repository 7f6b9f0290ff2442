"""Joining rooms of strangers, whatever they answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.foundation.clock import SystemClock
from server.rooms.event import Event
from server.rooms.room_versions import ROOM_VERSIONS
from tests.builders import Person
from tests.fakes.clock import FakeClock
from tests.federation.stranger import Asked, Said, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_two_nodes import wait_for

Json = dict[str, Any]


async def joining(person: Person, room: StrangerRoom, stranger: Stranger) -> Any:
    """The answer to an attempt to join."""
    return await person.post(f"v3/join/{room.room_id}", via=stranger.name)


def without(answer: Json, *events: Event) -> Json:
    """An answer to send_join that lacks some events."""
    gone = [event.pdu for event in events]
    return {**answer, **{name: [pdu for pdu in answer[name] if pdu not in gone] for name in ("state", "auth_chain")}}


def instead(answer: Json, event: Event, pdu: Any) -> Json:
    """An answer to send_join in which one event is another."""
    return {**answer, **{name: [pdu if item == event.pdu else item for item in answer[name]]
                         for name in ("state", "auth_chain")}}


@pytest.mark.parametrize("version", list(ROOM_VERSIONS))
async def test_one_joins_and_speaks_in_rooms_of_every_version(version: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(version=version)
        joined = await joining(taro, room, oni)
        assert joined.status == 200, joined
        assert "/v2/" in oni.asked_for("send_join")[0].path
        spoken = await taro.says(room.room_id, "こんにちは")
        await oni.hears_text("こんにちは")
        assert spoken in room.judged.events
        assert spoken not in room.judged.rejected
        await oni.tells_of(node, room.says(oni.user("oni"), "いらっしゃい"))
        await wait_for(taro, room.room_id, "いらっしゃい")


async def test_who_tries_again_soon_is_not_told_for_a_minute_that_keys_were_missing(tmp_path: Path) -> None:
    clock = FakeClock(SystemClock().now_ms())
    async with meeting(tmp_path, clock=clock) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        oni.tells["server"] = Said(500)
        refused = await joining(taro, room, oni)
        assert refused.status == 404
        assert "cannot be believed" in refused.body["error"]
        del oni.tells["server"]
        await clock.advance(6)
        assert (await joining(taro, room, oni)).status == 200


@pytest.mark.parametrize("version", ["3", "4"])
async def test_the_ids_of_old_rooms_pass_through_addresses(version: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(version=version)
        for number in range(40):  # some of their ids have "/" and "+" in them
            room.put(oni.user("oni"), "m.room.message", {"msgtype": "m.text", "body": f"第{number}号"})
        assert (await joining(taro, room, oni)).status == 200
        page = await taro.get(f"v3/rooms/{room.room_id}/messages", dir="b", limit="60")
        shown = [event["content"]["body"] for event in page["chunk"] if event["type"] == "m.room.message"]
        assert len(shown) == 40
        for event in list(room.judged.events.values())[-10:]:
            answer = await oni.asks(node, "GET", path_to_event(event.event_id))
            assert answer["pdus"][0]["hashes"] == event.pdu["hashes"]


def path_to_event(event_id: str) -> str:
    """The door of one event."""
    return "v1/event/" + event_id.replace("/", "%2F").replace("+", "%2B").replace("$", "%24")


async def test_an_event_in_the_state_that_is_signed_wrongly_is_left_out(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        name = room.put(oni.user("oni"), "m.room.name", {"name": "鬼ヶ島"}, "")
        topic = room.put(oni.user("oni"), "m.room.topic", {"topic": "宝物"}, "")
        forged = {**name.pdu, "signatures": {oni.name: {oni.key.key_id: "A" * 86}}}
        oni.tells["send_join"] = lambda asked: instead(oni.on_send_join(asked), name, forged)

        assert (await joining(taro, room, oni)).status == 200
        assert (await taro.get(f"v3/rooms/{room.room_id}/state/m.room.name")).refusal == (404, "M_NOT_FOUND")
        assert (await taro.get(f"v3/rooms/{room.room_id}/state/m.room.topic")).body == topic.content


@pytest.mark.parametrize("displayname", [5, {"a": 1}, ["x"], True, ""])
async def test_a_member_with_an_impossible_name_does_no_harm(displayname: Any, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        odd = {"membership": "join", "displayname": displayname, "avatar_url": displayname}
        room.put(oni.user("oni"), "m.room.member", odd, oni.user("oni"))

        assert (await joining(taro, room, oni)).status == 200
        with node.contract.tolerating("what strangers say of themselves is shown to clients as it is"):
            assert room.room_id in (await taro.syncs()).rooms()
            for path in ("members", "joined_members", "state"):
                assert (await taro.get(f"v3/rooms/{room.room_id}/{path}")).status == 200
            await taro.says(room.room_id, "こんにちは")
            assert (await taro.post("v3/user_directory/search", {"search_term": "oni"})).status == 200


TEMPLATES: list[Json] = [
    {"type": "m.room.power_levels", "state_key": "", "content": {"users": {"@oni:evil.example": 100}}},
    {"content": {"membership": "ban"}},
    {"content": {"membership": "leave", "reason": "x"}},
    {"content": {"membership": "join", "displayname": "鬼", "jp.kairan.secret": True}},
    {"sender": "@hanako:elsewhere.example"},
    {"state_key": "@hanako:elsewhere.example"},
    {"room_id": "!other:elsewhere.example"},
    {"redacts": "$something", "jp.kairan.odd": {"a": 1}},
    {"origin_server_ts": 1, "origin": "evil.example", "hashes": {"sha256": "x"}, "signatures": {"a": {"b": "c"}}},
    {"depth": "deep"}, {"depth": -5}, {"depth": 2**63}, {"content": None}, {"content": []},
]


async def test_only_our_own_join_gets_our_signature_whatever_is_proposed(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        for number, template in enumerate(TEMPLATES):
            taro = await node.user(f"taro{number}")
            room = oni.creates_room()
            oni.tells["make_join"] = partial(_proposes, oni, template)
            oni.asked.clear()
            await joining(taro, room, oni)
            for asked in oni.asked_for("send_join"):
                pdu = asked.content
                assert (pdu["type"], pdu["sender"], pdu["state_key"]) == ("m.room.member", taro.user_id, taro.user_id)
                assert pdu["room_id"] == room.room_id
                assert pdu["content"]["membership"] == "join"
                assert not pdu.keys() & {"redacts", "jp.kairan.odd", "origin"}
                assert not pdu["content"].keys() & {"users", "jp.kairan.secret", "reason"}
                assert pdu["content"].get("displayname") != "鬼"
                assert list(pdu["signatures"]) == [node.settings.server_name]


def _proposes(oni: Stranger, instead: Json, asked: Asked) -> Json:
    told = oni.on_make_join(asked)
    return {**told, "event": {**told["event"], **instead}}


@pytest.mark.parametrize("membership", ["leave", "knock"])
async def test_only_our_own_leave_or_knock_gets_our_signature(membership: str, tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room(join_rule="knock")
        bad = {"type": "m.room.power_levels", "state_key": "", "content": {"users": {oni.user("oni"): 100}}}
        right = oni.on_make_knock if membership == "knock" else oni.on_make_leave
        oni.tells[f"make_{membership}"] = lambda asked: {
            "room_version": "11", "event": {**right(asked)["event"], **bad}
        }
        if membership == "knock":
            await taro.post(f"v3/knock/{room.room_id}", via=oni.name)
        else:
            invite = room.put(oni.user("oni"), "m.room.member", {"membership": "invite"}, taro.user_id)
            assert (await oni.invites(node, invite)).status == 200
            await taro.leaves(room.room_id)
        (asked,) = oni.asked_for(f"send_{membership}")
        assert (asked.content["type"], asked.content["content"]["membership"]) == ("m.room.member", membership)
        assert asked.content["state_key"] == taro.user_id


LINKS: list[Json] = [
    {"prev_events": ["$x"] * 21}, {"auth_events": ["$x"] * 11}, {"prev_events": "$x"}, {"auth_events": [5]},
    {"prev_events": [["$x", {"sha256": "y"}]]},
]


async def test_a_template_with_impossible_links_is_not_signed(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        for links in LINKS:
            oni.tells["make_join"] = partial(_proposes, oni, links)
            answer = await joining(taro, room, oni)
            assert 400 <= answer.status < 600
            assert answer.status != 500
            assert not oni.asked_for("send_join")


SENSELESS = [
    Said(200, b"no json"), Said(200, []), Said(200, {}), Said(200, {"event": 5}), Said(500), Said(200, b"[" * 100_000),
    Said(200, {"event": {}, "room_version": "99"}), Said(200, {"event": {}, "room_version": 11}), Said(404, b"<html>"),
    Said(403, {"errcode": "M_FORBIDDEN", "error": "Not you"}), Said(200, b'{"event": NaN}'), Said(302, {}),
]


async def test_a_senseless_answer_to_make_join_is_no_fault_of_ours(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        for told in SENSELESS:
            oni.tells["make_join"] = told
            answer = await joining(taro, room, oni)
            assert answer.status not in (200, 500), (told, answer)
        assert room.room_id not in (await taro.get("v3/joined_rooms"))["joined_rooms"]
        del oni.tells["make_join"]
        assert (await joining(taro, room, oni)).status == 200


def _of_another_room(oni: Stranger, answer: Json) -> Json:
    other = oni.creates_room("ao-oni")
    return {**answer, "state": [event.pdu for event in other.state.values()],
            "auth_chain": [event.pdu for event in other.chain(other.state.values())]}


def _with_a_ban(oni: Stranger, answer: Json) -> Json:
    """The state says that the one who joins is banned."""
    room = oni.rooms[answer["event"]["room_id"]]
    ban = room.event(oni.user("oni"), "m.room.member", {"membership": "ban"}, answer["event"]["sender"],
                     after=answer["event"]["prev_events"])
    return {**answer, "state": [*answer["state"], ban.pdu]}


WRONG_ROOMS: dict[str, Callable[[Stranger, Json], Json]] = {
    "nothing": lambda oni, answer: {},
    "no lists": lambda oni, answer: {**answer, "state": {}, "auth_chain": 5},
    "rubbish": lambda oni, answer: {**answer, "state": [None, 5, "x", [], {}], "auth_chain": [{"type": {}}]},
    "no beginning": lambda oni, answer: {
        **answer, **{name: [pdu for pdu in answer[name] if pdu["type"] != "m.room.create"]
                     for name in ("state", "auth_chain")}},
    "another room": _of_another_room,
    "banned": _with_a_ban,
    "empty": lambda oni, answer: {**answer, "state": [], "auth_chain": []},
    "members left out": lambda oni, answer: {**answer, "members_omitted": True},
    "another event": lambda oni, answer: {**answer, "event": {**answer["event"], "depth": 77}},
}


async def test_what_is_no_room_is_not_entered(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        for number, wrong in enumerate(WRONG_ROOMS.values()):
            taro = await node.user(f"taro{number}")
            room = oni.creates_room()
            oni.tells["send_join"] = lambda asked, wrong=wrong: wrong(oni, oni.on_send_join(asked))
            answer = await joining(taro, room, oni)
            assert answer.status in (400, 403, 404), (number, answer)
            assert room.room_id not in (await taro.get("v3/joined_rooms"))["joined_rooms"]
            assert room.room_id not in (await taro.syncs()).rooms()
            del oni.tells["send_join"]
            assert (await joining(taro, room, oni)).status == 200


async def test_state_of_another_room_among_the_right_one_is_left_out(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room, other = oni.creates_room(), oni.creates_room()
        foreign = other.put(oni.user("oni"), "m.room.name", {"name": "別の部屋"}, "")
        crossed = room.event(oni.user("oni"), "m.room.topic", {"topic": "x"}, "",
                             rests_on=[event.event_id for event in other.state.values()][:4])

        def answers(asked: Asked) -> Json:
            told = oni.on_send_join(asked)
            return {**told, "state": [*told["state"], foreign.pdu, crossed.pdu],
                    "auth_chain": [*told["auth_chain"], *(event.pdu for event in other.state.values())]}

        oni.tells["send_join"] = answers
        assert (await joining(taro, room, oni)).status == 200
        state = await taro.get(f"v3/rooms/{room.room_id}/state")
        assert {"m.room.name", "m.room.topic"}.isdisjoint(event["type"] for event in state.body)


async def test_what_the_rules_forbid_is_no_state_though_the_other_server_says_so(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        room.put(oni.user("small"), "m.room.member", {"membership": "join"}, oni.user("small"))
        grab = room.event(oni.user("small"), "m.room.power_levels", {"users": {oni.user("small"): 100}}, "")

        def answers(asked: Asked) -> Json:
            told = oni.on_send_join(asked)
            levels = room.state["m.room.power_levels", ""]
            return {**told, "state": [grab.pdu if pdu == levels.pdu else pdu for pdu in told["state"]],
                    "auth_chain": [*told["auth_chain"], levels.pdu]}

        oni.tells["send_join"] = answers
        await joining(taro, room, oni)
        shown = await taro.get(f"v3/rooms/{room.room_id}/state/m.room.power_levels")
        assert shown.status != 200 or oni.user("small") not in shown.body["users"]


async def test_a_next_server_lets_in_where_the_first_one_lies(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        taro = await node.user("taro")
        room = oni.creates_room()
        momo.rooms[room.room_id] = room
        momo.tells["send_join"] = {"state": [], "auth_chain": []}
        answer = await node.ask("POST", f"/_matrix/client/v3/join/{room.room_id}?via={momo.name}&via={oni.name}", {},
                                token=taro.token)
        assert answer.status == 200, answer
        assert momo.asked_for("send_join")
        assert oni.asked_for("send_join")


async def test_a_room_of_thousands_is_joined(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        rests = [room.create.event_id, room.state["m.room.power_levels", ""].event_id,
                 room.state["m.room.join_rules", ""].event_id]
        last = sorted(room.judged.heads)
        members = [
            room.event(oni.user(f"u{number}"), "m.room.member", {"membership": "join"}, oni.user(f"u{number}"),
                       after=last, rests_on=rests).pdu
            for number in range(3_000)
        ]

        def answers(asked: Asked) -> Json:
            told = oni.on_send_join(asked)
            return {**told, "state": [*told["state"], *members]}

        oni.tells["send_join"] = answers
        assert (await joining(taro, room, oni)).status == 200
        joined = (await taro.get(f"v3/rooms/{room.room_id}/joined_members"))["joined"]
        assert len(joined) == 3_002
