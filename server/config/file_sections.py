"""The sections about files, pictures and texts of others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from server.config import values
from server.foundation.settings import flag, list_of, optional, path, setting, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """[media]"""

    allow_unauthenticated_downloads: bool = setting(
        "Whether whoever knows the address of a file may have it without an account, at the addresses of before Matrix "
        "1.11. Only for old tools that send no token.",
        parse=flag,
        default=False,
    )
    remote_cache_bytes: int = setting(
        "Copies of other servers' files, all together, in bytes; those that were not looked at for longest go first.",
        parse=whole(values.MIB, values.ANY_SIZE),
        default=1024 * values.MIB,
    )
    remote_cache_days: int = setting(
        "For how many days a copy of another server's file is kept after somebody has last looked at it.",
        parse=whole(1, 36_500),
        default=30,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettings:
    """[previews]"""

    enabled: bool = setting(
        "Whether the node looks at web pages that people mention and shows their title and picture.",
        parse=flag,
        default=True,
    )
    ports: tuple[int, ...] = setting(
        "Ports on which web pages are looked at.", parse=list_of(whole(1, 65535)), default=(80, 443)
    )
    blocked_hosts: tuple[str, ...] = setting(
        'Hosts that are never asked, with all names below them, for example "example.org".',
        parse=list_of(text),
        default=(),
    )
    keep_days: int = setting("For how many days pictures of previews are kept.", parse=whole(1, 3650), default=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationSettings:
    """[translation]"""

    url: str = setting(
        'A translation service that speaks like LibreTranslate, for example "http://127.0.0.1:5000": circulars can '
        "then be read in other languages, marked as machine translation. Nothing that people write to each other is "
        "ever sent there. A service in one's own network must be allowed in [outgoing]. Empty: none.",
        parse=text,
        default="",
    )
    key_file: Path | None = setting(
        "A file with the key for that service, where it wants one.", parse=optional(path), default=None
    )
    letters_a_day: int = setting(
        "How many letters are sent there a day at most; what was translated once is kept.",
        parse=whole(1, 1_000_000_000),
        default=300_000,
    )
