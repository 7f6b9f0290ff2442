"""Privileges that tell the truth (RFC 3744): apps decide by them whether a calendar is shown as read-only.

Thunderbird takes ``write-properties`` for a right to write entries; so a calendar that cannot be written does not
list it, although everybody may set a colour for themselves.
"""

from __future__ import annotations

from typing import Final

from server.caldav.paths import Place
from server.calendars.actions import Shelf
from server.calendars.model import Kind

_READ: Final = ("D:read", "D:read-current-user-privilege-set", "C:read-free-busy")
_ENTRIES: Final = ("D:write-content", "D:bind", "D:unbind")
# Invitations are answered and removed, not added; messages are removed; busy times are asked for.
_BY_KIND: Final = {
    Kind.INVITED: ("D:write-content", "D:unbind"),
    Kind.INBOX: ("D:unbind", "C:schedule-deliver"),
    Kind.OUTBOX: ("C:schedule-send", "C:schedule-send-freebusy"),
}
_OWN: Final = ("D:write", "D:write-properties", *_ENTRIES)


def privileges_of(place: Place, shelf: Shelf | None) -> tuple[str, ...]:
    """The caller's privileges on a resource, as prefixed names."""
    if shelf is None:
        return (*_READ, "D:bind", "D:unbind") if place is Place.HOME else _READ
    special = _BY_KIND.get(shelf.collection.kind)
    if special is not None:
        return (*_READ, *special)
    if not shelf.may_write:
        return _READ
    if place is Place.ITEM:
        return (*_READ, "D:write-content")
    return (*_READ, *(_OWN if shelf.is_own else _ENTRIES))


def privileges_xml(place: Place, shelf: Shelf | None) -> str:
    """The inside of ``current-user-privilege-set``."""
    return "".join(f"<D:privilege><{name}/></D:privilege>" for name in privileges_of(place, shelf))


def supported_privileges_xml() -> str:
    """The inside of ``supported-privilege-set`` (RFC 3744 section 5.3): the tree of all that we tell apart."""
    write = "".join(_leaf(name, text) for name, text in (
        ("D:write-properties", "Change properties"), ("D:write-content", "Change entries"),
        ("D:bind", "Add entries"), ("D:unbind", "Remove entries"),
    ))
    read = _leaf("C:read-free-busy", "Read busy times")
    return _branch("D:all", "Everything", "".join((
        _branch("D:read", "Read", read),
        _leaf("D:read-current-user-privilege-set", "Read one's own privileges"),
        _branch("D:write", "Write", write),
        _leaf("C:schedule-deliver", "Get messages"),
        _branch("C:schedule-send", "Send messages", _leaf("C:schedule-send-freebusy", "Ask for busy times")),
    )))


def _leaf(name: str, text: str) -> str:
    return _branch(name, text, "")


def _branch(name: str, text: str, inner: str) -> str:
    return (f"<D:supported-privilege><D:privilege><{name}/></D:privilege>"
            f'<D:description xml:lang="en">{text}</D:description>{inner}</D:supported-privilege>')
