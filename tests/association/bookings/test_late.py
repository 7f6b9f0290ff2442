"""Daily life comes late: a node that has nothing to book loads nothing of it, and misses nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from server.association.bookings.model import Facility
from server.rooms.send_event import Draft
from tests.web.site import CHAIR, Site, site

HANAKO = "佐藤 花子"


async def said(here: Site, name: str) -> list[str]:
    room_id = here.node.association.members.desk_room_of(here.person(name).id)
    room = await here.node.services.rooms.get(str(room_id))
    return [str(item.event.content["body"]) for item in room.timeline if item.event.type == "m.room.message"]


async def writes(here: Site, name: str, text: str) -> str:
    """Somebody writes in their 窓口; answers what the node says."""
    room_id = str(here.node.association.members.desk_room_of(here.person(name).id))
    before = len(await said(here, name))
    content = {"msgtype": "m.text", "body": text}
    await here.node.services.sender.send(Draft(room_id, here.user(name), "m.room.message", content))
    for _ in range(500):
        lines = await said(here, name)
        if len(lines) > before + 1:
            return lines[-1]
        await asyncio.sleep(0.01)
    raise AssertionError("there was no answer")


async def test_the_first_request_is_answered_though_nothing_was_loaded(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert "いま予約できるものはありません" in await writes(here, HANAKO, "予約")
        bookings = here.node.association.daily_life.bookings
        await bookings.put_facility(here.user(CHAIR), Facility("", "集会所"))
        assert "・集会所" in await writes(here, HANAKO, "予約")


def test_a_node_starts_without_it() -> None:
    code = ("import sys, server.assembly\n"
            "print([name for name in sys.modules if name.startswith(('server.association.bookings.a', "
            "'server.association.garbage', 'server.association.duties', 'server.assembly.daily_f'))])")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "['server.association.bookings.asking']"
