"""Values that only a node's settings have: each parser turns a TOML value into ours or raises ``ValueError`` with the
end of a sentence.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from server.foundation.errors import InvalidParam
from server.foundation.ids import UserId, is_server_name
from server.foundation.settings import text

MIB: Final = 1024 * 1024  # bytes
ANY_SIZE: Final = 1 << 50  # bytes
_CODE_WEIGHTS: Final = (6, 5, 4, 3, 2)
FAR_PLACES: Final = ("sftp", "s3", "s3+http")
SQLITE: Final = "sqlite+aiosqlite:///"
POSTGRESQL: Final = "postgresql+asyncpg://"


def server_name(value: object) -> str:
    """A Matrix server name."""
    name = text(value)
    if not is_server_name(name):
        raise ValueError('must be a host name, such as "sakura.example.jp"')
    return name


def optional_server_name(value: object) -> str:
    """A host with or without a port, or nothing."""
    return server_name(value) if value != "" else ""


def optional_user_id(value: object) -> str:
    """``@name:server``, or nothing."""
    user_id = text(value)
    try:
        return str(UserId.parse(user_id)) if user_id else ""
    except InvalidParam:
        raise ValueError('must be a Matrix address, such as "@yamada:sakura.example.jp"') from None


def mail_address(value: object) -> str:
    """A mail address, or nothing."""
    address = text(value)
    if address and (address.count("@") != 1 or address.strip("@") != address or " " in address):
        raise ValueError('must be a mail address, such as "yamada@example.jp"')
    return address


def turn_uri(value: object) -> str:
    """The address of a relay (RFC 7065)."""
    uri = text(value)
    if not uri.startswith(("turn:", "turns:")):
        raise ValueError('must hold addresses such as "turn:turn.example.org?transport=udp"')
    return uri


def association_name(value: object) -> str:
    """What the association is called."""
    name = text(value)
    if not name or len(name) > 100:
        raise ValueError("must be a name of 1 to 100 letters")
    return name


def municipality_code(value: object) -> str:
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


def public_url(value: object) -> str:
    """An address for residents, without a slash at its end."""
    url = text(value).rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
        raise ValueError('must be an address as a browser shows it, such as "https://sakura.example.jp"')
    return url


def database_url(value: object) -> str:
    """A database address of a kind that the node has a driver for."""
    url = text(value)
    if url and not url.startswith((SQLITE, POSTGRESQL)):
        raise ValueError(f'must begin with "{SQLITE}" or "{POSTGRESQL}"')
    return url


def far_address(value: object) -> str:
    """Where copies of backups go."""
    address = text(value)
    parts = urlsplit(address)
    if parts.password is not None:
        raise ValueError("must not hold a password: put it into [backup] secrets_file")
    try:
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        has_port = False
    is_whole = bool(parts.scheme in FAR_PLACES and parts.username and parts.hostname and parts.path.strip("/"))
    if not is_whole or not has_port or parts.query or parts.fragment:
        raise ValueError('must be as "sftp://user@nas.local/backups" or "s3://key-id@s3.example.jp/bucket/folder"')
    return address
