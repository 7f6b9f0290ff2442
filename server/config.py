"""The settings of a node: one frozen dataclass per section of kairan.toml.

``load_settings`` reads a file and refuses what it does not know; ``render_default`` writes a new one; docs/settings.md
is ``settings_page()``. Only light imports here: ``kairan check-config`` and the start of the node pass through.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.foundation.ids import is_server_name
from server.foundation.settings import (
    Address,
    IpNetwork,
    SettingsError,
    address,
    flag,
    list_of,
    network,
    one_of,
    optional,
    path,
    required,
    section,
    setting,
    text,
    whole,
)
from server.foundation.settings_file import read_settings, render_file, render_page

_MIB: Final = 1024 * 1024
_ANY_SIZE: Final = 1 << 50
_CODE_WEIGHTS: Final = (6, 5, 4, 3, 2)
_DATABASES: Final = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")
_PAGE: Final = """\
# Settings

All settings of `kairan.toml`. This page is written by `make docs` from `server/config.py`; do not edit it.
A name that is not here is refused, and so is a value of the wrong kind. Relative paths are meant from the folder
of `kairan.toml`; a relative path of an SQLite database from `data_dir`."""


# ---- values that only a node has -----------------------------------------------------------------------------------


def _server_name(value: object) -> str:
    name = text(value)
    if not is_server_name(name):
        raise ValueError('must be a host name, such as "sakura.example.jp"')
    return name


def _association_name(value: object) -> str:
    name = text(value)
    if not name or len(name) > 100:
        raise ValueError("must be a name of 1 to 100 letters")
    return name


def _municipality_code(value: object) -> str:
    """全国地方公共団体コード: five digits, or six with the check digit of the ministry's table."""
    code = text(value)
    if code and not (code.isascii() and code.isdigit() and len(code) in (5, 6)):
        raise ValueError("must be the five or six digits of the municipality, in quotes")
    if len(code) == 6 and code[5] != _check_digit(code):
        raise ValueError("must end in its right check digit")
    return code


def _check_digit(code: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(code, _CODE_WEIGHTS, strict=False))
    return str(11 - total % 11)[-1]


def _public_url(value: object) -> str:
    url = text(value).rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError('must be an address as a browser shows it, such as "https://sakura.example.jp"')
    return url


def _database_url(value: object) -> str:
    url = text(value)
    if url and not url.startswith(_DATABASES):
        raise ValueError('must begin with "sqlite+aiosqlite:///" or "postgresql+asyncpg://"')
    return url


# ---- the sections --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSettings:
    """[association]"""

    name: str = setting("What the association is called.", parse=_association_name, default="町内会")
    municipality_code: str = setting(
        "The municipality's five or six digits (全国地方公共団体コード): weather warnings and city notices go by it.",
        parse=_municipality_code,
        default="",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """[database]"""

    url: str = setting(
        "The database; empty for the file kairan.db in data_dir. PostgreSQL: postgresql+asyncpg://user:password@host/name.",
        parse=_database_url,
        default="",
        secret=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """[http]"""

    listen: Address = setting(
        "Where the node answers plain HTTP; a reverse proxy in front of it speaks TLS.",
        parse=address,
        default=Address("127.0.0.1", 8008),
    )
    public_url: str = setting(
        "The address that residents use; it is printed on invitations. Empty: https:// and the server name.",
        parse=_public_url,
        default="",
    )
    trusted_proxies: tuple[IpNetwork, ...] = setting(
        "Reverse proxies whose X-Forwarded-For is believed.", parse=list_of(network), default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FederationSettings:
    """[federation]"""

    enabled: bool = setting("Whether the node talks to other Matrix servers.", parse=flag, default=True)
    listen: Address | None = setting(
        "Where the node answers other servers with a certificate of its own, for example on every address with "
        '"0.0.0.0:8448". Empty: only through [http] listen.',
        parse=optional(address),
        default=None,
    )
    tls_certificate: Path | None = setting(
        "The certificate chain (PEM) for [federation] listen.", parse=optional(path), default=None
    )
    tls_private_key: Path | None = setting(
        "The private key (PEM) of that certificate.", parse=optional(path), default=None
    )
    verify_certificates: bool = setting(
        "Whether other servers must show a certificate that the system trusts. Off only in tests.",
        parse=flag,
        default=True,
    )
    allow_private_addresses: bool = setting(
        "Whether other servers may be on private or local addresses. On only in tests and closed networks.",
        parse=flag,
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSettings:
    """[registration]"""

    mode: str = setting(
        "Who may make an account: whoever has an invitation (token), nobody (closed), anybody (open).",
        parse=one_of("token", "closed", "open"),
        default="token",
    )
    shared_secret: str = setting(
        "Tools that know this secret may make accounts. Empty: none may.", parse=text, default="", secret=True
    )
    allow_guests: bool = setting("Whether Matrix guests may look in without an account.", parse=flag, default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """[rooms]"""

    default_version: str = setting(
        "The Matrix room version of new rooms.", parse=one_of("10", "11", "12"), default="12"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """[limits]"""

    enabled: bool = setting(
        "Whether callers are held back when they ask too often. Sizes and quotas hold in any case.",
        parse=flag,
        default=True,
    )
    requests_per_second: int = setting(
        "Requests of one caller per second, on average.", parse=whole(1, 100_000), default=50
    )
    request_burst: int = setting("Requests of one caller at once.", parse=whole(1, 100_000), default=200)
    messages_per_second: int = setting(
        "Messages of one person per second, on average.", parse=whole(1, 100_000), default=5
    )
    message_burst: int = setting("Messages of one person at once.", parse=whole(1, 100_000), default=50)
    login_attempts_per_minute: int = setting(
        "Wrong passwords in a minute for one account from one address; wider limits follow from it.",
        parse=whole(1, 100_000),
        default=10,
    )
    registrations_per_minute: int = setting(
        "New accounts per address in a minute; a whole hall joins through one address.",
        parse=whole(1, 100_000),
        default=60,
    )
    upload_bytes: int = setting("The largest file, in bytes.", parse=whole(1, _ANY_SIZE), default=50 * _MIB)
    media_bytes_per_user: int = setting(
        "All files of one person together, in bytes.", parse=whole(1, _ANY_SIZE), default=2048 * _MIB
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSettings:
    """[passwords]"""

    cost: int = setting(
        "How much work a password check is (scrypt, log2 N). One more doubles time and memory; low ones only in tests.",
        parse=whole(4, 20),
        default=14,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """[directory]"""

    public: bool = setting(
        "Whether people without an account may see the list of public rooms.", parse=flag, default=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole kairan.toml."""

    server_name: str = required(
        "The name after the colon in every address of this node. It can never be changed.", parse=_server_name
    )
    data_dir: Path = setting("The folder of the database, the signing key and the files.", parse=path, default=Path())
    application_service_files: tuple[Path, ...] = setting(
        "Registration files (YAML or JSON) of Matrix application services.", parse=list_of(path), default=()
    )
    association: AssociationSettings = section("The association.", AssociationSettings)
    database: DatabaseSettings = section("The database.", DatabaseSettings)
    http: HttpSettings = section("The door for residents.", HttpSettings)
    federation: FederationSettings = section("Other Matrix servers: the city, the neighbours.", FederationSettings)
    registration: RegistrationSettings = section("Who gets an account.", RegistrationSettings)
    rooms: RoomSettings = section("Rooms.", RoomSettings)
    limits: LimitSettings = section("How much one caller may ask for.", LimitSettings)
    passwords: PasswordSettings = section("Passwords.", PasswordSettings)
    directory: DirectorySettings = section("The list of public rooms.", DirectorySettings)

    @property
    def signing_key_file(self) -> Path:
        """The node's ed25519 key, readable by its owner only."""
        return self.data_dir / "signing.key"

    @property
    def media_dir(self) -> Path:
        """Uploaded files and thumbnails."""
        return self.data_dir / "media"


# ---- reading -------------------------------------------------------------------------------------------------------


def load_settings(file: Path) -> Settings:
    """Read ``file``; every value is complete afterwards (paths absolute, URLs filled in).

    Raises ``SettingsError`` with all problems as plain sentences.
    """
    try:
        return parse_settings(file.read_text("utf-8"), file.absolute().parent)
    except OSError as fault:
        raise SettingsError([f"{file} cannot be read: {fault.strerror}."]) from fault
    except UnicodeDecodeError as fault:
        raise SettingsError([f"{file} is not UTF-8 text."]) from fault


def parse_settings(toml: str, folder: Path) -> Settings:
    """The same for a text; relative paths are meant from ``folder``."""
    try:
        table = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError([f"This is not right TOML: {fault}."]) from fault
    settings = _completed(read_settings(Settings, table, folder))
    problems = _contradictions(settings) + _missing_files(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _completed(settings: Settings) -> Settings:
    database_url = _absolute_database(settings.database.url or "sqlite+aiosqlite:///kairan.db", settings.data_dir)
    public_url = settings.http.public_url or default_public_url(settings.server_name, settings.http.listen)
    return replace(
        settings,
        database=replace(settings.database, url=database_url),
        http=replace(settings.http, public_url=public_url),
    )


def _absolute_database(url: str, data_dir: Path) -> str:
    prefix = _DATABASES[0]
    return prefix + str(data_dir / url.removeprefix(prefix)) if url.startswith(prefix) else url


def default_public_url(server_name: str, listen: Address) -> str:
    """``https://`` and the server name; a node that is only tried out on this machine is reached directly."""
    host = server_name.partition(":")[0]
    if host in ("localhost", "127.0.0.1") or host.endswith(".localhost"):
        return f"http://{listen}"
    return f"https://{server_name}"


def _contradictions(settings: Settings) -> list[str]:
    federation = settings.federation
    problems = []
    if (federation.tls_certificate is None) != (federation.tls_private_key is None):
        problems.append("[federation] tls_certificate and tls_private_key belong together: give both or none.")
    if federation.listen is not None and federation.tls_certificate is None:
        problems.append("[federation] listen needs tls_certificate and tls_private_key.")
    if settings.limits.media_bytes_per_user < settings.limits.upload_bytes:
        problems.append("[limits] media_bytes_per_user is less than upload_bytes, the largest single file.")
    return problems


def _missing_files(settings: Settings) -> list[str]:
    named = [
        ("[federation] tls_certificate", settings.federation.tls_certificate),
        ("[federation] tls_private_key", settings.federation.tls_private_key),
        *(("application_service_files", file) for file in settings.application_service_files),
    ]
    return [f"{name}: there is no file {file}." for name, file in named if file is not None and not file.is_file()]


# ---- writing -------------------------------------------------------------------------------------------------------


def render_default(server_name: str, name: str, chosen: Mapping[str, object] | None = None) -> str:
    """A new kairan.toml. ``chosen`` are further settings, as ``{"http.listen": "127.0.0.1:0"}``; all others stand
    there as comments with their default. Raises ``KeyError`` for a name that does not exist.
    """
    first_line = "Settings of this node. A line with # shows the default; `kairan check-config` checks the file."
    return render_file(Settings, first_line, {"server_name": server_name, "association.name": name, **(chosen or {})})


def settings_page() -> str:
    """docs/settings.md, from the descriptions above."""
    return render_page(Settings, _PAGE)
