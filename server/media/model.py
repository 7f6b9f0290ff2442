"""What the node knows of a file, and the rules for what strangers say about it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from server.foundation.errors import InvalidParam
from server.foundation.ids import is_server_name

ID_LETTERS: Final = 24
# A moment (ms) that never comes: for ``MediaLimits.open_until_ts``.
ALWAYS: Final = 1 << 62
ANY_TYPE: Final = "application/octet-stream"
_MAX_NAME_BYTES: Final = 200
_MAX_TYPE_CHARS: Final = 200
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,100}"  # noqa: S105  # RFC 6838 section 4.2, not a secret
_CONTENT_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(\s*;\s*{_TOKEN}=({_TOKEN}|\"[^\"\\\x00-\x1f\x7f-\U0010ffff]*\"))*")

# Client-server API, section "Serving inline content": types that no browser takes for a page or a program.
INLINE_TYPES: Final = frozenset({
    "text/css", "text/plain", "text/csv", "application/json", "application/ld+json",
    "image/jpeg", "image/gif", "image/png", "image/apng", "image/webp", "image/avif",
    "video/mp4", "video/webm", "video/ogg", "video/quicktime",
    "audio/mp4", "audio/webm", "audio/aac", "audio/mpeg", "audio/ogg", "audio/wave", "audio/wav", "audio/x-wav",
    "audio/x-pn-wav", "audio/flac", "audio/x-flac",
})


@dataclass(frozen=True, slots=True)
class Mxc:
    """``mxc://server_name/media_id``."""

    server_name: str
    media_id: str

    @classmethod
    def parse(cls, uri: object) -> Mxc:
        """Read a content URI; raises ``InvalidParam``."""
        if not isinstance(uri, str) or not uri.startswith("mxc://"):
            raise InvalidParam("Not a content URI (mxc://…)")
        server_name, slash, media_id = uri.removeprefix("mxc://").partition("/")
        if not slash or not is_server_name(server_name) or not is_media_id(media_id):
            raise InvalidParam("Not a content URI (mxc://…)")
        return cls(server_name, media_id)

    def __str__(self) -> str:
        return f"mxc://{self.server_name}/{self.media_id}"


@dataclass(frozen=True, slots=True)
class MediaItem:
    """What is stored about one file. ``size`` is in bytes, ``None`` while no content has come; times in ms."""

    media_id: str
    owner: str
    content_type: str
    filename: str | None
    size: int | None
    created_ts: int


@dataclass(frozen=True, slots=True)
class OpenedMedia:
    """A file that may be read: what is known about it and where it lies."""

    item: MediaItem
    path: Path


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """How much may be kept: bytes a file, bytes a person, bytes of the disk that stay free for the database.

    ``open_until_ts``: files uploaded before this moment (ms) can still be had without a token at the deprecated
    addresses (the freeze of Matrix v1.11); 0 for a node that never served such.
    """

    upload_bytes: int = 50 * 2**20
    owner_bytes: int = 2 * 2**30
    free_disk_bytes: int = 200 * 2**20
    open_until_ts: int = 0
    pending_per_owner: int = 20
    pending_ms: int = 24 * 3600 * 1000


def is_media_id(text: str) -> bool:
    """Whether ``text`` could be a media id (appendix "Opaque Identifiers")."""
    return _MEDIA_ID.fullmatch(text) is not None


def clean_content_type(text: str | None) -> str:
    """The type that an uploader claims, or ``application/octet-stream`` where it is none that a header can carry."""
    claimed = (text or "").strip()
    return claimed if len(claimed) <= _MAX_TYPE_CHARS and _CONTENT_TYPE.fullmatch(claimed) else ANY_TYPE


def clean_filename(text: str | None) -> str | None:
    """A name without folders, control characters and marks that turn the reading direction; ``None`` if none is left.

    At most 200 bytes of UTF-8; a longer name loses its middle and keeps its extension.
    """
    if not text:
        return None
    last = re.split(r"[/\\]", text)[-1]
    shown = "".join(char for char in last if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co"))
    name = unicodedata.normalize("NFC", shown).strip()
    return None if name in ("", ".", "..") else _shortened(name)


def _shortened(name: str) -> str:
    if len(name.encode()) <= _MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = dot + extension if stem and len(extension.encode()) <= 20 else ""
    room = _MAX_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending


def content_disposition(content_type: str, filename: str | None) -> str:
    """The header for a download (RFC 6266): ``inline`` for types of the allow list, else ``attachment``."""
    kind = "inline" if bare_type(content_type) in INLINE_TYPES else "attachment"
    name = clean_filename(filename)
    if name is None:
        return kind
    if name.isascii():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{kind}; filename="{escaped}"'
    return f"{kind}; filename*=utf-8''{quote(name, safe='')}"


def bare_type(content_type: str) -> str:
    """``content_type`` without its parameters, in small letters."""
    return content_type.partition(";")[0].strip().lower()
