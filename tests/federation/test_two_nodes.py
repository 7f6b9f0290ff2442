"""Two nodes, people on both, one room."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Person
from tests.federation.town import town


async def wait_for(person: Person, room: str, text: str) -> None:
    """Sync until a message is there."""
    since = None
    for _ in range(20):
        news = await person.syncs(since, timeout=2000)
        if text in news.texts(room):
            return
        since = news.token
    raise AssertionError(f"{text} has not come")


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_somebody_of_another_server_joins_and_both_speak(version: str, tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(preset="public_chat", name="広場", room_version=version)
        await hanako.says(room, "だれかいますか")

        joined = await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)
        assert joined.status == 200, joined
        await taro.says(room, "はい、います")

        await wait_for(hanako, room, "はい、います")
        await hanako.says(room, "よかった")
        await wait_for(taro, room, "よかった")
        state: Any = (await taro.get(f"v3/rooms/{room}/state/m.room.name")).body
        assert state == {"name": "広場"}


async def test_an_invitation_crosses_the_border(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(name="役員会")
        answer = await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})
        assert answer.status == 200, answer

        news = await taro.syncs()
        shown = {event["type"]: event["content"] for event in news.room(room, "invite")["invite_state"]["events"]}
        assert shown["m.room.name"] == {"name": "役員会"}
        assert (await taro.post(f"v3/join/{room}")).status == 200
        await taro.says(room, "参加しました")
        await wait_for(hanako, room, "参加しました")


async def test_an_invitation_is_declined(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(name="役員会")
        assert (await hanako.post(f"v3/rooms/{room}/invite", {"user_id": taro.user_id})).status == 200
        before = await taro.syncs()

        assert (await taro.post(f"v3/rooms/{room}/leave")).status == 200
        assert room in (await taro.syncs(before.token)).rooms("leave")
        assert room not in (await taro.syncs()).rooms("invite")
        member = await hanako.get(f"v3/rooms/{room}/state/m.room.member/{taro.user_id}")
        assert member["membership"] == "leave"


async def test_nobody_joins_a_room_that_is_closed_to_them(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room()
        refused = await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)
        assert refused.refusal == (403, "M_FORBIDDEN")
        assert room not in (await taro.get("v3/joined_rooms"))["joined_rooms"]


async def test_the_past_of_a_room_comes_when_somebody_looks_back(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        room = await hanako.creates_room(preset="public_chat", name="広場")
        for number in range(130):
            await hanako.says(room, f"第{number}号")
        assert (await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)).status == 200

        texts: list[str] = []
        start: str | None = None
        for _ in range(30):
            on = {"from": start} if start else {}
            page = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="20", **on)
            texts += [event["content"]["body"] for event in page["chunk"] if event["type"] == "m.room.message"]
            start = page.body.get("end")
            if start is None:
                break
        assert texts == [f"第{number}号" for number in reversed(range(130))]


async def test_what_was_said_before_one_came_stays_hidden_where_the_room_wants_it_so(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako, taro = await sakura.user("hanako"), await ume.user("taro")
        hidden = [{"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "joined"}}]
        room = await hanako.creates_room(preset="public_chat", initial_state=hidden)
        await hanako.says(room, "内緒の話")
        assert (await taro.post(f"v3/join/{room}", via=sakura.settings.server_name)).status == 200

        page = await taro.get(f"v3/rooms/{room}/messages", dir="b", limit="50")
        assert "内緒の話" not in str(page.body)


async def test_two_neighbours_come_into_a_far_room_at_once(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako = await sakura.user("hanako")
        taro, jiro = await ume.users("taro", "jiro")
        room = await hanako.creates_room(preset="public_chat")
        via = sakura.settings.server_name
        answers = await asyncio.gather(*(each.post(f"v3/join/{room}", via=via) for each in (taro, jiro)))
        assert [answer.status for answer in answers] == [200, 200]

        for person in (hanako, taro, jiro):
            news = await person.syncs(timeout=1000)
            while len((await person.get(f"v3/rooms/{room}/joined_members"))["joined"]) < 3:
                news = await person.syncs(news.token, timeout=2000)


async def test_a_room_that_only_far_officers_open_is_entered_through_them(tmp_path: Path) -> None:
    async with town(tmp_path, "sakura", "ume") as (sakura, ume):
        hanako = await sakura.user("hanako")
        taro, jiro = await ume.users("taro", "jiro")
        club = await hanako.creates_room(preset="public_chat", name="会員")
        rule = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": club}]}
        wishes = [{"type": "m.room.join_rules", "state_key": "", "content": rule}]
        room = await hanako.creates_room(
            name="会員の部屋", initial_state=wishes, power_level_content_override={"invite": 50}
        )
        via = sakura.settings.server_name
        for person in (taro, jiro):
            assert (await person.post(f"v3/join/{club}", via=via)).status == 200
            await person.says(club, f"{person.user_id}です")
            await wait_for(hanako, club, f"{person.user_id}です")
            joined = await person.post(f"v3/join/{room}", via=via)
            assert joined.status == 200, joined
        await jiro.says(room, "入れました")
        await wait_for(taro, room, "入れました")
        await wait_for(hanako, room, "入れました")
