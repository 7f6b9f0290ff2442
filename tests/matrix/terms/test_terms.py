"""The association's texts: at registration, on their pages, and when they change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.config import parse_settings
from server.config.people_sections import ConsentSettings
from server.foundation.settings import SettingsError
from tests.builders import PASSWORD, Answer, Person, RunningNode, settings_for

TEXT = "会員の きまり\n\nここに くわしく 書きます。\nhttps://sakura.example/kimari\n"


def write(folder: Path, version: str) -> None:
    (folder / f"privacy.{version}.ja.txt").write_text(TEXT, "utf-8")
    (folder / f"privacy.{version}.en.txt").write_text("Rules\n\nIn detail.", "utf-8")


def node_with_texts(tmp_path: Path, *, demanded: bool = False) -> RunningNode:
    folder = tmp_path / "texts"
    folder.mkdir(exist_ok=True)
    if not list(folder.iterdir()):
        write(folder, "2026-04")
    settings = settings_for(tmp_path)
    settings = replace(
        settings, consent=ConsentSettings(folder=folder, demanded=demanded),
        registration=replace(settings.registration, mode="open"),
    )
    return RunningNode(settings)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A node that asks for consent to one text, without demanding it of those who are there already."""
    async with node_with_texts(tmp_path) as running:
        yield running


async def register(node: RunningNode, **auth: Any) -> Answer:
    body: dict[str, Any] = {"username": "hana", "password": PASSWORD}
    return await node.ask("POST", "v3/register", {**body, "auth": auth} if auth else body)


async def page(node: RunningNode, path: str) -> tuple[int, str]:
    async with node.client.get(path) as answer:
        return answer.status, await answer.text()


async def test_who_makes_an_account_agrees_first(node: RunningNode) -> None:
    asked = (await register(node)).body
    assert asked["flows"] == [{"stages": ["m.login.terms"]}]
    policy = asked["params"]["m.login.terms"]["policies"]["privacy"]
    url = f"{node.settings.http.public_url}/terms/privacy/2026-04"
    assert policy == {
        "version": "2026-04", "ja": {"name": "会員の きまり", "url": f"{url}/ja"},
        "en": {"name": "Rules", "url": f"{url}/en"},
    }
    refused = await register(node, type="m.login.dummy", session=asked["session"])
    assert refused.status == 401
    assert not await node.inside.accounts.user_exists("@hana:sakura.example")
    made = await register(node, type="m.login.terms", session=asked["session"])
    (given,) = await node.inside.accounts.consents.given_by(made["user_id"])
    assert (given.policy, given.version, given.accepted_ts > 0) == ("privacy", "2026-04", True)


async def test_everybody_may_read_a_text(node: RunningNode) -> None:
    status, html = await page(node, "/terms/privacy/2026-04/ja")
    assert (status, "会員の きまり" in html, "ここに くわしく" in html) == (200, True, True)
    assert "Rules" in (await page(node, "/terms/privacy/2026-04/en"))[1]
    assert "会員の きまり" in (await page(node, "/terms"))[1]


@pytest.mark.parametrize("path", ["/terms/privacy/2025/ja", "/terms/privacy/2026-04/fr", "/terms/other/2026-04/ja"])
async def test_an_unknown_text_is_not_found(node: RunningNode, path: str) -> None:
    assert (await page(node, path))[0] == 404


async def test_without_texts_nobody_is_asked(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings = replace(settings, registration=replace(settings.registration, mode="open"))
    async with RunningNode(settings) as node:
        assert (await register(node)).body["flows"] == [{"stages": ["m.login.dummy"]}]
        assert (await page(node, "/terms"))[0] == 404


async def test_without_a_demand_old_members_go_on(node: RunningNode) -> None:
    jiro = await node.user("jiro")
    await jiro.says(await jiro.creates_room(), "hello")


async def test_who_has_not_agreed_only_reads(tmp_path: Path) -> None:
    async with node_with_texts(tmp_path, demanded=True) as node:
        jiro = await node.user("jiro")
        answer = await jiro.post("v3/createRoom", {})
        assert answer.refusal == (403, "M_CONSENT_NOT_GIVEN")
        assert answer.body["consent_uri"] == f"{node.settings.http.public_url}/terms"
        assert (await jiro.get("v3/joined_rooms"))["joined_rooms"] == []
        await jiro.syncs()
        await node.inside.accounts.accept_policies(jiro.user_id)
        await jiro.says(await jiro.creates_room(), "hello")


async def test_a_new_version_is_asked_for_again(tmp_path: Path) -> None:
    async with node_with_texts(tmp_path, demanded=True) as node:
        jiro = await node.user("jiro")
        await node.inside.accounts.accept_policies(jiro.user_id)
        room = await jiro.creates_room()
    write(tmp_path / "texts", "2027-04")
    async with node_with_texts(tmp_path, demanded=True) as node:
        again = Person(node, jiro.user_id, jiro.token, jiro.device_id)
        answer = await again.sends(room, "m.room.message", {"msgtype": "m.text", "body": "x"})
        assert answer.refusal == (403, "M_CONSENT_NOT_GIVEN")
        assert (await page(node, "/terms/privacy/2026-04/ja"))[0] == 200, "what was agreed to stays readable"
        await node.inside.accounts.accept_policies(jiro.user_id)
        await again.says(room, "x")
        given = await node.inside.accounts.consents.given_by(jiro.user_id)
        assert [item.version for item in given] == ["2026-04", "2027-04"]


@pytest.mark.parametrize(("name", "data"), [
    ("privacy.txt", b"x"), ("privacy.2026.japanese.txt", b"x"), ("privacy.2026.ja.txt", b"\xff\xfe"),
    ("privacy.2026.ja.txt", b" \n"),
])  # fmt: skip
async def test_a_file_that_is_no_text_stops_the_start(tmp_path: Path, name: str, data: bytes) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / name).write_bytes(data)
    with pytest.raises(SettingsError, match="consent"):
        async with node_with_texts(tmp_path):
            pass


def test_the_folder_is_meant_from_the_settings_and_must_be_there(tmp_path: Path) -> None:
    toml = f'server_name = "sakura.example"\n[consent]\nfolder = {json.dumps("texts")}\n'
    with pytest.raises(SettingsError, match="no folder"):
        parse_settings(toml, tmp_path)
    (tmp_path / "texts").mkdir()
    assert parse_settings(toml, tmp_path).consent.folder == tmp_path / "texts"
