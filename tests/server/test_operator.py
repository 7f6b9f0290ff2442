"""The operator's command line, on a node that is running and on one that is not."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from server import commands
from server.assembly import build
from server.assembly.operator import DOOR, opened, seal
from server.assembly.people import add_user, change_password, deactivate_user, hold_user, invite, list_users, make_token
from server.config import Settings
from server.foundation.errors import Forbidden, Refused
from server.foundation.folder_lock import FolderInUse, folder_lock
from server.foundation.settings import Address
from tests.builders import Answer, RunningNode, settings_for

SEED = bytes(32)


def test_an_account_is_made_on_a_resting_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)

    assert add_user(settings, "taro", "a-long-password") == 0
    assert list_users(settings) == 0

    assert "@taro:sakura.example" in capsys.readouterr().out.splitlines()


def test_a_closed_account_is_shown_as_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)
    add_user(settings, "taro", "a-long-password")

    deactivate_user(settings, "taro")
    list_users(settings)

    assert "@taro:sakura.example (closed)" in capsys.readouterr().out.splitlines()


def test_an_account_is_locked_and_suspended_and_set_free(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(tmp_path)
    add_user(settings, "taro", "a-long-password")

    hold_user(settings, "taro", "locked", on=True)
    hold_user(settings, "taro", "suspended", on=True)
    list_users(settings)
    hold_user(settings, "taro", "locked", on=False)
    list_users(settings)

    lines = capsys.readouterr().out.splitlines()
    assert "@taro:sakura.example (locked) (suspended)" in lines
    assert "@taro:sakura.example (suspended)" in lines


def test_whoever_is_erased_is_on_no_roster_and_in_no_table(tmp_path: Path) -> None:
    async def settle() -> str:
        async with build(settings) as node:
            association = node.association
            chief = association.members.node_user_id
            block = await association.editor.add_block(chief, "1班")
            home = await association.editor.add_household(chief, block.id, "伊集院")
            person = await association.editor.add_person(chief, home.id, "伊集院 花子", phone="076-000-0000")
            async with association.editor.editing() as edit:
                edit.account(person.id, await node.accounts.create_user("hanako", "a-long-password", person.name))
            return person.id

    async def persons() -> list[str]:
        async with build(settings) as node:
            return [person.name for person in node.association.members.persons()]

    settings = settings_for(tmp_path)
    (tmp_path / "kairan.toml").write_text(f'server_name = "{settings.server_name}"\n')
    asyncio.run(settle())
    ask = ["user", "erase", "hanako", "--config", str(tmp_path / "kairan.toml")]
    assert commands.main(ask) == 1, "not without being sure"
    assert asyncio.run(persons()) == ["伊集院 花子"]
    assert commands.main([*ask, "--yes"]) == 0
    assert asyncio.run(persons()) == []
    with closing(sqlite3.connect(tmp_path / "kairan.db")) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [
            (table, row) for table in tables for row in connection.execute(f'SELECT * FROM "{table}"')
            if any("伊集院" in str(value) or "076-000" in str(value) for value in row)
        ]
    assert kept == []
    assert commands.main([*ask, "--yes"]) == 1, "there is nobody any more"


def test_nobody_gets_a_password_who_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        change_password(settings_for(tmp_path), "nobody", "a-long-password")


def test_an_invitation_enters_the_person_and_the_office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)

    assert invite(settings, name="山田太郎", block="1班", role="会長") == 0

    link, code = capsys.readouterr().out.split()
    assert link.startswith(settings.http.public_url + "/i/")
    assert len(code.replace("-", "")) == 8


def test_an_unknown_office_is_refused_and_nobody_is_entered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(tmp_path)

    with pytest.raises(Refused, match="王様"):
        invite(settings, name="山田太郎", block="1班", role="王様")

    assert capsys.readouterr().out == ""


async def test_a_running_node_does_it_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        settings = _at(node)
        await asyncio.to_thread(add_user, settings, "taro", "a-long-password")
        await asyncio.to_thread(invite, settings, name="佐藤花子", block="2班", role="班長")

        answer = await node.ask("POST", "v3/login", {
            "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "taro"},
            "password": "a-long-password",
        })
        assert answer["user_id"] == "@taro:sakura.example"
    assert "/i/" in capsys.readouterr().out


async def test_somebody_signs_up_with_a_token_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with RunningNode(settings_for(tmp_path, more='[registration]\nmode = "token"')) as node:
        await asyncio.to_thread(make_token, _at(node), uses=1, days=1)
        token = capsys.readouterr().out.strip()

        first = await _sign_up(node, "taro", token)
        second = await _sign_up(node, "jiro", token)

    assert first["user_id"] == "@taro:sakura.example"
    assert second.status in (401, 403)


def test_a_token_for_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="1 to"):
        make_token(settings_for(tmp_path), uses=0, days=1)


async def test_what_a_running_node_refuses_is_told(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        settings = _at(node)
        await asyncio.to_thread(add_user, settings, "taro", "a-long-password")
        with pytest.raises(Refused, match="taken"):
            await asyncio.to_thread(add_user, settings, "taro", "a-long-password")


async def test_a_second_process_cannot_open_the_same_folder(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)):
        with pytest.raises(FolderInUse), folder_lock(tmp_path):
            pass


async def test_a_stranger_cannot_use_the_operators_door(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path)) as node:
        answer = await node.ask("POST", DOOR, seal(SEED, "list_users", {}, 0))
        assert answer.refusal == (403, "M_FORBIDDEN")


def test_a_request_is_good_for_a_minute() -> None:
    request = seal(SEED, "list_users", {}, 1_000_000)

    command, said = opened(SEED, request, 1_030_000)

    assert (command.__name__, said) == ("list_users", {})
    with pytest.raises(Forbidden):
        opened(SEED, request, 1_061_000)


def test_an_altered_request_is_refused() -> None:
    request = seal(SEED, "invite", {"name": "a"}, 0).replace(b'"a"', b'"b"')

    with pytest.raises(Forbidden):
        opened(SEED, request, 0)


async def _sign_up(node: RunningNode, name: str, token: str) -> Answer:
    """Sign up as a Matrix client does: the token, then what else the server asks for."""
    body = {"username": name, "password": "a-long-password"}
    asked = await node.ask("POST", "v3/register", body)
    proof = {"type": "m.login.registration_token", "token": token, "session": asked.body["session"]}
    return await node.ask("POST", "v3/register", {**body, "auth": proof})


def _at(node: RunningNode) -> Settings:
    """The node's settings with the address at which it really listens."""
    settings = node.settings
    return replace(settings, http=replace(settings.http, listen=Address("127.0.0.1", int(node.url.rpartition(":")[2]))))
