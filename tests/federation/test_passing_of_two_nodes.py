"""Typing, receipts and presence between people of two nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.builders import Person, Sync
from tests.federation.neighbours import neighbours, until
from tests.federation.test_two_nodes import wait_for


async def types(person: Person, room: str, is_typing: bool = True) -> None:
    assert (await person.put(f"v3/rooms/{room}/typing/{person.user_id}", {"typing": is_typing})).status == 200


def typists(room: str, wanted: list[str]) -> Any:
    def found(news: Sync) -> Sync | None:
        told = news.ephemeral(room, "m.typing")
        return news if told is not None and told["user_ids"] == wanted else None
    return found


def receipt_of(room: str, event_id: str, user_id: str) -> Any:
    def found(news: Sync) -> Any:
        told = news.ephemeral(room, "m.receipt") or {}
        return told.get(event_id, {}).get("m.read", {}).get(user_id)
    return found


def presence_of(user_id: str, **wanted: Any) -> Any:
    def found(news: Sync) -> Any:
        for event in news.body.get("presence", {}).get("events", []):
            if event["sender"] == user_id and wanted.items() <= event["content"].items():
                return event["content"]
        return None
    return found


async def test_typing_is_seen_and_ends(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, _ume, hanako, taro, room):
        await types(taro, room)
        news = await until(hanako, typists(room, [taro.user_id]))
        await types(taro, room, False)
        await until(hanako, typists(room, []), news.token)


async def test_receipts_are_seen_private_ones_are_not(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, _ume, hanako, taro, room):
        first = await hanako.says(room, "一")
        root = await hanako.says(room, "二")
        await wait_for(taro, room, "二")
        assert (await taro.reads(room, first, "m.read.private")).status == 200
        assert (await taro.reads(room, root, thread_id="main")).status == 200
        told = await until(hanako, receipt_of(room, root, taro.user_id))
        assert told["thread_id"] == "main"
        assert "m.read.private" not in str((await hanako.syncs()).body)
        # A second one of the same person in another thread does not replace it.
        assert (await taro.reads(room, root)).status == 200
        await until(hanako, lambda news: receipt_of(room, root, taro.user_id)(news).keys() == {"ts"} or None
                    if receipt_of(room, root, taro.user_id)(news) else None)


async def test_presence_is_seen(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, _ume, hanako, taro, _room):
        told = {"presence": "unavailable", "status_msg": "会議中"}
        assert (await taro.put(f"v3/presence/{taro.user_id}/status", told)).status == 200
        await until(hanako, presence_of(taro.user_id, **told))
        assert (await hanako.get(f"v3/presence/{taro.user_id}/status"))["status_msg"] == "会議中"
        told = {"presence": "online", "status_msg": "はい"}
        assert (await taro.put(f"v3/presence/{taro.user_id}/status", told)).status == 200
        await until(hanako, presence_of(taro.user_id, **told))


async def test_who_comes_hears_who_is_there(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (sakura, ume, hanako, _taro, _room):
        jiro = await ume.node.user("jiro")
        told = {"presence": "online", "status_msg": "庭にいます"}
        assert (await hanako.put(f"v3/presence/{hanako.user_id}/status", told)).status == 200
        await until(hanako, presence_of(hanako.user_id, **told))
        chat = await hanako.creates_room(preset="trusted_private_chat", is_direct=True, invite=[jiro.user_id])
        assert (await jiro.post(f"v3/join/{chat}", via=sakura.name)).status == 200
        await until(jiro, presence_of(hanako.user_id, **told))


async def test_servers_that_are_shut_out_hear_nothing_and_are_not_heard(tmp_path: Path) -> None:
    async with neighbours(tmp_path) as (_, _ume, hanako, taro, room):
        said = await hanako.says(room, "一")
        await wait_for(taro, room, "一")
        open_room = await hanako.creates_room(preset="public_chat")
        assert (await taro.post(f"v3/join/{open_room}", via=hanako.node.settings.server_name)).status == 200
        await until(hanako, lambda news: taro.user_id in str(news.body) or None)
        since_of_taro = (await taro.syncs()).token
        # The port is not looked at, and both live at one address: only what one does to the other can be tried here.
        shut = {"allow": ["*"], "deny": [], "allow_ip_literals": False}
        inside = hanako.node.inside.services.rooms
        live = await inside.get(room)
        await hanako.sets(room, "m.room.server_acl", {**shut, "allow_ip_literals": True})
        live.state["m.room.server_acl", ""].content = shut
        since = (await hanako.syncs()).token

        await types(hanako, room)
        await types(hanako, open_room)
        await types(taro, room)
        assert (await taro.reads(room, said)).status == 200
        await types(taro, open_room)
        news = await until(hanako, typists(open_room, sorted([hanako.user_id, taro.user_id])), since)
        assert taro.user_id not in str(news.ephemeral(room, "m.typing"))
        assert taro.user_id not in str((await hanako.syncs()).ephemeral(room, "m.receipt"))
        news = await until(taro, typists(open_room, sorted([hanako.user_id, taro.user_id])), since_of_taro)
        assert hanako.user_id not in str(news.ephemeral(room, "m.typing"))
