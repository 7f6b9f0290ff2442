"""Which servers may take part in a room (spec: "Server Access Control Lists")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address


def may_take_part(acl: Mapping[str, object] | None, server: str) -> bool:
    """Whether ``acl``, the content of ``m.room.server_acl`` if there is one, lets ``server`` in."""
    if acl is None:
        return True
    host = _without_port(server)
    if acl.get("allow_ip_literals", True) is False and _is_address(host):
        return False
    if _matches_any(acl.get("deny"), host):
        return False
    return _matches_any(acl.get("allow"), host)


def _matches_any(patterns: object, host: str) -> bool:
    if not isinstance(patterns, list):
        return False
    return any(isinstance(pattern, str) and _pattern(pattern).fullmatch(host) is not None for pattern in patterns)


@lru_cache(maxsize=2_000)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = [".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in re.sub(r"\*+", "*", glob)]
    return re.compile("".join(parts), re.IGNORECASE)


def _without_port(server: str) -> str:
    if server.startswith("["):
        return server[1:].partition("]")[0]
    return server.partition(":")[0]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
