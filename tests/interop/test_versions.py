"""Room versions: old ones as far as joining and speaking, those of today in all that differs between them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.interop.sides import (
    Ours,
    Side,
    Theirs,
    all_events,
    has_heard,
    joins,
    sees_member,
    sees_state,
    state_of,
    until,
)

TODAY = ("10", "11", "12")


@pytest.mark.parametrize("version", ["3", "4", "5", "6", "7", "8", "9"])
async def test_an_old_room_is_joined_and_both_speak(ours: Ours, theirs: Theirs, version: str) -> None:
    """Only rooms of others are so old; we make none."""
    hanako, taro = await theirs.user("hanako"), await ours.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
    said = await hanako.says(room, "どうぞ")
    await joins(taro, room, theirs)
    await sees_member(hanako, room, taro, "join")
    mine = await taro.says(room, "はい、います")
    await has_heard(hanako, room, mine)
    await has_heard(taro, room, await hanako.says(room, "よかった"))
    assert (await taro.redacts(room, quote(mine, safe=""))).status == 200
    assert said in {event["event_id"] for event in await all_events(taro, room)}
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    users = {**levels["users"], taro.user_id: 100}
    assert (await hanako.sets(room, "m.room.power_levels", {**levels, "users": users})).status == 200
    await sees_state(taro, room, "m.room.power_levels", users=users)
    assert (await taro.sets(room, "m.room.topic", {"topic": "お祭り"})).status == 200
    await sees_state(hanako, room, "m.room.topic", topic="お祭り")
    assert (await taro.post(f"v3/rooms/{room}/kick", {"user_id": hanako.user_id})).status == 403
    assert await state_of(hanako, room) == await state_of(taro, room)


@pytest.mark.parametrize("version", TODAY)
async def test_whoever_has_the_level_for_it_sets_what_needs_it(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
    await joins(taro, room, here)
    assert (await taro.sets(room, "m.room.topic", {"topic": "私のもの"})).refusal == (403, "M_FORBIDDEN")
    levels = (await hanako.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert (hanako.user_id in levels.get("users", {})) == (version != "12")
    higher = {**levels, "users": {**levels.get("users", {}), taro.user_id: 60}}
    assert (await hanako.sets(room, "m.room.power_levels", higher)).status == 200
    await sees_state(taro, room, "m.room.power_levels", users=higher["users"])
    assert (await taro.sets(room, "m.room.topic", {"topic": "お祭り"})).status == 200
    await sees_state(hanako, room, "m.room.topic", topic="お祭り")
    for refused in ({**higher, "users": {**higher["users"], taro.user_id: 61}}, {**higher, "ban": 70}):
        assert (await taro.sets(room, "m.room.power_levels", refused)).refusal == (403, "M_FORBIDDEN")
    lower = {**higher, "users": {**higher["users"], taro.user_id: 10}}
    assert (await hanako.sets(room, "m.room.power_levels", lower)).status == 200
    await sees_state(taro, room, "m.room.power_levels", users=lower["users"])
    assert (await taro.sets(room, "m.room.topic", {"topic": "まだ私の"})).status == 403
    assert await state_of(hanako, room) == await state_of(taro, room)


async def test_one_of_two_creators_lives_on_the_other_server(here: Side, there: Side) -> None:
    hanako, taro, jiro = await here.user("hanako"), await there.user("taro"), await there.user("jiro")
    more = {"additional_creators": [taro.user_id]}
    room = await hanako.creates_room(preset="public_chat", room_version="12", creation_content=more)
    for person in (taro, jiro):
        await joins(person, room, here)
    assert ":" not in room
    levels = (await taro.get(f"v3/rooms/{room}/state/m.room.power_levels")).body
    assert (await taro.sets(room, "m.room.power_levels", {**levels, "state_default": 100})).status == 200
    await sees_state(hanako, room, "m.room.power_levels", state_default=100)
    assert (await jiro.sets(room, "m.room.topic", {"topic": "だめ"})).status == 403
    assert (await taro.post(f"v3/rooms/{room}/kick", {"user_id": jiro.user_id})).status == 200
    await sees_member(hanako, room, jiro, "leave")
    named = {**levels, "users": {hanako.user_id: 100}}
    assert (await taro.sets(room, "m.room.power_levels", named)).status in (400, 403)
    assert await state_of(hanako, room) == await state_of(taro, room)


@pytest.mark.parametrize("version", TODAY)
async def test_members_of_a_space_join_and_others_knock(here: Side, there: Side, version: str) -> None:
    hanako, taro, jiro = await here.user("hanako"), await there.user("taro"), await there.user("jiro")
    space = await hanako.creates_room(
        preset="public_chat", creation_content={"type": "m.space"}, room_version=version
    )
    allow = {"join_rule": "knock_restricted", "allow": [{"type": "m.room_membership", "room_id": space}]}
    rules = [{"type": "m.room.join_rules", "state_key": "", "content": allow}]
    room = await hanako.creates_room(initial_state=rules, room_version=version, name="役員会")
    await joins(taro, space, here)
    await sees_member(hanako, space, taro, "join")
    await joins(taro, room, here)
    await sees_member(hanako, room, taro, "join")
    assert (await jiro.post(f"v3/join/{room}", via=here.name)).status == 403
    assert (await jiro.post(f"v3/knock/{room}", {"reason": "入れて"}, via=here.name)).status == 200
    await sees_member(taro, room, jiro, "knock")
    await hanako.invites(jiro, room)
    await sees_member(taro, room, jiro, "invite")
    await joins(jiro, room, here)
    await has_heard(taro, room, await jiro.says(room, "入りました"))


@pytest.mark.parametrize("version", TODAY)
async def test_every_letter_arrives(here: Side, there: Side, version: str) -> None:
    """Both write down and hash the same bytes, whatever is said."""
    hanako, taro = await here.user("hanako"), await there.user("taro")
    room = await hanako.creates_room(preset="public_chat", room_version=version)
    await joins(taro, room, here)
    odd = {
        "msgtype": "m.text",
        "body": "髙橋さん👨‍👩‍👧‍👦 \\ '/' \u0000\u0001\u001f\u007f\u0080\u2028\ufeff\ufffd e\u0301 é",
        "": '"', "\ufffd": 1, "𠮟": 2, "a": {"b": [[], {}, None, True, False, -0, 9007199254740991, -9007199254740991]},
        "long": "あ" * 18_000, "B": 1, "A": 2,
    }
    for speaker, listener in ((hanako, taro), (taro, hanako)):
        event_id = str((await speaker.sends(room, "m.room.message", odd))["event_id"])
        assert (await has_heard(listener, room, event_id))["content"] == odd
        state = {"key": "値", "number": 5}
        key = f"鍵/ {speaker.user_id[1:3]}%2F?#"
        assert (await hanako.sets(room, "jp.kairan.test", state, key)).status == 200
        await sees_state(taro, room, "jp.kairan.test", key, **state)
    for content in ({"body": 0.5}, {"body": 2**53}):
        assert (await taro.sends(room, "m.room.message", content)).status == 400
        assert (await hanako.sends(room, "m.room.message", content)).status == 400
    too_much = {"body": "あ" * 25_000}
    assert (await taro.sends(room, "m.room.message", too_much)).status in (400, 413)


@pytest.mark.parametrize("version", TODAY)
async def test_a_name_of_the_room_leads_to_it(here: Side, there: Side, version: str) -> None:
    hanako, taro = await here.user("hanako"), await there.user("taro")
    local = f"{version}-{hanako.user_id[1:].partition(':')[0]}"
    room = await hanako.creates_room(preset="public_chat", room_alias_name=local, room_version=version)
    alias = quote(f"#{local}:{here.name}", safe="")

    async def summary() -> bool | None:
        told = await taro.get(f"v1/room_summary/{alias}", via=here.name)
        return True if told.status == 200 and told["room_id"] == room else None

    await until(taro, summary)
    await joins(taro, f"#{local}:{here.name}")
    await sees_member(hanako, room, taro, "join")
