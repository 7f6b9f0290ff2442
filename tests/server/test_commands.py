"""server/commands: making a node and checking its settings."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from server import commands
from server.commands import new_node
from server.config import Settings, load_settings
from server.foundation.errors import Refused
from server.foundation.signatures import SigningKey


@pytest.fixture
def assembly(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the commands hand over to, as far as a test needs it."""
    module = SimpleNamespace(prepared=[])
    module.prepare_database = module.prepared.append
    for name in ("server.assembly", "server.assembly.people"):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(new_node, "is_compiled", lambda: True)
    return module


@pytest.fixture(autouse=True)
def mask() -> Iterator[None]:
    """Commands change the process's mask for new files; put it back."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def init(folder: Path, server_name: str = "sakura.example.jp") -> int:
    return commands.main(["init", str(folder), "--server-name", server_name, "--name", "桜町町内会"])


def test_a_new_node_has_settings_a_private_key_and_a_database(tmp_path: Path, assembly: SimpleNamespace) -> None:
    assert init(tmp_path / "node") == 0
    settings = load_settings(tmp_path / "node/kairan.toml")
    assert settings.association.name == "桜町町内会"
    assert SigningKey.read(settings.signing_key_file.read_text()).key_id.startswith("ed25519:")
    assert settings.signing_key_file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "node/kairan.toml").stat().st_mode & 0o777 == 0o600
    assert assembly.prepared == [settings]


def test_a_node_is_never_made_over_another(
    tmp_path: Path, assembly: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    assert init(tmp_path, "other.example.jp") == 1
    assert "holds a node already; nothing was changed" in capsys.readouterr().err
    (tmp_path / "kairan.toml").rename(tmp_path / "kairan.toml.old")
    assert init(tmp_path, "other.example.jp") == 1, "the key of a node is not overwritten either"
    assert (tmp_path / "signing.key").read_bytes() == before[tmp_path / "signing.key"]
    assert len(assembly.prepared) == 1


def test_what_a_command_writes_is_for_its_owner_only(tmp_path: Path, assembly: SimpleNamespace) -> None:
    database = tmp_path / "kairan.db"
    assembly.prepare_database = lambda _settings: database.write_text("")
    assert init(tmp_path) == 0
    assert database.stat().st_mode & 0o077 == 0


def test_other_files_in_the_folder_do_not_matter(tmp_path: Path, assembly: SimpleNamespace) -> None:
    (tmp_path / "notes.txt").write_text("鍵は会長")
    assert init(tmp_path) == 0
    assert (tmp_path / "notes.txt").read_text() == "鍵は会長"


def test_a_wrong_server_name_makes_nothing(
    tmp_path: Path, assembly: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path / "node", "http://sakura") == 1
    assert "server_name must be a host name" in capsys.readouterr().err
    assert not (tmp_path / "node").exists()
    assert assembly.prepared == []


def test_a_database_that_cannot_be_made_leaves_no_half_node(
    tmp_path: Path, assembly: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_settings: Settings) -> None:
        raise Refused("The disk is full.")

    assembly.prepare_database = refuse
    assert init(tmp_path) == 1
    assert capsys.readouterr().err == "The disk is full.\n"
    assert list(tmp_path.iterdir()) == []


def test_check_config_says_right_or_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kairan.toml"
    file.write_text('server_name = "a.jp"')
    assert commands.main(["check-config", "--config", str(file)]) == 0
    file.write_text('server_name = 1\n[htpp]\n[passwords]\ncost = "low"')
    assert commands.main(["check-config", "--config", str(file)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "[htpp] is not a known section; did you mean [http]?",
        "server_name must be text in quotes, not 1.",
        "[passwords] cost must be a whole number from 4 to 20, not 'low'.",
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "kairan.toml"
    file.write_text('server_name = "a.jp"')
    return file


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_password_comes_from_standard_input_and_never_from_an_argument(
    config: Path, assembly: SimpleNamespace, type_in: Callable[[str], None]
) -> None:
    asked = []

    def add_user(settings: Settings, localpart: str, password: str, *, is_admin: bool) -> int:
        asked.append((settings.server_name, localpart, password, is_admin))
        return 0

    assembly.add_user = add_user
    type_in("ひみつ\n")
    assert commands.main(["user", "add", "hanako", "--admin", "--config", str(config)]) == 0
    assert asked == [("a.jp", "hanako", "ひみつ", True)]


def test_an_empty_password_is_refused(
    config: Path, assembly: SimpleNamespace, type_in: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    type_in("\n")
    assert commands.main(["user", "password", "hanako", "--config", str(config)]) == 1
    assert capsys.readouterr().err == "A password is needed; nothing was changed.\n"


def test_a_broken_question_gets_an_error_and_the_next_one_its_turn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b'nonsense\n[]\n{"id": 7, "format": 1, "kind": "riddle"}\n' + b"[" * 100_000 + b"\n\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    assert commands.main(["judge"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"error": "This line is not JSON"},
        {"error": "A question is a JSON object"},
        {"id": 7, "error": "Unknown kind or format of question"},
        {"error": "This line is not JSON"},
    ]


def test_an_unknown_command_is_not_understood() -> None:
    with pytest.raises(SystemExit) as left:
        commands.main(["dance"])
    assert left.value.code == 2
