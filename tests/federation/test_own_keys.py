"""Our own signing key: what is published of it, and what happens when it is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from federation.identity.published_keys import read_published
from federation.identity.servers import path_of
from server import commands
from server.foundation.clock import SystemClock
from server.foundation.signatures import OldKey, SigningKey, old_keys, rotated
from tests.builders import settings_for
from tests.federation.stranger import meeting
from tests.federation.test_transactions import a_room_of_both


def test_a_rotated_file_has_a_new_key_and_remembers_the_public_part_of_the_old_ones() -> None:
    first = SigningKey.generate()
    text = rotated(rotated(first.line(), 1_000), 2_000)
    now, (second, oldest) = SigningKey.read(text), old_keys(text)
    assert oldest == OldKey(first.key_id, first.public, 1_000)
    assert second.expired_ts == 2_000
    assert now.key_id not in (first.key_id, second.key_id)
    assert first.line().split()[2] not in text


@pytest.mark.parametrize("text", ["", "rsa 1 x", "ed25519 1 AAAA\n", "ed25519 1"])
def test_a_file_without_a_key_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SigningKey.read(text)


def test_a_second_line_that_is_no_old_key_is_a_fault() -> None:
    with pytest.raises(ValueError, match=r"."):
        old_keys(SigningKey.generate().line() * 2)


def test_the_command_changes_the_key_of_a_node_that_is_stopped(tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "kairan.toml"
    config.write_text('server_name = "sakura.example"\n')
    file = settings_for(tmp_path).signing_key_file
    before = SigningKey.read(file.read_text())
    assert commands.main(["key", "rotate", "--config", str(config)]) == 0
    assert SigningKey.read(file.read_text()).key_id != before.key_id
    assert old_keys(file.read_text())[0].key_id == before.key_id
    assert file.stat().st_mode & 0o777 == 0o600
    assert "new key" in capsys.readouterr().out


async def test_after_a_rotation_old_and_new_words_count(tmp_path: Path) -> None:
    async with meeting(tmp_path, strangers=2) as (node, oni, momo):
        hanako, room = await a_room_of_both(node, oni)
        old = node.inside.services.sender.identity.key
        said = await hanako.says(room.room_id, "前の鍵で")
        file = node.settings.signing_key_file
        file.write_text(rotated(file.read_text(), SystemClock().now_ms()))
        await node.restart()
        new = node.inside.services.sender.identity.key
        assert new.key_id != old.key_id
        told = await node.ask("GET", "/_matrix/key/v2/server")
        published = read_published(told.body, node.settings.server_name, SystemClock().now_ms())
        by_id = {key.key_id: key for key in published}
        assert by_id[new.key_id].expired_ts is None
        assert by_id[old.key_id].public == old.public
        assert by_id[old.key_id].expired_ts is not None
        await hanako.says(room.room_id, "新しい鍵で")
        fresh = await oni.hears_text("新しい鍵で")
        assert list(fresh["signatures"][node.settings.server_name]) == [new.key_id]
        momo.known[node.settings.server_name] = new
        theirs = await momo.joins(node, room.room_id)
        assert theirs.state
        event = await momo.asks(node, "GET", path_of("v1/event", said))
        assert list(event["pdus"][0]["signatures"][node.settings.server_name]) == [old.key_id]


async def test_our_own_old_words_come_back_to_us(tmp_path: Path) -> None:
    async with meeting(tmp_path) as (node, oni):
        taro = await node.user("taro")
        room = oni.creates_room()
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        await taro.leaves(room.room_id)
        await oni.hears(lambda pdu: pdu["content"].get("membership") == "leave")
        file = node.settings.signing_key_file
        file.write_text(rotated(file.read_text(), SystemClock().now_ms()))
        await node.restart()
        identity = node.inside.services.sender.identity
        room.trust(identity.server_name, identity.key)
        assert (await taro.post(f"v3/join/{room.room_id}", via=oni.name)).status == 200
        state = await taro.get(f"v3/rooms/{room.room_id}/state/m.room.member/{taro.user_id}")
        assert state["membership"] == "join"
