"""How settings are described, once.

A section is a frozen dataclass whose fields are made with ``setting()``: the help text, the default and the parser
stand together; ``settings_file`` makes the reader, a new file and the page of the documentation from them.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` are plain sentences, all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: ``host:port``; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# ---- describing ----------------------------------------------------------------------------------------------------

Parser = Callable[[object], T]


def setting(purpose: str, *, parse: Parser[T], default: T, secret: bool = False) -> T:
    """One setting. ``parse`` turns the TOML value into ours or raises ``ValueError`` with the end of a sentence."""
    metadata = {"help": purpose, "parse": parse, "secret": secret}
    described: Any = dataclasses.field(default=default, metadata=metadata, repr=not secret)
    return described  # type: ignore[no-any-return]  # the field stands for its value, as in dataclasses.field


def required(purpose: str, *, parse: Parser[T]) -> T:
    """A setting without a default: the file must have it."""
    described: Any = dataclasses.field(metadata={"help": purpose, "parse": parse, "secret": False})
    return described  # type: ignore[no-any-return]


def section(purpose: str, kind: Callable[[], T]) -> T:
    """A ``[section]`` of the file, described by the dataclass ``kind``."""
    described: Any = dataclasses.field(default_factory=kind, metadata={"help": purpose, "section": True})
    return described  # type: ignore[no-any-return]


# ---- values --------------------------------------------------------------------------------------------------------


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return value.strip()


def flag(value: object) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def whole(lowest: int, highest: int) -> Parser[int]:
    """A whole number from ``lowest`` to ``highest``."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return value

    return parse


def one_of(*choices: str) -> Parser[str]:
    """One of the given words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError("must be one of " + ", ".join(f'"{choice}"' for choice in choices))
        return str(value)

    return parse


def list_of(parse: Parser[T]) -> Parser[tuple[T, ...]]:
    """A list, each item read by ``parse``."""

    def parse_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list in [brackets]")
        return tuple(parse(item) for item in value)

    return parse_all


def path(value: object) -> Path:
    """A file or folder; a relative one is meant from the folder of the settings file (``anchored``)."""
    if not text(value):
        raise ValueError("must be a path")
    return Path(text(value))


def address(value: object) -> Address:
    """``host:port``."""
    host, colon, port = text(value).rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError('must be an address and a port, such as "127.0.0.1:8008"')
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def network(value: object) -> IpNetwork:
    """An IP address or a range of them."""
    try:
        return ipaddress.ip_network(text(value), strict=False)
    except ValueError as fault:
        raise ValueError('must hold IP addresses or ranges, such as "127.0.0.1" or "10.0.0.0/8"') from fault


def optional(parse: Parser[T]) -> Parser[T | None]:
    """As ``parse``; an empty text means: none."""

    def parse_or_none(value: object) -> T | None:
        return None if value == "" else parse(value)

    return parse_or_none
