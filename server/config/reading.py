"""Reading kairan.toml, writing a new one, and the page of the documentation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from server.config.sections import Settings
from server.config.values import SQLITE
from server.foundation.settings import Address, SettingsError
from server.foundation.settings_file import read_settings, render_file, render_page

_PAGE: Final = """\
# Settings

All settings of `kairan.toml`. This page is written by `make docs` from `server/config/sections.py`; do not edit it.
A name that is not here is refused, and so is a value of the wrong kind. Relative paths are meant from the folder
of `kairan.toml`; a relative path of an SQLite database from `data_dir`."""


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
    database_url = _absolute_database(settings.database.url or f"{SQLITE}kairan.db", settings.data_dir)
    public_url = settings.http.public_url or default_public_url(settings.server_name, settings.http.listen)
    return replace(
        settings,
        database=replace(settings.database, url=database_url),
        http=replace(settings.http, public_url=public_url),
    )


def _absolute_database(url: str, data_dir: Path) -> str:
    return SQLITE + str(data_dir / url.removeprefix(SQLITE)) if url.startswith(SQLITE) else url


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
    if settings.turn.uris and not settings.turn.shared_secret:
        problems.append("[turn] uris need a shared_secret.")
    if settings.backup.copy_to and settings.backup.folder is None:
        problems.append("[backup] copy_to needs a folder: copies are made of the backups there.")
    if settings.limits.media_bytes_per_user < settings.limits.upload_bytes:
        problems.append("[limits] media_bytes_per_user is less than upload_bytes, the largest single file.")
    return problems


def _missing_files(settings: Settings) -> list[str]:
    named = [
        ("[federation] tls_certificate", settings.federation.tls_certificate),
        ("[federation] tls_private_key", settings.federation.tls_private_key),
        ("[federation] certificate_authorities", settings.federation.certificate_authorities),
        *(("application_service_files", file) for file in settings.application_service_files),
    ]
    folder = settings.consent.folder
    missing = [] if folder is None or folder.is_dir() else [f"[consent] folder: there is no folder {folder}."]
    return missing + [f"{name}: there is no file {file}." for name, file in named if file and not file.is_file()]


def render_default(server_name: str, name: str, chosen: Mapping[str, object] | None = None) -> str:
    """A new kairan.toml. ``chosen`` are further settings, as ``{"http.listen": "127.0.0.1:0"}``; all others stand
    there as comments with their default. Raises ``KeyError`` for a name that does not exist.
    """
    first_line = "Settings of this node. A line with # shows the default; `kairan check-config` checks the file."
    return render_file(Settings, first_line, {"server_name": server_name, "association.name": name, **(chosen or {})})


def settings_page() -> str:
    """docs/settings.md, from the descriptions above."""
    return render_page(Settings, _PAGE)
