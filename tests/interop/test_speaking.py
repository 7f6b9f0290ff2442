"""What people say and set in a room of two servers, and the past of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.interop.sides import (
    Side,
    all_events,
    has_heard,
    joins,
    sees_state,
    state_of,
    until,
)

VERSIONS = ("10", "11", "12")


async def test_name_topic_and_levels_are_set_on_either_side(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場")
    await joins(taro, room, here)
    assert (await taro.sets(room, "m.room.topic", {"topic": "私のもの"})).status == 403
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    users = {**levels["users"], taro.user_id: 50}
    assert (await hanako.sets(room, "m.room.power_levels", {**levels, "users": users})).status == 200
    await sees_state(taro, room, "m.room.power_levels", users=users)
    assert (await taro.sets(room, "m.room.topic", {"topic": "お祭り"})).status == 200
    await sees_state(hanako, room, "m.room.topic", topic="お祭り")
    assert (await hanako.sets(room, "m.room.name", {"name": "お祭り広場"})).status == 200
    await sees_state(taro, room, "m.room.name", name="お祭り広場")
    assert await state_of(hanako, room) == await state_of(taro, room)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_taken_back_is_blank_on_both(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", room_version=version)
    await joins(taro, room, here)
    for speaker, moderator in ((hanako, hanako), (taro, taro), (taro, hanako)):
        event_id = await speaker.says(room, "間違えました")
        for person in (hanako, taro):
            await has_heard(person, room, event_id)
        assert (await moderator.redacts(room, event_id, reason="間違い")).status == 200
        for person in (hanako, taro):
            await _is_blank(person, room, event_id)


async def _is_blank(person: Any, room: str, event_id: str) -> None:
    async def look() -> bool | None:
        event = (await person.get(f"v3/rooms/{room}/event/{quote(event_id)}")).body
        return True if event["content"] == {} and "redacted_because" in event["unsigned"] else None

    await until(person, look)


async def test_edits_reactions_and_threads_belong_together(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    said = await hanako.says(room, "十時に集合")
    await has_heard(taro, room, said)
    replaced = {"m.new_content": {"msgtype": "m.text", "body": "九時に集合"}}
    edit = await hanako.says(room, "* 九時に集合", **replaced, **_relates("m.replace", said))
    relation = _relates("m.annotation", said)
    relation["m.relates_to"]["key"] = "👍"
    reaction = str((await taro.sends(room, "m.reaction", relation))["event_id"])
    answer = await taro.says(room, "行きます", **_relates("m.thread", said))
    for person in (hanako, taro):
        for event_id in (edit, reaction, answer):
            await has_heard(person, room, event_id)
        bundled = (await person.get(f"v3/rooms/{room}/event/{quote(said)}")).body["unsigned"]["m.relations"]
        assert bundled["m.thread"]["latest_event"]["event_id"] == answer
        found = await person.get(f"v1/rooms/{room}/relations/{quote(said)}")
        assert {event["event_id"] for event in found["chunk"]} == {edit, reaction, answer}
        assert bundled["m.replace"]["event_id"] == edit


def _relates(kind: str, event_id: str) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": kind, "event_id": event_id}}


async def test_typing_and_receipts_pass(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    await joins(taro, room, here)
    said = await hanako.says(room, "読みましたか")
    await has_heard(taro, room, said)
    await taro.put(f"v3/rooms/{room}/typing/{taro.user_id}", {"typing": True, "timeout": 20_000})

    async def types() -> bool | None:
        shown = (await hanako.syncs()).ephemeral(room, "m.typing")
        return True if shown is not None and shown["user_ids"] == [taro.user_id] else None

    await until(hanako, types)
    assert (await taro.reads(room, said)).status == 200

    async def has_read() -> bool | None:
        shown = (await hanako.syncs()).ephemeral(room, "m.receipt") or {}
        return True if taro.user_id in shown.get(said, {}).get("m.read", {}) else None

    await until(hanako, has_read)


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_past_comes_when_somebody_looks_back(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
    said = [await hanako.says(room, f"第{number}号") for number in range(100)]
    await joins(taro, room, here)
    after = await hanako.says(room, "ようこそ")
    await has_heard(taro, room, after)
    found = [event["event_id"] for event in await all_events(taro, room) if event["type"] == "m.room.message"]
    assert found == [after, *reversed(said)]


async def test_the_past_stays_hidden_from_who_comes_later_where_the_room_wants_it_so(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    hidden = [{"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "joined"}}]
    room = await hanako.creates_room(preset="public_chat", initial_state=hidden)
    await hanako.says(room, "内緒の話")
    await joins(taro, room, here)
    assert "内緒の話" not in str(await all_events(taro, room))


async def test_the_event_of_a_moment_is_found_on_the_other_server(here: Side, there: Side) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat")
    first = await hanako.says(room, "最初")
    when = (await has_heard(hanako, room, first))["origin_server_ts"]
    await joins(taro, room, here)
    found = await taro.get(f"v1/rooms/{room}/timestamp_to_event", ts=str(when), dir="f")
    assert found["event_id"] == first
