"""A node that starts: what others hear of it, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import assembly
from server.rooms.send_event import Draft
from tests.builders import RunningNode, settings_for
from tests.federation import town
from tests.federation.stranger import Stranger, meeting
from tests.federation.test_transactions import a_room_of_both
from tests.federation.town import FEDERATION, FarNode


async def _names_of_transactions(folder: Path, oni: Stranger) -> list[str]:
    """Of a new node that says one thing in a room with ``oni``."""
    oni.asked.clear()
    far = FarNode(folder)
    await far.start()
    try:
        identity = far.node.inside.services.sender.identity
        oni.known[identity.server_name] = identity.key
        hanako, room = await a_room_of_both(far.node, oni)
        await hanako.says(room.room_id, "はじめまして")
        await oni.hears_text("はじめまして")
    finally:
        await far.stop()
    return [asked.names[0] for asked in oni.asked_for("send") if asked.content["pdus"]]


async def test_a_node_that_is_set_up_anew_under_its_old_name_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others remember for long which transactions they have had."""
    oni, port = Stranger(), town.free_port()
    await oni.start()
    monkeypatch.setattr(town, "free_port", lambda: port)
    try:
        first = await _names_of_transactions(tmp_path / "first", oni)
        second = await _names_of_transactions(tmp_path / "second", oni)
    finally:
        await oni.stop()
    assert first
    assert second
    assert not set(first) & set(second)


async def test_nothing_goes_out_before_the_node_is_listening(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        hanako, room = await a_room_of_both(node, oni)
        await oni.stop()
        await hanako.says(room.room_id, "聞こえますか")
        name = node.settings.server_name
        await node.__aexit__()
        await oni.start()
        oni.asked.clear()
        folder = tmp_path / "node"
        async with assembly.build(settings_for(folder, server_name=name, more=FEDERATION)) as built:
            later = await built.services.sender.send(_said(room.room_id, hanako.user_id))
            assert later is not None
            assert built.core.late.federation is not None
            assert not built.core.late.federation.is_open
        assert not oni.asked
        again = RunningNode(settings_for(folder, server_name=name, more=FEDERATION))
        async with again:
            await oni.hears_text("聞こえますか")
            await oni.hears_text("まだ誰にも聞こえない")
        await node.__aenter__()


def _said(room_id: str, user_id: str) -> Draft:
    return Draft(room_id, user_id, "m.room.message", {"msgtype": "m.text", "body": "まだ誰にも聞こえない"})
