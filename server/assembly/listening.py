"""The sockets on which a node listens. Whoever asks and never reads the answer is not waited for for ever."""

from __future__ import annotations

import socket
from typing import Final

from server.foundation.settings import Address

_PATIENCE_MS: Final = 60_000


def listening_sockets(address: Address, patience_ms: int = _PATIENCE_MS) -> list[socket.socket]:
    """One for each address that the name has, bound; connections inherit their options. What we have sent and nobody
    takes for ``patience_ms`` closes a connection (RFC 5482, "User Timeout"), and frees the memory that it holds. Raises
    ``OSError`` where somebody else listens there.
    """
    flags = socket.AI_PASSIVE
    places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)
    found: list[socket.socket] = []
    try:
        for family, kind, protocol, _, place in dict.fromkeys(places):
            found.append(socket.socket(family, kind, protocol))
            _set_options(found[-1], patience_ms)
            found[-1].bind(place)
    except OSError as fault:
        for opened in found:
            opened.close()
        raise OSError(fault.errno, f"{address}: {fault.strerror}") from None
    return found


def _set_options(opened: socket.socket, patience_ms: int) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience_ms)
