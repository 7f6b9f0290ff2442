"""Registration files: what they say, and how mistakes are told to the operator."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from server import commands
from server.application_services.registration import Registration, RegistrationError, parse_registration
from server.application_services.registration_files import read_registrations
from server.application_services.service import Service
from server.foundation.settings import SettingsError
from server.foundation.signatures import SigningKey
from tests.builders import RunningNode, settings_for

# As mautrix-telegram writes it, its tokens aside.
TELEGRAM = """
id: telegram
as_token: as-secret
hs_token: hs-secret
namespaces:
    users:
    - exclusive: true
      regex: '@telegram_.*:sakura\\.example'
    - exclusive: true
      regex: '@telegrambot:sakura\\.example'
    aliases:
    - exclusive: true
      regex: \\#telegram_.*:sakura\\.example
url: http://localhost:29317
sender_localpart: pLmAx0eZ
rate_limited: false
de.sorunome.msc2409.push_ephemeral: true
push_ephemeral: true
"""
# For people whom a bridge lets speak under their own names.
DOUBLE_PUPPET = """
id: doublepuppet
url:
as_token: as-double
hs_token: hs-double
sender_localpart: double
rate_limited: false
namespaces:
  users:
  - regex: '@.*:sakura\\.example'
    exclusive: false
"""
LEAST: dict[str, Any] = {
    "id": "a", "url": None, "as_token": "b", "hs_token": "c", "sender_localpart": "d", "namespaces": {},
}


def written(folder: Path, *texts: str) -> list[Path]:
    files = [folder / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files


def problems_of(folder: Path, *texts: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read_registrations(written(folder, *texts))
    return [problem.replace(str(folder), "") for problem in refused.value.problems]


def test_files_of_known_bridges_are_understood(tmp_path: Path) -> None:
    telegram, double = read_registrations(written(tmp_path, TELEGRAM, DOUBLE_PUPPET))
    assert (telegram.id, telegram.url, telegram.sender_localpart) == ("telegram", "http://localhost:29317", "plmax0ez")
    assert (telegram.rate_limited, telegram.receives_ephemeral, telegram.receives_encryption) == (False, True, False)
    assert (double.url, [space.exclusive for space in double.users]) == (None, [False])
    service = Service(telegram, "sakura.example")
    assert service.owns_user("@telegram_1:sakura.example")
    assert service.owns_user("@plmax0ez:sakura.example")
    assert not service.owns_user("@telegram_1:elsewhere.example")
    assert not service.owns_user("@hanako:sakura.example")
    assert service.reserves_alias("#telegram_x:sakura.example")


def test_least_is_enough_and_the_rest_has_defaults() -> None:
    assert parse_registration(LEAST) == Registration(
        id="a", url=None, as_token="b", hs_token="c", sender_localpart="d"
    )
    assert parse_registration(LEAST).rate_limited


def test_tokens_are_not_shown() -> None:
    assert "secret" not in repr(parse_registration({**LEAST, "as_token": "secret", "hs_token": "secret2"}))


@pytest.mark.parametrize(("more", "problem"), [
    ({"id": None}, "id is missing"),
    ({"as_token": 5}, "as_token must be a text"),
    ({"hs_token": ""}, "hs_token must be a text"),
    ({"url": "localhost:29317"}, "url must be an address"),
    ({"url": 7}, "url must be an address"),
    ({"sender_localpart": "太郎"}, "sender_localpart has only"),
    ({"rate_limited": "no"}, "rate_limited must be true or false"),
    ({"protocols": "irc"}, "protocols must be a list of texts"),
    ({"namespaces": None}, "namespaces is missing"),
    ({"namespaces": []}, "namespaces must be a table"),
    ({"namespaces": {"users": {}}}, "namespaces.users must be a list"),
    ({"namespaces": {"users": ["@a"]}}, "namespaces.users[0] must have regex and exclusive"),
    ({"namespaces": {"rooms": [{"regex": "!.*", "exclusive": 1}]}}, "namespaces.rooms[0] must have regex (a text)"),
    ({"namespaces": {"aliases": [{"regex": "#(", "exclusive": True}]}}, "is no regular expression"),
])
def test_what_is_wrong_is_named(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(RegistrationError) as refused:
        parse_registration({**LEAST, **more})
    assert problem in str(refused.value)


def test_a_missing_url_is_no_null() -> None:
    with pytest.raises(RegistrationError, match="url is missing"):
        parse_registration({name: value for name, value in LEAST.items() if name != "url"})


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "id: [", "[]", "id: a\nas_token: 1", "\tx")
    assert problems[0] == "/0.yaml: is neither YAML nor JSON (line 1)."
    assert problems[1] == "/1.yaml: must be a table of settings."
    assert "/2.yaml: as_token must be a text." in problems
    assert "/2.yaml: namespaces is missing." in problems
    assert problems[-1].startswith("/3.yaml: is neither YAML nor JSON")


def test_two_services_do_not_share_a_name_or_a_token(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, TELEGRAM, TELEGRAM)
    assert problems == [
        f'/1.yaml: id "telegram" is also that of {tmp_path}/0.yaml.'.replace(str(tmp_path), ""),
        "/1.yaml: as_token is also that of /0.yaml.",
        "/1.yaml: hs_token is also that of /0.yaml.",
        '/1.yaml: sender_localpart "plmax0ez" is also that of /0.yaml.',
    ]


def test_check_config_looks_into_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = written(tmp_path, TELEGRAM, "id: a")
    config = tmp_path / "kairan.toml"
    config.write_text(f'server_name = "sakura.example"\napplication_service_files = ["{good}"]\n')
    assert commands.main(["check-config", "--config", str(config)]) == 0
    config.write_text(f'server_name = "sakura.example"\napplication_service_files = ["{good}", "{bad}"]\n')
    assert commands.main(["check-config", "--config", str(config)]) == 1
    assert f"{bad}: as_token is missing." in capsys.readouterr().err


async def test_a_node_does_not_start_with_a_wrong_file(tmp_path: Path) -> None:
    [bad] = written(tmp_path, "id: a")
    settings = settings_for(tmp_path, more=f'application_service_files = ["{bad}"]')
    assert SigningKey.read(settings.signing_key_file.read_text())
    with pytest.raises(SettingsError, match="as_token is missing"):
        await RunningNode(settings).__aenter__()


def test_a_node_without_services_loads_nothing_of_them() -> None:
    code = """
        import asyncio, sys, tempfile
        from pathlib import Path
        from server import assembly
        from server.config import parse_settings
        from server.foundation.signatures import SigningKey

        async def start():
            with tempfile.TemporaryDirectory() as folder:
                settings = parse_settings('server_name = "sakura.example"', Path(folder))
                settings.signing_key_file.write_text(SigningKey.generate().line())
                async with assembly.build(settings) as node:
                    assembly.make_app(node)
                    print([name for name in sys.modules if name == "yaml" or "application_services" in name])

        asyncio.run(start())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True, timeout=60,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "[]"
