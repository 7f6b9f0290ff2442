"""Which addresses of the web the node looks at for a preview: pure rules, before anybody is asked.

They keep out what is never meant (passwords in an address, odd ports, odd ways to write a number). That no connection
goes to a private network is the work of ``server.foundation.outgoing``, which sees what a name resolves to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import unquote

from yarl import URL

from server.foundation.errors import Forbidden, InvalidParam

_MAX_CHARS: Final = 4096
_NEVER_IN_AN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f]")
# A host whose last part is a number means an IPv4 address, however it is written (WHATWG URL, "ends in a number").
_ENDS_IN_NUMBER: Final = re.compile(r"(^|\.)(\d+|0[xX][0-9a-fA-F]*)\.?$")
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+\.?")
# Names that mean something in one's own network only (RFC 6761, 6762, 8375, 9476).
_LOCAL_ENDINGS: Final = tuple(
    f".{name}" for name in ("localhost", "local", "home.arpa", "internal", "lan", "home", "corp")
)


@dataclass(frozen=True, slots=True)
class PreviewRules:
    """What an operator allows: ports, and hosts that are never asked (with all names below them)."""

    ports: tuple[int, ...] = (80, 443)
    blocked_hosts: tuple[str, ...] = ()

    def address(self, text: str) -> URL:
        """The address of a page, without its fragment. Raises ``InvalidParam``, ``Forbidden``."""
        url = _parsed(text)
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise InvalidParam("Only addresses that begin with http:// or https:// can be previewed")
        if url.user is not None or url.password is not None:
            raise InvalidParam("An address with a name or a password in it is not previewed")
        if not _is_honest_host(url.raw_host):
            raise InvalidParam("This is no host of the web")
        if url.port not in self.ports or self._is_blocked(url.raw_host):
            raise Forbidden("Pages of this host are not previewed here")
        return url.with_fragment(None)

    def _is_blocked(self, host: str) -> bool:
        name = host.lower().rstrip(".")
        return any(name == blocked or name.endswith("." + blocked) for blocked in self._blocked())

    def _blocked(self) -> list[str]:
        return [host.lower().strip(".").removeprefix("*.") for host in self.blocked_hosts]


def file_name(url: URL) -> str:
    """The last part of an address, as a title for what has none."""
    return unquote(url.raw_path.rstrip("/").rpartition("/")[2], errors="replace")[:200]


def _parsed(text: str) -> URL:
    if len(text) > _MAX_CHARS or _NEVER_IN_AN_ADDRESS.search(text):
        raise InvalidParam("This is no address of the web")
    try:
        url = URL(text)
        _ = url.port, url.raw_host  # looked at here, so that what is wrong with them is found here
    except (ValueError, UnicodeError):
        raise InvalidParam("This is no address of the web") from None
    return url


def _is_honest_host(host: str) -> bool:
    """A name with a dot in it, an IPv6 address, or an IPv4 address in four decimal numbers."""
    name = host.lower()
    if ":" in name:
        return "%" not in name
    if _ENDS_IN_NUMBER.search(name):
        return _is_plain_ipv4(name)
    return _HOST.fullmatch(name) is not None and not name.rstrip(".").endswith(_LOCAL_ENDINGS)


def _is_plain_ipv4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False
