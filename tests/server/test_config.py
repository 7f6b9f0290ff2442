"""server/config: what kairan.toml may say, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.config import Settings, load_settings, parse_settings, render_default
from server.foundation.settings import Address, SettingsError

FOLDER = Path("/srv/sakura")
ADDRESS = 'must be an address and a port, such as "127.0.0.1:8008"'
CODE = "must end in its right check digit"


def parsed(toml: str = "", server_name: str = "sakura.example.jp") -> Settings:
    return parse_settings(f'server_name = "{server_name}"\n{toml}', FOLDER)


def problems_of(toml: str) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        parsed(toml)
    return refusal.value.problems


def test_a_server_name_is_enough() -> None:
    settings = parsed()
    assert settings.data_dir == FOLDER
    assert settings.signing_key_file == FOLDER / "signing.key"
    assert settings.database.url == "sqlite+aiosqlite:////srv/sakura/kairan.db"
    assert settings.http.listen == Address("127.0.0.1", 8008)
    assert settings.http.public_url == "https://sakura.example.jp"
    assert settings.registration.mode == "token"
    assert settings.rooms.default_version == "12"
    assert settings.limits.upload_bytes == 52_428_800
    assert settings.passwords.cost == 14
    assert settings.federation.verify_certificates
    assert not settings.federation.allow_private_addresses
    assert not settings.directory.public


def test_without_a_server_name_there_is_no_node() -> None:
    with pytest.raises(SettingsError, match="server_name is missing"):
        parse_settings("", FOLDER)


def test_what_is_written_as_new_is_read_back_as_all_defaults() -> None:
    written = parse_settings(render_default("sakura.example.jp", "桜町町内会"), FOLDER)
    assert written == parsed('[association]\nname = "桜町町内会"')


@pytest.mark.parametrize("name", ['"桜町" 町内会', "back\\slash", "二行\n目", "全角\u3000空白", "🌸会"])
def test_any_name_of_an_association_survives_being_written(name: str) -> None:
    assert parse_settings(render_default("a.jp", name), FOLDER).association.name == name


def test_chosen_settings_are_written_and_misspelt_ones_are_not() -> None:
    toml = render_default("a.jp", "会", {"passwords.cost": 4, "limits.enabled": False, "http.trusted_proxies": ["::1"]})
    settings = parse_settings(toml, FOLDER)
    assert (settings.passwords.cost, settings.limits.enabled) == (4, False)
    assert [str(network) for network in settings.http.trusted_proxies] == ["::1/128"]
    with pytest.raises(KeyError, match=r"passwords\.costs"):
        render_default("a.jp", "会", {"passwords.costs": 4})


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ('sever_name = "a"', "sever_name is not known; did you mean server_name?"),
        ('listen = "127.0.0.1:1"', "listen is not known; did you mean [http] listen?"),
        ('[http]\nlisten_on = "127.0.0.1:1"', "[http] listen_on is not known; did you mean [http] listen?"),
        ('[http]\nname = "桜町"', "[http] name is not known; did you mean [association] name?"),
        ("[htpp]", "[htpp] is not a known section; did you mean [http]?"),
        ("[zzz]", "[zzz] is not a known section."),
        ("passwords = 14", "passwords is a section: write [passwords] on a line of its own and its settings below it."),
        ("[passwords]\ncost = 3", "[passwords] cost must be a whole number from 4 to 20, not 3."),
        ("[passwords]\ncost = 14.5", "[passwords] cost must be a whole number from 4 to 20, not 14.5."),
        ("[passwords]\ncost = true", "[passwords] cost must be a whole number from 4 to 20, not True."),
        ('[limits]\nenabled = "no"', "[limits] enabled must be true or false, not 'no'."),
        ('[rooms]\ndefault_version = "9"', """[rooms] default_version must be one of "10", "11", "12", not '9'."""),
        ('[http]\nlisten = "8008"', f"[http] listen {ADDRESS}, not '8008'."),
        ('[http]\nlisten = "a:70000"', f"[http] listen {ADDRESS}, not 'a:70000'."),
        ('[http]\ntrusted_proxies = "::1"', "[http] trusted_proxies must be a list in [brackets], not '::1'."),
        ('[association]\nmunicipality_code = "172058"', f"[association] municipality_code {CODE}, not '172058'."),
        ('data_dir = ""', "data_dir must be a path, not ''."),
    ],
)
def test_a_mistake_is_refused_in_a_plain_sentence(toml: str, sentence: str) -> None:
    assert problems_of(toml) == [sentence]


def test_all_problems_are_told_at_once() -> None:
    assert len(problems_of('[passwords]\ncost = 1\n[limits]\nenabled = 1\n[http]\nlisten = ""\ncolour = "red"')) == 4


def test_a_secret_is_never_repeated() -> None:
    assert problems_of("[registration]\nshared_secret = 123456") == [
        "[registration] shared_secret must be text in quotes."
    ]
    assert problems_of('[database]\nurl = "mysql://root:himitsu@db/x"') == [
        '[database] url must begin with "sqlite+aiosqlite:///" or "postgresql+asyncpg://".'
    ]
    settings = parsed('[registration]\nshared_secret = "himitsu"\n[database]\nurl = "postgresql+asyncpg://a:himitsu@db/x"')
    assert settings.registration.shared_secret == "himitsu"
    assert "himitsu" not in repr(settings)


@pytest.mark.parametrize("code", ["", "172057", "17205", "131016", "011002"])
def test_a_municipality_has_five_digits_or_six_with_a_check_digit(code: str) -> None:
    assert parsed(f'[association]\nmunicipality_code = "{code}"').association.municipality_code == code


@pytest.mark.parametrize("server_name", ["", "sakura町.jp", "http://a.jp", "a.jp:port", "a b"])
def test_a_server_name_is_a_host_name(server_name: str) -> None:
    with pytest.raises(SettingsError, match="server_name must be a host name"):
        parsed(server_name=server_name)


def test_relative_paths_are_meant_from_the_settings_file() -> None:
    settings = parsed('data_dir = "var"\n[database]\nurl = "sqlite+aiosqlite:///town.db"')
    assert settings.media_dir == FOLDER / "var/media"
    assert settings.database.url == "sqlite+aiosqlite:////srv/sakura/var/town.db"
    absolute = parsed('data_dir = "/var/lib/kairan"\n[database]\nurl = "sqlite+aiosqlite:////mnt/town.db"')
    assert absolute.data_dir == Path("/var/lib/kairan")
    assert absolute.database.url == "sqlite+aiosqlite:////mnt/town.db"


def test_a_node_on_this_machine_is_reached_directly() -> None:
    assert parsed(server_name="localhost").http.public_url == "http://127.0.0.1:8008"
    assert parsed('[http]\npublic_url = "https://node.example.jp/"').http.public_url == "https://node.example.jp"


def test_files_that_are_named_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    toml = 'server_name = "a.jp"\napplication_service_files = ["bot.yaml"]\n[federation]\nlisten = "[::]:8448"\n'
    with pytest.raises(SettingsError) as refusal:
        parse_settings(toml + 'tls_certificate = "cert.pem"\ntls_private_key = "key.pem"', tmp_path)
    assert refusal.value.problems == [
        f"[federation] tls_private_key: there is no file {tmp_path / 'key.pem'}.",
        f"application_service_files: there is no file {tmp_path / 'bot.yaml'}.",
    ]


def test_a_listener_with_a_certificate_needs_certificate_and_key() -> None:
    assert problems_of('[federation]\nlisten = "0.0.0.0:8448"') == [
        "[federation] listen needs tls_certificate and tls_private_key."
    ]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kairan.toml"
    with pytest.raises(SettingsError, match=r"kairan\.toml cannot be read: No such file or directory\."):
        load_settings(file)
    file.write_text("server_name = ", "utf-8")
    with pytest.raises(SettingsError, match="This is not right TOML"):
        load_settings(file)
    file.write_bytes("[association]\nname = '桜町'".encode("shift_jis"))
    with pytest.raises(SettingsError, match=r"kairan\.toml is not UTF-8 text\."):
        load_settings(file)
