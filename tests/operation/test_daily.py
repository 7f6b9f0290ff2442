"""``kairan daily``: what is done every night, and what officers hear of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from server import commands
from server.assembly.daily_work import daily
from server.assembly.upkeep import look_for_late_backups, note_upkeep
from server.config import load_settings
from server.operation.upkeep_store import all_upkeep
from tests.builders import Person, RunningNode
from tests.fakes.clock import FakeClock
from tests.operation.houses import house

MORE = '[backup]\nfolder = "{0}"\n'


def test_every_night_the_data_is_looked_at_and_put_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = house(tmp_path / "node", MORE.format(tmp_path / "disk"))
    (tmp_path / "disk").mkdir()
    assert commands.main(["user", "list", "--config", str(settings.data_dir / "kairan.toml")]) == 0
    assert commands.main(["daily", "--config", str(settings.data_dir / "kairan.toml")]) == 0
    told = capsys.readouterr()
    assert "The data is sound" in told.out
    assert told.err == ""
    [backup] = (tmp_path / "disk").iterdir()
    assert commands.main(["restore", str(backup), str(tmp_path / "new")]) == 0
    told = capsys.readouterr()
    assert "The old node must never start again" in told.out
    assert load_settings(tmp_path / "new/kairan.toml").backup.folder == tmp_path / "disk"
    assert commands.main(["check", "--config", str(tmp_path / "new/kairan.toml")]) == 0


def test_what_goes_wrong_is_the_exit_status_of_the_timer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = house(tmp_path / "node", MORE.format(tmp_path / "no disk"))
    assert daily(settings, settings.data_dir / "kairan.toml") == 1
    assert "plugged in" in capsys.readouterr().err


async def test_officers_hear_that_there_is_no_backup_and_that_there_is_one_again(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        officer = await _admin(node)
        resident = await node.user("jiro")
        await note_upkeep(node.inside, {"work": "backup", "trouble": ""})
        assert await _notices(officer) == [], "that all is well is no news"
        await note_upkeep(node.inside, {"work": "backup", "trouble": "There is no folder /mnt/usb for backups."})
        [told] = await _notices(officer)
        assert "バックアップ" in told
        assert "/mnt/usb" in told
        assert await _notices(resident) == []
        await note_upkeep(node.inside, {"work": "backup", "trouble": ""})
        assert "また とれるように なりました" in (await _notices(officer))[-1]
        found = (await all_upkeep(node.inside.core.database))["backup"]
        assert (found.words, found.done_ms) == ("", found.tried_ms)


async def test_officers_hear_that_the_data_is_damaged(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        officer = await _admin(node)
        await note_upkeep(node.inside, {"work": "check", "trouble": "The data is damaged: page 7"})
        [told] = await _notices(officer)
        assert "データに きずが 見つかりました" in told


async def test_officers_hear_that_no_copy_left_the_house_and_that_one_did_again(tmp_path: Path) -> None:
    async with RunningNode(house(tmp_path / "node")) as node:
        officer = await _admin(node)
        await note_upkeep(node.inside, {"work": "copy", "trouble": "sftp://nas.local/backups does not answer."})
        [told] = await _notices(officer)
        assert "べつの 場所" in told
        assert "nas.local" in told
        await note_upkeep(node.inside, {"work": "copy", "trouble": ""})
        assert "また 写せるように なりました" in (await _notices(officer))[-1]


async def test_a_timer_that_does_not_ring_is_noticed(tmp_path: Path) -> None:
    clock = FakeClock()
    async with RunningNode(house(tmp_path / "node", MORE.format(tmp_path)), clock) as node:
        officer = await _admin(node)
        await look_for_late_backups(node.inside)
        await note_upkeep(node.inside, {"work": "backup", "trouble": ""})
        await look_for_late_backups(node.inside)
        assert await _notices(officer) == []
        await clock.advance(4 * 86_400)
        await look_for_late_backups(node.inside)
        assert "4日 とれていません" in (await _notices(officer))[0]


async def test_a_running_node_hears_of_the_nightly_work(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    async with RunningNode(house(tmp_path / "node", MORE.format(tmp_path / "disk"))) as node:
        assert node.client.port is not None
        address = replace(node.settings.http.listen, port=node.client.port)
        settings = replace(node.settings, http=replace(node.settings.http, listen=address))
        assert await asyncio.to_thread(daily, settings, settings.data_dir / "kairan.toml") == 0
        assert set(await all_upkeep(node.inside.core.database)) == {"backup", "check"}


async def _admin(node: RunningNode) -> Person:
    await node.inside.accounts.create_user("chair", "a-long-password", admin=True)
    return await node.user("chair")


async def _notices(person: Person) -> list[str]:
    """What the node has told somebody."""
    news = await person.syncs()
    for room in news.rooms("invite"):
        await person.joins(room)
    news = await person.syncs()
    return [text for room in news.rooms() for text in news.texts(room)]
