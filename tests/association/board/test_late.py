"""Board, groups and gallery come late: a node loads nothing of them at its start, and misses nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from server.assembly.common_pages import common_services
from server.association.board.model import Rules
from server.association.members.model import Purpose
from server.rooms.send_event import Draft
from tests.web.site import CHAIR, Site, site

HANAKO, ICHIRO = "佐藤 花子", "鈴木 一郎"


def room_of(here: Site) -> str:
    return here.node.association.members.hall_room(Purpose.BOARD)


async def say(here: Site, name: str, kind: str, content: dict[str, object], redacts: str | None = None) -> str:
    draft = Draft(room_of(here), here.user(name), kind, content, redacts=redacts)
    return (await here.node.services.sender.send(draft)).event_id


async def titles(here: Site) -> list[str]:
    page = await common_services(here.node).reader.page(here.user(CHAIR))
    return sorted(post.writing.title for post in page.posts)


async def test_what_is_said_before_anybody_looks_is_there_afterwards(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        first = await say(here, HANAKO, "m.room.message", {"msgtype": "m.text", "body": "木が たおれています"})
        await say(here, ICHIRO, "m.room.message", {"msgtype": "m.text", "body": "電気が きえています"})
    async with site(tmp_path) as here:
        await say(here, HANAKO, "m.room.redaction", {}, first)
    async with site(tmp_path) as here:
        assert await titles(here) == ["電気が きえています"]


async def test_a_leader_hears_of_a_knock_from_any_client(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        association, chair = here.node.association, here.user(CHAIR)
        group = await association.editor.add_group(chair, "囲碁の会")
        await association.editor.set_leader(chair, group.id, here.person(HANAKO).id, leads=True)
        room_id = association.members.group_room(group.id)
        assert room_id is not None
        await here.node.services.membership.knock(room_id, here.user(ICHIRO))
        desk = await here.node.services.rooms.get(str(association.members.desk_room_of(here.person(HANAKO).id)))
        for _ in range(3_000):
            if any("入りたい人がいます" in str(item.event.content) for item in desk.timeline):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the leader has heard nothing")


async def test_what_a_client_says_is_taken_back_until_an_officer_says_yes(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        moderation, chair = common_services(here.node).moderation, here.user(CHAIR)
        await moderation.set_rules(chair, Rules(approve=True))
    async with site(tmp_path) as here:
        said = await say(here, HANAKO, "m.room.message", {"msgtype": "m.text", "body": "机を ゆずります"})
        room = await here.node.services.rooms.get(room_of(here))
        for _ in range(3_000):
            if any(item.event.redacts == said for item in room.timeline):
                break
            await asyncio.sleep(0.01)
        moderation = common_services(here.node).moderation
        (item,) = await moderation.waiting(chair)
        await moderation.approve(chair, item.id)
        assert await titles(here) == ["机を ゆずります"]
        assert [entry.event.sender for entry in room.timeline if entry.event.content.get("body")] == [
            here.user(HANAKO)]


def test_a_node_starts_without_them() -> None:
    code = ("import sys, server.assembly\n"
            "print([name for name in sys.modules if name.startswith(('server.association.board', "
            "'server.association.groups', 'server.association.gallery', 'server.assembly.common_f'))])")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"
