"""Which servers may take part in a room (spec: ``m.room.server_acl``). Pure."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from server.foundation.errors import InvalidParam

ACL: Final = "m.room.server_acl"
_KEPT_LISTS: Final = 100
_KEPT_HOSTS: Final = 2_000
_WILD: Final = re.compile(r"[*?]+")
_PORT: Final = re.compile(r":[0-9]{1,5}$")


# What was decided lately: whose content (kept, so that nothing else takes its place), and by host.
_decided: Final[OrderedDict[int, tuple[Mapping[str, Any], dict[str, bool]]]] = OrderedDict()


def is_admitted(content: Mapping[str, Any], server_name: str) -> bool:
    """Whether the ACL ``content`` lets a server take part; its port is not looked at. ``content`` does not change.

    A list may be long and made to hold us up, and is looked at for every event and every server: so it is read once
    for each server.
    """
    host = _PORT.sub("", server_name).lower()
    known = _decided.get(id(content))
    if known is None:
        known = _decided[id(content)] = (content, {})
        if len(_decided) > _KEPT_LISTS:
            _decided.popitem(last=False)
    verdicts = known[1]
    if host not in verdicts:
        if len(verdicts) >= _KEPT_HOSTS:
            verdicts.clear()
        verdicts[host] = _is_admitted(content, host)
    return verdicts[host]


def _is_admitted(content: Mapping[str, Any], host: str) -> bool:
    """Steps of the specification."""
    if content.get("allow_ip_literals") is False and _is_ip_literal(host):  # 2
        return False
    if any(_fits(host, pattern) for pattern in _patterns(content, "deny")):  # 3
        return False
    return any(_fits(host, pattern) for pattern in _patterns(content, "allow"))  # 4, 5


def require_own_server(content: Mapping[str, Any], server_name: str) -> None:
    """Raise ``InvalidParam`` where an ACL would shut out the very server that sets it: nobody could open it again."""
    if not is_admitted(content, server_name):
        raise InvalidParam("This would shut your own server out of the room")


def _patterns(content: Mapping[str, Any], name: str) -> list[str]:
    found = content.get(name)
    return list(dict.fromkeys(item for item in found if isinstance(item, str))) if isinstance(found, list) else []


def _fits(host: str, pattern: str) -> bool:
    """Glob: ``*`` is any text, ``?`` any one character. Goes back to the last star only, so that no pattern is slow."""
    pattern = pattern.lower()
    pieces = _WILD.split(pattern)
    if not (host.startswith(pieces[0]) and host.endswith(pieces[-1]) and all(piece in host for piece in pieces)):
        return False
    at, place, star, resume = 0, 0, -1, 0
    while at < len(host):
        if place < len(pattern) and pattern[place] == "*":
            star, resume, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", host[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _is_ip_literal(host: str) -> bool:
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
