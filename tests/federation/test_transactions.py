"""Transactions of strangers: what is taken, what is not, and that nothing of it harms anybody."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from server.foundation.errors import Refused
from server.rooms.event import content_hash
from server.rooms.graph_store import stored_events
from server.rooms.redaction import redact
from server.rooms.timeline import OUTLIER
from tests.builders import Person, RunningNode
from tests.federation.stranger import Stranger, meeting
from tests.federation.stranger_room import StrangerRoom

Json = dict[str, Any]


async def a_room_of_both(node: RunningNode, oni: Stranger, version: str = "11") -> tuple[Person, StrangerRoom]:
    """A public room of hanako's, into which oni has come."""
    hanako = await node.user("hanako")
    room_id = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
    return hanako, await oni.joins(node, room_id)


async def everything_works(node: RunningNode, hanako: Person, oni: Stranger, room: StrangerRoom) -> None:
    """Both sides still speak with each other, and the past can be read to its beginning."""
    said = room.says(oni.user("oni"), "まだ話せますか")
    await oni.tells_of(node, said)
    room.add(said)
    assert "まだ話せますか" in await texts(hanako, room)
    await hanako.says(room.room_id, "はい、話せます")
    await oni.hears_text("はい、話せます")
    assert (await hanako.syncs()).rooms()


async def texts(person: Person, room: StrangerRoom) -> list[str]:
    """All that was said in a room, the oldest first, by paging back."""
    found: list[str] = []
    start: str | None = None
    for _ in range(100):
        on = {"from": start} if start else {}
        page = await person.get(f"v3/rooms/{room.room_id}/messages", dir="b", limit="100", **on)
        found += [event["content"].get("body", "") for event in page["chunk"] if event["type"] == "m.room.message"]
        start = page.body.get("end")
        if start is None:
            return found[::-1]
    raise AssertionError("no end")


async def test_an_event_that_was_redacted_on_its_way_is_taken_redacted(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = room.says(oni.user("oni"), "秘密")
        answer = await oni.sends(node, redact(said.pdu, room.version))
        assert answer["pdus"] == {said.event_id: {}}
        shown = await hanako.get(f"v3/rooms/{room.room_id}/event/{said.event_id}")
        assert shown["content"] == {}
        await everything_works(node, hanako, oni, room)


async def test_an_event_whose_content_is_not_what_was_hashed_is_taken_redacted(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = room.says(oni.user("oni"), "本当")
        answer = await oni.sends(node, {**said.pdu, "content": {"msgtype": "m.text", "body": "嘘"}})
        assert answer["pdus"] == {said.event_id: {}}
        shown = await hanako.get(f"v3/rooms/{room.room_id}/event/{said.event_id}")
        assert shown["content"] == {}
        assert "嘘" not in str((await hanako.syncs()).body)



class _Forgeries:
    """Events that nobody may take."""

    @staticmethod
    def unsigned(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return {**room.says(oni.user("oni"), "嘘").pdu, "signatures": {}}

    @staticmethod
    def signed_wrongly(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return {**room.says(oni.user("oni"), "嘘").pdu, "signatures": {oni.name: {oni.key.key_id: "A" * 86}}}

    @staticmethod
    def signed_with_an_unknown_key(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        event = room.says(oni.user("oni"), "嘘").pdu
        signature = event["signatures"][oni.name][oni.key.key_id]
        return {**event, "signatures": {oni.name: {"ed25519:none": signature, "rsa:1": "x", "": ""}}}

    @staticmethod
    def in_the_name_of_ours(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        ours = next(user for kind, user in room.state if kind == "m.room.member" and not user.endswith(oni.name))
        event = room.says(oni.user("oni"), "嘘")
        return {**event.pdu, "sender": ours}

    @staticmethod
    def in_the_name_of_another_server(room: StrangerRoom, oni: Stranger, momo: Stranger) -> Json:
        pdu = {**room.says(oni.user("oni"), "嘘").pdu, "sender": momo.user("oni")}
        return room.sealed({**pdu, "sender": oni.user("oni")}).pdu | {"sender": momo.user("oni")}

    @staticmethod
    def of_somebody_outside(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("nobody"), "嘘").pdu

    @staticmethod
    def on_unknown_authorities(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", rests_on=["$nowhere", room.create.event_id]).pdu

    @staticmethod
    def on_no_authorities(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", rests_on=[]).pdu

    @staticmethod
    def on_authorities_of_another_room(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        other = oni.creates_room()
        return room.says(oni.user("oni"), "嘘", rests_on=[item.event_id for item in other.state.values()]).pdu

    @staticmethod
    def on_doubled_authorities(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        rests = room.draft(oni.user("oni"), "m.room.message", {})["auth_events"]
        return room.says(oni.user("oni"), "嘘", rests_on=[*rests, rests[0]]).pdu

    @staticmethod
    def after_nothing(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", after=[], rests_on=room.draft(oni.user("oni"), "m.room.message", {})[
            "auth_events"]).pdu

    @staticmethod
    def after_itself_alone(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", after=["$itself"], rests_on=room.draft(
            oni.user("oni"), "m.room.message", {})["auth_events"]).pdu

    @staticmethod
    def after_a_flood(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", prev_events=[f"$p{n}" for n in range(21)]).pdu

    @staticmethod
    def on_a_flood(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.says(oni.user("oni"), "嘘", rests_on=[f"$a{n}" for n in range(11)]).pdu

    @staticmethod
    def a_second_beginning(room: StrangerRoom, oni: Stranger, _momo: Stranger) -> Json:
        return room.event(oni.user("oni"), "m.room.create", {"room_version": "11"}, "", after=[], rests_on=[]).pdu


FORGERIES = [name for name in vars(_Forgeries) if not name.startswith("_")]


async def test_a_forged_event_is_not_taken(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        before = (await hanako.get(f"v3/rooms/{room.room_id}/state")).body
        for name in FORGERIES:
            pdu = getattr(_Forgeries, name)(room, oni, momo)
            answer = await oni.sends(node, pdu)
            assert answer.status == 200, name
            assert all("error" in item for item in answer["pdus"].values()), (name, answer)
            assert "嘘" not in await texts(hanako, room), name
            assert (await hanako.get(f"v3/rooms/{room.room_id}/state")).body == before, name
        await everything_works(node, hanako, oni, room)


ODD: list[Any] = [
    None, 5, "x", [], {}, {"room_id": 5}, {"depth": -1}, {"depth": 2**53}, {"depth": 2**63 - 1}, {"depth": "5"},
    {"depth": 5.0}, {"depth": True}, {"depth": None}, {"origin_server_ts": "now"}, {"origin_server_ts": 1.5},
    {"origin_server_ts": None}, {"content": None}, {"content": []}, {"content": "x"}, {"type": None}, {"type": 5},
    {"type": "x" * 300}, {"type": "\0"}, {"sender": 5}, {"sender": "oni"}, {"sender": "@oni"}, {"sender": "@:"},
    {"state_key": 5}, {"state_key": None}, {"state_key": "x" * 300}, {"state_key": "a\0b"}, {"prev_events": None},
    {"prev_events": {}}, {"prev_events": [5]}, {"prev_events": [["$x", {}]]}, {"auth_events": "x"},
    {"auth_events": [None]}, {"hashes": None}, {"hashes": {}}, {"hashes": {"sha256": 5}}, {"hashes": {"md5": "x"}},
    {"signatures": []}, {"signatures": {"x": 5}}, {"signatures": {"x": {"y": 5}}}, {"signatures": None},
    {"content": {"body": "x" * 70_000}}, {"content": {"a": 1.5}}, {"content": {"a": 2**53}}, {"redacts": 5},
    {"event_id": "$x"}, {"event_id": 5}, {"unsigned": 5}, {"unsigned": {"a": ["b"] * 5_000}},
    {"content": {"msgtype": 5, "body": {}, "m.relates_to": "x", "m.mentions": 5}},
    {"content": {"m.relates_to": {"event_id": 5, "rel_type": [], "m.in_reply_to": 5}}},
    {"content": {"m.relates_to": {"event_id": "$x", "rel_type": "m.annotation", "key": 5}}},
    {"content": {"m.relates_to": {"event_id": "$x", "rel_type": "m.thread"}}},
    {"content": {"m.relates_to": {"event_id": "$x", "rel_type": "m.replace"}, "m.new_content": 5}},
    {"type": "m.room.redaction", "content": {"redacts": 5}}, {"type": "m.room.redaction", "content": {}},
    {"type": "m.room.encrypted", "content": {"algorithm": []}},
    {"type": "jp.kairan.circular", "content": {"x": []}}, {"type": "org.matrix.msc3381.poll.response", "content": {}},
    {"type": "jp.kairan.safety.response", "content": {"status": 5, "m.relates_to": []}},
    {"type": "m.poll.response", "content": {"m.relates_to": {"event_id": "$x", "rel_type": "m.reference"}}},
]


async def test_odd_things_in_a_transaction_do_no_harm(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        for odd in ODD:
            pdu: Any = odd
            if isinstance(odd, dict) and odd:
                right = room.says(oni.user("oni"), "こんにちは").pdu
                pdu = {**right, **odd}
                try:  # signed, where it can be
                    pdu["hashes"] = odd.get("hashes", {"sha256": content_hash(pdu)})
                    if "signatures" not in odd:
                        pdu = room.sealed({k: v for k, v in pdu.items() if k != "signatures"}).pdu | {
                            k: v for k, v in odd.items() if k in ("hashes",)}
                except (TypeError, ValueError, KeyError, AttributeError, RecursionError, Refused):  # then as it is
                    pass
            good = room.says(oni.user("oni"), "よい知らせ")
            with node.contract.tolerating("odd on purpose"):
                answer = await oni.sends(node, pdu, good)
            assert answer.status == 200, (odd, answer)
            assert answer["pdus"].get(good.event_id) == {}, (odd, answer)
            room.add(good)
            if isinstance(pdu, dict):
                room.judged.receive(pdu)
        with node.contract.tolerating("clients are shown what strangers say"):
            assert (await texts(hanako, room)).count("よい知らせ") == len(ODD)
            await everything_works(node, hanako, oni, room)


async def test_the_same_transaction_is_taken_once(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        said, other = room.says(oni.user("oni"), "一度だけ"), room.says(oni.user("oni"), "別の内容")
        answers = await asyncio.gather(*(oni.sends(node, said, txn="same") for _ in range(5)))
        assert [answer.body for answer in answers] == [{"pdus": {said.event_id: {}}}] * 5
        again = await oni.sends(node, other, txn="same")
        assert again.body == answers[0].body
        assert await texts(hanako, room) == ["一度だけ"]
        assert (await oni.sends(node, said, txn="new"))["pdus"] == {said.event_id: {}}
        assert (await momo.sends(node, other, txn="same"))["pdus"] == {other.event_id: {}}
        assert sorted(await texts(hanako, room)) == ["一度だけ", "別の内容"]


async def test_a_transaction_with_too_much_in_it_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = [room.says(oni.user("oni"), f"{number}") for number in range(51)]
        assert (await oni.sends(node, *said)).refusal == (400, "M_BAD_JSON")
        edu = {"edu_type": "m.nothing", "content": {}}
        assert (await oni.sends(node, edus=[edu] * 101)).refusal == (400, "M_BAD_JSON")
        assert (await oni.sends(node, *said[:50], edus=[edu] * 100)).status == 200
        assert len(await texts(hanako, room)) == 50


SHAPES: list[Any] = [
    {"pdus": {}}, {"pdus": None}, {"edus": {}}, {"edus": "x"}, [], "x", 5, None, {"edus": [None, 5, [], {}]},
    {"edus": [{"edu_type": 5, "content": 5}, {"edu_type": "m.typing", "content": None}]}, {"pdus": [{}] * 50},
]


async def test_a_transaction_of_another_shape_is_no_fault_of_ours(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        for number, wrong in enumerate(SHAPES):
            content = {"origin": oni.name, "origin_server_ts": 5, "pdus": [], **wrong} if isinstance(
                wrong, dict) else wrong
            with node.contract.tolerating("wrong on purpose"):
                answer = await oni.asks(node, "PUT", f"v1/send/odd{number}", content)
            assert answer.status in (200, 400, 401), (wrong, answer)
        await everything_works(node, hanako, oni, room)


BOMBS = {
    "not a number": b'{"pdus": [], "a": NaN}', "infinity": b'{"pdus": [], "a": Infinity}', "1e400": b'{"a": 1e400}',
    "many digits": b'{"a": ' + b"9" * 10_000 + b"}", "deep": b"[" * 100_000, "deep object": b'{"a":' * 100_000,
    "half a pair": b'{"a": "\\ud800"}', "mark": b'\xef\xbb\xbf{"pdus": []}', "no text": b'{"a": "\xff\xfe"}',
    "end": b'{"pdus": [', "zero": b"\0", "nothing": b"", "large": b'{"a": "' + b"x" * 13_000_000 + b'"}',
    "twice": b'{"pdus": [5], "pdus": []}', "deep but whole": b"[" * 900 + b"]" * 900,
}


async def test_broken_json_is_refused_at_once(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        for name, bomb in BOMBS.items():
            started = time.process_time()
            with node.contract.tolerating("broken on purpose"):
                answer = await oni.asks(node, "PUT", "v1/send/bomb", {"a": 1}, body=bomb)
            assert answer.status in (400, 401, 413), (name, answer)
            assert time.process_time() - started < 1, name
        await everything_works(node, hanako, oni, room)


async def test_a_depth_at_the_end_of_all_numbers_does_not_stop_the_room(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        deep = room.says(oni.user("oni"), "深い", depth=2**53 - 1)
        await oni.tells_of(node, deep)
        room.add(deep)
        for number in range(3):
            await hanako.says(room.room_id, f"まだ{number}")
        told = await oni.hears_text("まだ2")
        assert told["depth"] == 2**53 - 1
        assert await texts(hanako, room) == ["深い", "まだ0", "まだ1", "まだ2"]


async def test_a_thing_said_in_many_ways_at_once_is_said_in_all(tmp_path: Path) -> None:
    """Equivocation: two events after the same one, told apart to different servers, come together."""
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        ends = sorted(room.judged.heads)
        said = [room.says(oni.user("oni"), text, after=ends) for text in ("右", "左", "上")]
        for event in said:
            await oni.tells_of(node, event)
            room.add(event)
        await hanako.says(room.room_id, "三つ")
        told = await oni.hears_text("三つ")
        assert set(told["prev_events"]) == {event.event_id for event in said}


async def test_many_ends_of_a_room_are_taken_together(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        ends = sorted(room.judged.heads)
        said = [room.says(oni.user("oni"), f"{number}", after=ends) for number in range(45)]
        await oni.tells_of(node, *said)
        for event in said:
            room.add(event)
        for number in range(4):
            await hanako.says(room.room_id, f"まとめ{number}")
        told = await oni.hears_text("まとめ3")
        assert len((await oni.hears_text("まとめ0"))["prev_events"]) <= 20
        assert len(told["prev_events"]) <= 20
        assert told["prev_events"]
        assert len(await texts(hanako, room)) == 49


async def test_a_redaction_of_somebody_elses_words_is_ignored(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        said = await hanako.says(room.room_id, "消さないで")
        await oni.hears_text("消さないで")
        redaction = room.event(oni.user("oni"), "m.room.redaction", {"redacts": said})
        await oni.sends(node, redaction)
        shown = await hanako.get(f"v3/rooms/{room.room_id}/event/{said}")
        assert shown["content"]["body"] == "消さないで"
        await everything_works(node, hanako, oni, room)


async def test_a_redaction_of_an_event_of_another_room_is_ignored(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        other_id = await hanako.creates_room(preset="public_chat", room_version="11")
        other = await oni.joins(node, other_id)
        mine = other.says(oni.user("oni"), "別の部屋")
        await oni.tells_of(node, mine)
        await oni.sends(node, room.event(oni.user("oni"), "m.room.redaction", {"redacts": mine.event_id}))
        shown = await hanako.get(f"v3/rooms/{other_id}/event/{mine.event_id}")
        assert shown["content"]["body"] == "別の部屋"


async def test_a_redaction_of_ones_own_words_holds_even_if_it_comes_first(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        ends = sorted(room.judged.heads)
        said = room.says(oni.user("oni"), "言い間違い", after=ends)
        redaction = room.event(oni.user("oni"), "m.room.redaction", {"redacts": said.event_id}, after=ends)
        await oni.tells_of(node, redaction, said)
        shown = await hanako.get(f"v3/rooms/{room.room_id}/event/{said.event_id}")
        assert shown["content"] == {}
        assert "言い間違い" not in await texts(hanako, room)


async def test_events_on_authorities_of_another_room_do_not_move_the_state(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        other = oni.creates_room("oni")
        grab = other.put(oni.user("oni"), "m.room.power_levels", {"users": {oni.user("oni"): 100}}, "")
        rests = [room.create.event_id, grab.event_id, room.state["m.room.member", oni.user("oni")].event_id]
        topic = room.event(oni.user("oni"), "m.room.topic", {"topic": "乗っ取り"}, "", rests_on=rests)
        answer = await oni.sends(node, grab, topic)
        assert "error" in answer["pdus"][topic.event_id]
        child = room.says(oni.user("oni"), "その子", after=[topic.event_id], rests_on=[
            room.create.event_id, topic.event_id])
        assert "error" in (await oni.sends(node, child))["pdus"][child.event_id]
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.topic")).status == 404
        await everything_works(node, hanako, oni, room)


async def test_what_was_looked_up_before_is_taken_when_it_comes_itself(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        momo, end = oni.user("momo"), list(room.judged.heads)
        join = room.put(momo, "m.room.member", {"membership": "join"}, momo)
        # It rests on the join and goes past it, so that the join is asked for, and has no place yet.
        grounds = [room.state[kind, ""].event_id for kind in ("m.room.create", "m.room.power_levels")]
        early = room.says(momo, "まだ いません", after=end, rests_on=[*grounds, join.event_id])
        room.add(early)
        assert "error" in (await oni.sends(node, early))["pdus"][early.event_id]
        live = await node.inside.services.rooms.get(room.room_id)
        known = await stored_events(node.inside.core.database, live, [join.event_id])
        assert known[join.event_id].flags & OUTLIER
        await oni.tells_of(node, join)
        members = await hanako.get(f"v3/rooms/{room.room_id}/joined_members")
        assert momo in members["joined"]
        await everything_works(node, hanako, oni, room)


async def test_what_was_rejected_stays_rejected(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        before = (await hanako.get(f"v3/rooms/{room.room_id}/state")).body
        me = oni.user("oni")
        grab = room.event(me, "m.room.power_levels", {"users": {me: 100}}, "")
        for _ in range(2):
            assert "error" in (await oni.sends(node, grab))["pdus"][grab.event_id]
        rests = [room.create.event_id, grab.event_id, room.state["m.room.member", me].event_id]
        topic = room.event(me, "m.room.topic", {"topic": "x"}, "", rests_on=rests)
        assert "error" in (await oni.sends(node, topic))["pdus"][topic.event_id]
        # What follows a rejected event is taken, as though it were not there.
        rests_on = room.draft(me, "m.room.message", {})["auth_events"]
        child = room.says(me, "その後", after=[grab.event_id], rests_on=rests_on)
        assert (await oni.sends(node, child))["pdus"] == {child.event_id: {}}
        assert (await hanako.get(f"v3/rooms/{room.room_id}/state")).body == before
        room.judged.receive(grab.pdu)
        room.add(child)
        await everything_works(node, hanako, oni, room)


async def test_who_is_not_in_a_room_hears_nothing_of_it_and_says_nothing_in_it(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        intruder = room.event(momo.user("momo"), "m.room.message", {"msgtype": "m.text", "body": "嘘"})
        assert "error" in (await momo.sends(node, intruder))["pdus"][intruder.event_id]
        assert "嘘" not in await texts(hanako, room)
        nowhere = oni.creates_room()
        lost = nowhere.says(oni.user("oni"), "どこでもない")
        assert (await oni.sends(node, lost)).status == 200
        await everything_works(node, hanako, oni, room)
