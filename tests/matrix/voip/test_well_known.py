"""What is published about the node below /.well-known/matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.config import parse_settings
from server.foundation.settings import SettingsError
from tests.builders import RunningNode, settings_for

PUBLIC = '[http]\npublic_url = "https://matrix.sakura.example/"\n'
PATHS = ["client", "server", "support", "policy_server"]


async def test_clients_find_the_public_address(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more=PUBLIC)) as node:
        answer = await node.ask("GET", "/.well-known/matrix/client")
        assert answer.body == {"m.homeserver": {"base_url": "https://matrix.sakura.example"}}


@pytest.mark.parametrize(("more", "found"), [
    (PUBLIC, "matrix.sakura.example:443"),
    ('[http]\npublic_url = "https://matrix.sakura.example:8443"\n', "matrix.sakura.example:8443"),
    (f'{PUBLIC}[federation]\nadvertised_address = "fed.sakura.example:8448"\n', "fed.sakura.example:8448"),
    ('[http]\npublic_url = "http://192.0.2.1:8008"\n', None),
    (f"{PUBLIC}[federation]\nenabled = false\n", None),
])
async def test_other_servers_find_the_node_where_it_answers_them(tmp_path: Path, more: str, found: str | None) -> None:
    async with RunningNode(settings_for(tmp_path, more=more)) as node:
        answer = await node.ask("GET", "/.well-known/matrix/server")
        if found is None:
            assert answer.refusal == (404, "M_NOT_FOUND")
        else:
            assert answer.body == {"m.server": found}


async def test_whom_to_turn_to_is_told_when_somebody_is_named(tmp_path: Path) -> None:
    support = (
        '[support]\nadmin_matrix_id = "@yamada:sakura.example"\nadmin_email = "yamada@sakura.example"\n'
        'security_email = "security@sakura.example"\npage = "https://sakura.example/help"\n'
    )
    async with RunningNode(settings_for(tmp_path, more=support)) as node:
        assert (await node.ask("GET", "/.well-known/matrix/support")).body == {
            "contacts": [
                {
                    "role": "m.role.admin", "matrix_id": "@yamada:sakura.example",
                    "email_address": "yamada@sakura.example",
                },
                {"role": "m.role.security", "email_address": "security@sakura.example"},
            ],
            "support_page": "https://sakura.example/help",
        }


async def test_a_page_alone_is_support_enough(tmp_path: Path) -> None:
    async with RunningNode(settings_for(tmp_path, more='[support]\npage = "https://sakura.example/help"\n')) as node:
        answer = await node.ask("GET", "/.well-known/matrix/support")
        assert answer.body == {"support_page": "https://sakura.example/help"}


@pytest.mark.parametrize("path", ["support", "policy_server"])
async def test_what_is_not_there_is_not_found(node: RunningNode, path: str) -> None:
    assert (await node.ask("GET", f"/.well-known/matrix/{path}")).refusal == (404, "M_NOT_FOUND")


@pytest.mark.parametrize("path", PATHS)
async def test_pages_of_any_origin_may_read_it_found_or_not(node: RunningNode, path: str) -> None:
    answer = await node.ask("GET", f"/.well-known/matrix/{path}")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("wrong", [
    'admin_matrix_id = "yamada"', 'admin_email = "yamada"', 'security_email = "@sakura.example"', 'page = "help"',
])
def test_contacts_that_nobody_can_use_are_refused_at_the_start(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        parse_settings(f'server_name = "sakura.example"\n[support]\n{wrong}\n', tmp_path)
