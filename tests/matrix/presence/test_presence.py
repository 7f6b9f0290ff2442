"""Who is there, and who hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Json, Person, RunningNode, Sync, settings_for
from tests.fakes.clock import FakeClock


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def still(tmp_path: Path, clock: FakeClock) -> AsyncIterator[RunningNode]:
    """A node whose time only the test moves."""
    async with RunningNode(settings_for(tmp_path), clock) as running:
        yield running


def told(answer: Sync) -> dict[str, Json]:
    """The presence in an answer, by user."""
    return {event["sender"]: event["content"] for event in answer.body.get("presence", {}).get("events", [])}


async def sets(person: Person, state: str, message: str | None = None) -> None:
    body = {"presence": state, **({"status_msg": message} if message is not None else {})}
    assert (await person.put(f"v3/presence/{person.user_id}/status", body)).status == 200


async def status(person: Person, of: Person) -> Any:
    return (await person.get(f"v3/presence/{of.user_id}/status")).body


async def neighbours(node: RunningNode) -> tuple[Person, Person, str]:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    await taro.joins(room)
    return hanako, taro, room


async def hears(person: Person, of: Person, since: str, **wanted: Any) -> Sync:
    """Sync until there is news of somebody."""
    for _ in range(20):
        answer = await person.syncs(since, timeout=2_000)
        content = told(answer).get(of.user_id, {})
        if content and all(content.get(name) == value for name, value in wanted.items()):
            return answer
        since = answer.token
    raise AssertionError(f"nothing of {of.user_id}")


async def test_a_status_is_set_and_read_by_those_who_share_a_room(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    assert await status(hanako, hanako) == {"presence": "offline"}
    assert await status(taro, hanako) == {"presence": "offline"}
    await sets(hanako, "online", "畑")
    found = await status(taro, hanako)
    assert (found["presence"], found["status_msg"], found["currently_active"]) == ("online", "畑", True)
    assert 0 <= found["last_active_ago"] < 60_000
    await sets(hanako, "unavailable")
    found = await status(taro, hanako)
    assert (found["presence"], found.get("status_msg"), found["currently_active"]) == ("unavailable", None, False)


async def test_strangers_do_not_see_a_status(node: RunningNode) -> None:
    hanako, _taro, room = await neighbours(node)
    jiro = await node.user("jiro")
    await sets(hanako, "online")
    path = f"v3/presence/{hanako.user_id}/status"
    assert (await jiro.get(path)).refusal == (403, "M_FORBIDDEN")
    assert (await jiro.get("v3/presence/@nobody:sakura.example/status")).refusal == (404, "M_NOT_FOUND")
    assert (await jiro.get("v3/presence/nobody/status")).status == 400
    await jiro.joins(room)
    assert (await jiro.get(path)).status == 200
    await jiro.leaves(room)
    assert (await jiro.get(path)).refusal == (403, "M_FORBIDDEN")


async def test_what_is_no_status_is_refused(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    path = f"v3/presence/{hanako.user_id}/status"
    assert (await taro.put(path, {"presence": "online"})).refusal == (403, "M_FORBIDDEN")
    assert (await hanako.put(path, {"presence": "busy"})).refusal == (400, "M_INVALID_PARAM")
    assert (await hanako.put(path, {})).refusal == (400, "M_MISSING_PARAM")
    assert (await hanako.put(path, {"presence": "online", "status_msg": 5})).refusal == (400, "M_BAD_JSON")
    assert (await hanako.put(path, {"presence": "online", "status_msg": "x" * 257})).status == 400
    assert (await hanako.get("v3/sync", set_presence="busy")).refusal == (400, "M_INVALID_PARAM")
    assert await status(taro, hanako) == {"presence": "offline"}


async def test_the_first_answer_tells_of_oneself_and_of_those_who_are_there(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    assert told(await hanako.syncs())[hanako.user_id]["presence"] == "online"
    await sets(hanako, "online", "畑")
    await hears(taro, hanako, (await taro.syncs(set_presence="offline")).token, status_msg="畑")
    again = told(await taro.syncs(set_presence="offline"))
    assert again[hanako.user_id]["status_msg"] == "畑"
    assert again[taro.user_id]["presence"] in ("online", "offline")


async def test_a_change_wakes_the_members_of_a_room(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    since = (await hanako.syncs(set_presence="offline")).token
    for state in ("online", "unavailable", "offline"):
        waiting = asyncio.ensure_future(hears(hanako, taro, since, presence=state))
        await sets(taro, state, "x")
        since = (await asyncio.wait_for(waiting, 20)).token


async def test_a_change_by_hand_is_told_to_oneself(node: RunningNode) -> None:
    hanako, _taro, _room = await neighbours(node)
    since = (await hanako.syncs()).token
    await sets(hanako, "online", "畑")
    assert told(await hears(hanako, hanako, since))[hanako.user_id]["status_msg"] == "畑"


@pytest.mark.parametrize("wish", ["online", "unavailable"])
async def test_syncing_is_presence(node: RunningNode, wish: str) -> None:
    hanako, taro, _room = await neighbours(node)
    since = (await hanako.syncs(set_presence="offline")).token
    await taro.syncs(set_presence=wish)
    await hears(hanako, taro, since, presence=wish)


async def test_who_does_not_want_to_be_seen_is_not_seen(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    since = (await hanako.syncs(set_presence="offline")).token
    await taro.syncs(set_presence="offline")
    assert await status(hanako, taro) == {"presence": "offline"}
    assert taro.user_id not in told(await hanako.syncs(since, timeout=50))


async def test_newcomers_are_told_of_and_told_to(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    since = (await hanako.syncs()).token
    await sets(taro, "online", "新入り")
    first = await taro.syncs(set_presence="unavailable")
    assert hanako.user_id not in told(first)
    assert taro.user_id not in told(await hanako.syncs(since))
    await taro.joins(room)
    answer = await hanako.syncs(since, timeout=20_000)
    assert taro.user_id in told(answer)
    assert told(await taro.syncs(first.token))[hanako.user_id]["presence"] == "online"


async def test_who_has_left_is_told_of_no_more(node: RunningNode) -> None:
    hanako, taro, room = await neighbours(node)
    await taro.syncs()
    await hanako.syncs()
    await taro.leaves(room)
    since = (await hanako.syncs()).token
    await sets(taro, "online", "gone")
    await sets(hanako, "online", "here")
    answer = await hears(hanako, hanako, since, status_msg="here")
    assert taro.user_id not in told(answer)
    assert taro.user_id not in told(await hanako.syncs())


async def test_a_filter_takes_presence_out(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    await sets(taro, "online", "x")
    unwanted: Json
    for unwanted in ({"not_types": ["m.presence"]}, {"types": []}, {"types": ["m.other"]}):
        assert told(await hanako.syncs(wanted={"presence": unwanted})) == {}
    since = (await hanako.syncs()).token
    await sets(taro, "online", "y")
    await hears(hanako, taro, since, status_msg="y")
    assert taro.user_id not in told(await hanako.syncs(wanted={"presence": {"not_senders": [taro.user_id]}}))
    assert set(told(await hanako.syncs(wanted={"presence": {"senders": [taro.user_id]}}))) == {taro.user_id}


async def test_ignored_people_are_not_told_of(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    content: Json = {"ignored_users": {taro.user_id: {}}}
    await hanako.put(f"v3/user/{hanako.user_id}/account_data/m.ignored_user_list", content)
    await sets(taro, "online", "x")
    assert taro.user_id not in told(await hanako.syncs())


async def test_who_does_nothing_becomes_unavailable_and_is_back_with_the_next_word(
    still: RunningNode, clock: FakeClock
) -> None:
    hanako, taro, room = await neighbours(still)
    waiting = [asyncio.ensure_future(person.syncs(timeout=120_000)) for person in (hanako, taro)]
    since = [(await task).token for task in waiting]
    for _ in range(16):
        polls = [asyncio.ensure_future(hanako.syncs(since[0], timeout=20_000)),
                 asyncio.ensure_future(taro.syncs(since[1], timeout=20_000))]
        await _settle()
        await clock.advance(21)
        since = [(await poll).token for poll in polls]
    assert (await status(hanako, taro))["presence"] == "unavailable"
    await taro.says(room, "まだいます")
    assert (await status(hanako, taro))["presence"] == "online"
    assert (await status(hanako, taro))["currently_active"] is True


async def test_who_stops_syncing_is_gone_after_a_while(still: RunningNode, clock: FakeClock) -> None:
    hanako, taro, _room = await neighbours(still)
    since = (await hanako.syncs()).token
    await taro.syncs()
    await clock.advance(20)
    assert (await status(hanako, taro))["presence"] == "online"
    await clock.advance(30)
    assert (await status(hanako, taro))["presence"] == "offline"
    await clock.advance(5)
    assert told(await hanako.syncs(since))[taro.user_id]["presence"] == "offline"


async def test_of_several_devices_the_most_present_counts(node: RunningNode) -> None:
    hanako, taro, _room = await neighbours(node)
    phone = await node.user("taro")
    await phone.syncs(set_presence="online")
    await taro.syncs(set_presence="unavailable")
    assert (await status(hanako, taro))["presence"] == "online"


@pytest.mark.parametrize("toml", ["[presence]\nenabled = false", "[presence]\nlargest_room = 2"])
async def test_presence_may_be_off_or_kept_out_of_large_rooms(tmp_path: Path, toml: str) -> None:
    async with RunningNode(settings_for(tmp_path, more=toml)) as node:
        hanako, taro, room = await neighbours(node)
        jiro = await node.user("jiro")
        await jiro.joins(room)
        since = (await hanako.syncs()).token
        await sets(taro, "online", "x")
        await taro.syncs()
        assert taro.user_id not in told(await hanako.syncs(since, timeout=50))
        assert taro.user_id not in told(await hanako.syncs())


async def test_a_room_that_grows_large_carries_no_presence_any_more(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more="[presence]\nlargest_room = 2")) as node:
        hanako, taro, room = await neighbours(node)
        await sets(taro, "online", "x")
        since = (await hanako.syncs()).token
        await sets(taro, "online", "y")
        await hears(hanako, taro, since, status_msg="y")
        await (await node.user("jiro")).joins(room)
        assert taro.user_id not in told(await hanako.syncs())


async def test_a_token_of_an_earlier_time_still_serves(node: RunningNode) -> None:
    hanako, taro, room = await neighbours(node)
    since = (await hanako.syncs()).token
    await node.restart()
    await taro.says(room, "x")
    await taro.syncs()
    answer = await hears(hanako, taro, since)
    assert answer.texts(room) == ["x"]
    stream, typing, _presence = since.split("_")
    assert (await hanako.syncs(f"{stream}_{typing}")).texts(room) == ["x"]


async def _settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0.0005)


async def test_of_newcomers_one_hears_even_if_they_were_never_there(node: RunningNode) -> None:
    hanako, taro = await node.users("hanako", "taro")
    room = await hanako.creates_room(preset="public_chat")
    since = (await hanako.syncs()).token
    await taro.joins(room)
    assert told(await hanako.syncs(since, timeout=20_000))[taro.user_id] == {"presence": "offline"}
    assert taro.user_id not in told(await hanako.syncs())
