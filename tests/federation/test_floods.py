"""Too much of everything: a hostile server sends without end, deep, wide, broken and slowly. Our people notice nothing.

``KAIRAN_MUTATIONS=10000`` and ``KAIRAN_CHAIN=10000`` ask for the full numbers.
"""

from __future__ import annotations

import asyncio
import copy
import os
import random
import resource
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final

import pytest

from federation.identity.servers import path_of
from server.foundation.clock import SystemClock
from server.foundation.keyed_locks import KeyedLocks
from tests.builders import Person, RunningNode
from tests.fakes.clock import FakeClock
from tests.federation.stranger import Asked, Stranger, meeting
from tests.federation.stranger_room import StrangerRoom
from tests.federation.test_transactions import a_room_of_both, everything_works, texts

Json = dict[str, Any]

MUTATIONS: Final = int(os.environ.get("KAIRAN_MUTATIONS", "300"))
CHAIN: Final = int(os.environ.get("KAIRAN_CHAIN", "600"))
MB: Final = 2**20
# Instead of anything, anywhere.
_STRANGE: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 2**53, 2**63, 1.5, "", "x", "\0", "\ud7ff" * 10, "@:", "!x:y", "$x", "x" * 300, [], [None], {},
    {"": None}, {"a": {"b": {"c": []}}}, [[[[]]]], "町" * 100,
)


def memory_peak() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def mutated(value: Any, chance: random.Random) -> Any:
    """Something like ``value`` with one place in it changed, left out or doubled."""
    changed = copy.deepcopy(value)
    place = changed
    while isinstance(place, dict | list) and place:
        key: Any = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
        if not isinstance(place[key], dict | list) or not place[key] or chance.random() < 0.4:
            if chance.random() < 0.2 and isinstance(place, dict):
                del place[key]
            else:
                place[key] = chance.choice(_STRANGE)
            break
        place = place[key]
    return changed


def _sealed_again(room: StrangerRoom, pdu: Any) -> Any:
    """Signed as it is now, where that can be done; so that more than the signature is looked at."""
    try:
        return room.sealed({name: value for name, value in pdu.items() if name not in ("hashes", "signatures")}).pdu
    except Exception:  # it is broken on purpose
        return pdu


def _edus(oni: Stranger, hanako: Person, room: StrangerRoom) -> list[Json]:
    me = oni.user("oni")
    return [
        {"edu_type": "m.typing", "content": {"room_id": room.room_id, "user_id": me, "typing": True}},
        {"edu_type": "m.receipt", "content": {room.room_id: {"m.read": {me: {"event_ids": ["$x"], "data": {}}}}}},
        {"edu_type": "m.presence", "content": {"push": [{"user_id": me, "presence": "online", "last_active_ago": 5}]}},
        {"edu_type": "m.direct_to_device", "content": {
            "sender": me, "type": "m.x", "message_id": "1", "messages": {hanako.user_id: {"*": {"a": 1}}}}},
        {"edu_type": "m.device_list_update", "content": {
            "user_id": me, "device_id": "A", "stream_id": 1, "prev_id": [], "keys": {"algorithms": []}}},
        {"edu_type": "m.signing_key_update", "content": {"user_id": me, "master_key": {"keys": {"a": "b"}}}},
    ]


@pytest.mark.slow
async def test_whatever_a_hostile_server_sends_our_people_go_on(tmp_path: Path) -> None:
    chance = random.Random(1)
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        theirs = await momo.joins(node, room.room_id)
        me = oni.user("oni")
        contents: list[tuple[str, Json, str | None]] = [
            ("m.room.message", {"msgtype": "m.text", "body": "x", "m.relates_to": {"event_id": "$x"}}, None),
            ("m.room.member", {"membership": "join", "displayname": "鬼", "avatar_url": "mxc://a/b"}, me),
            ("m.room.topic", {"topic": "x"}, ""), ("m.room.redaction", {"redacts": "$x"}, None),
            ("m.room.power_levels", {"users": {me: 100}, "events": {"x": 5}}, ""),
        ]
        with node.contract.tolerating("broken on purpose"):
            for _ in range(0, MUTATIONS, 10):
                pdus = [mutated(room.event(me, *chance.choice(contents)).pdu, chance) for _ in range(7)]
                pdus = [_sealed_again(room, pdu) if chance.random() < 0.7 else pdu for pdu in pdus]
                edus = [mutated(edu, chance) for edu in chance.sample(_edus(oni, hanako, room), 2)]
                assert (await oni.sends(node, *pdus, edus=edus)).status == 200
                await _invites_wrongly(node, oni, hanako, chance)
            assert (await hanako.syncs()).rooms()
            await hanako.says(room.room_id, "まだ居ます")
            assert (await texts(hanako, room))[-1] == "まだ居ます"
        await momo.hears_text("まだ居ます")
        assert theirs.state


async def _invites_wrongly(node: RunningNode, oni: Stranger, guest: Person, chance: random.Random) -> None:
    room = next((found for found in oni.rooms.values() if found.create.sender == oni.user("oni")), None)
    room = room or oni.creates_room()
    invite = room.event(oni.user("oni"), "m.room.member", {"membership": "invite"}, guest.user_id)
    pdu = mutated(invite.pdu, chance)
    pdu = _sealed_again(room, pdu) if chance.random() < 0.5 else pdu
    shown = [mutated({"type": "m.room.name", "state_key": "", "sender": "@a:b", "content": {"name": "x"}}, chance)]
    content = {"event": pdu, "room_version": "11", "invite_room_state": shown}
    content = mutated(content, chance) if chance.random() < 0.3 else content
    answer = await oni.asks(node, "PUT", path_of("v2/invite", invite.room_id, invite.event_id), content)
    assert answer.status < 500, answer


async def test_a_page_full_of_what_is_not_shown_is_not_the_end(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        await hanako.says(room.room_id, "初め")
        await oni.hears_text("初め")
        me = oni.user("oni")
        for start in range(0, 250, 50):
            rejected = [room.event(me, "m.room.topic", {"topic": f"{start + n}"}, "") for n in range(50)]
            answer = await oni.sends(node, *rejected)
            assert all("error" in item for item in answer["pdus"].values())
        await hanako.says(room.room_id, "終わり")
        page = await hanako.get(f"v3/rooms/{room.room_id}/messages", dir="b", limit="3")
        assert "end" in page.body
        assert await texts(hanako, room) == ["初め", "終わり"]


@pytest.mark.slow
async def test_a_chain_without_end_costs_little_for_each_event(tmp_path: Path) -> None:
    """Deep: each membership rests on the one before it; wide: 20 predecessors, each with a full set of authorities."""
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")
        before, started = memory_peak(), time.process_time()
        rests = [room.state[key].event_id for key in (
            ("m.room.create", ""), ("m.room.power_levels", ""), ("m.room.join_rules", ""))]
        last, ends = room.state["m.room.member", me].event_id, sorted(room.judged.heads)
        chain = []
        for number in range(CHAIN):
            event = room.event(me, "m.room.member", {"membership": "join", "displayname": f"{number}"}, me,
                               after=ends, rests_on=[*rests, last])
            room.judged.events[event.event_id] = event
            last, ends = event.event_id, [event.event_id]
            chain.append(event)
        made = time.process_time()
        for start in range(0, CHAIN, 50):
            await oni.tells_of(node, *chain[start:start + 50])
        rests_on = [*rests[:2], last]
        wide = [room.says(me, f"{number}", after=ends, rests_on=rests_on, depth=CHAIN + 20) for number in range(20)]
        await oni.tells_of(node, *wide)
        joined = room.says(me, "一つに", after=[event.event_id for event in wide], rests_on=rests_on,
                           depth=CHAIN + 30)
        at = time.process_time()
        await oni.tells_of(node, joined)
        assert time.process_time() - at < 2
        spent = time.process_time() - made
        assert spent / (CHAIN + 21) < 0.05, f"{spent:.1f} s of CPU, made in {made - started:.1f} s"
        assert memory_peak() - before < 200 * MB
        member = await hanako.get(f"v3/rooms/{room.room_id}/state/m.room.member/{me}")
        assert member["displayname"] == f"{CHAIN - 1}"


async def test_hundreds_of_forks_are_taken_and_brought_together(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me, ends = oni.user("oni"), sorted(room.judged.heads)
        rests = room.draft(me, "m.room.message", {})["auth_events"]
        forks = [room.says(me, f"{number}", after=ends, rests_on=rests) for number in range(150)]
        started = time.process_time()
        for start in range(0, len(forks), 50):
            await oni.tells_of(node, *forks[start:start + 50])
        for number in range(10):
            at = time.process_time()
            await hanako.says(room.room_id, f"まとめ{number}")
            assert time.process_time() - at < 1
        assert time.process_time() - started < 30
        live = await node.inside.services.rooms.get(room.room_id)
        assert len(live.tip.extremities) <= 20
        assert len(await texts(hanako, room)) == 160


async def test_who_sends_many_large_things_at_once_is_asked_to_wait(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        theirs = await momo.joins(node, room.room_id)
        junk = [{"edu_type": "m.nothing", "content": {"x": "y" * 60_000}}] * 60
        before = memory_peak()
        flood = [asyncio.create_task(oni.sends(node, edus=junk)) for _ in range(24)]
        await asyncio.sleep(0)
        said = theirs.says(momo.user("oni"), "私も居ます")
        assert (await momo.sends(node, said)).status == 200
        await hanako.says(room.room_id, "平気です")
        statuses = [(await answer).status for answer in flood]
        assert set(statuses) <= {200, 429}
        assert statuses.count(429) >= 5
        assert memory_peak() - before < 700 * MB  # the flood itself is made in this process, too
        intake = (await node.inside.core.late.federation.open()).intake
        assert intake.bytes_in_hand == 0
        assert (await oni.sends(node, edus=junk)).status == 200
        theirs.add(said)
        assert set(await texts(hanako, room)) == {"私も居ます", "平気です"}
        await momo.hears_text("平気です")


async def test_one_who_never_answers_holds_up_nobody_else_in_the_room(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        theirs = await momo.joins(node, room.room_id)
        never = asyncio.Event()

        def silence(_: Asked) -> Awaitable[bool]:
            return never.wait()

        for door in ("get_missing_events", "state_ids", "state", "event", "event_auth"):
            oni.tells[door] = silence
        await oni.hears(lambda pdu: pdu["sender"] == momo.user("oni"))
        gaps = [room.says(oni.user("oni"), f"{number}", after=[f"$gap{number}"]) for number in range(5)]
        stalled = asyncio.create_task(oni.sends(node, *gaps))
        while not oni.asked_for("get_missing_events"):
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            said = [theirs.put(momo.user("oni"), "m.room.message", {"msgtype": "m.text", "body": f"{number}"})
                    for number in range(3)]
            await momo.tells_of(node, *said)
            await hanako.says(room.room_id, "聞こえます")
        assert await texts(hanako, room) == ["0", "1", "2", "聞こえます"]
        never.set()
        stalled.cancel()


async def test_all_that_want_a_lock_get_it_in_turn() -> None:
    locks, got = KeyedLocks(), list[int]()

    async def wants(number: int) -> None:
        async with locks.hold("room"):
            await asyncio.sleep(0)
            got.append(number)

    await asyncio.gather(*(wants(number) for number in range(200)))
    assert got == list(range(200))


@pytest.mark.slow
async def test_what_goes_another_way_gets_in_while_everybody_speaks(tmp_path: Path) -> None:
    """An event beside the tip has to be judged anew whenever somebody has spoken; it must get its turn all the same."""
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me, ends = oni.user("oni"), sorted(room.judged.heads)
        rests = room.draft(me, "m.room.message", {})["auth_events"]
        beside = [room.says(me, f"横から{number}", after=ends, rests_on=rests) for number in range(10)]
        done = asyncio.Event()

        async def chats() -> None:
            while not done.is_set():
                await hanako.says(room.room_id, "おしゃべり")

        chatting = [asyncio.create_task(chats()) for _ in range(20)]
        await asyncio.sleep(0.1)
        longest = 0.0
        for event in beside:
            at = time.perf_counter()
            await oni.tells_of(node, event)
            longest = max(longest, time.perf_counter() - at)
        done.set()
        await asyncio.gather(*chatting)
        assert longest < 5
        found = await texts(hanako, room)
        assert [text for text in found if text.startswith("横から")] == [f"横から{number}" for number in range(10)]


async def test_letters_without_end_come_in_portions_and_are_not_kept_for_ever(tmp_path: Path) -> None:
    # What a server may leave here grows again with time; here none passes.
    async with meeting(tmp_path, clock=FakeClock(SystemClock().now_ms())) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        me = oni.user("oni")

        def letters(start: int) -> list[Json]:
            return [{"edu_type": "m.direct_to_device", "content": {
                "sender": me, "type": "m.x", "message_id": f"{number}",
                "messages": {hanako.user_id: {hanako.device_id: {"n": number}}},
            }} for number in range(start, start + 100)]

        for start in range(0, 500, 100):
            assert (await oni.sends(node, edus=letters(start))).status == 200
        since: str | None = None
        got: list[int] = []
        for _ in range(7):
            news = await hanako.syncs(since)
            part = news.body.get("to_device", {}).get("events", [])
            assert len(part) <= 100
            got += [event["content"]["n"] for event in part]
            since = news.token
        assert got == list(range(500))
        assert not (await hanako.syncs(since)).body.get("to_device", {}).get("events")
        # And there is an end to what one server may leave lying here.
        devices: Json = {f"D{number}": {} for number in range(999)} | {hanako.device_id: {"n": -1}}
        many = [{"edu_type": "m.direct_to_device", "content": {
            "sender": me, "type": "m.x", "message_id": f"many{number}", "messages": {hanako.user_id: devices},
        }} for number in range(100)]
        assert (await oni.sends(node, edus=many)).status == 200
        assert (await oni.sends(node, edus=letters(600))).status == 200
        news = await hanako.syncs(since)
        assert [event["content"]["n"] for event in news.body["to_device"]["events"]] == [-1] * 10
        await everything_works(node, hanako, oni, room)
