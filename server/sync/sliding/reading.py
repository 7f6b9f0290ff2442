"""Reading requests of sliding sync strictly: what both dialects say in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from server.foundation.errors import BadRequest, InvalidParam
from server.sync.sliding.asked import Extensions, RoomFilter, RoomWish, Scope, ToDeviceWish
from server.sync.sliding.extensions import MOST_TO_DEVICE
from server.sync.sliding.required_state import StateWish
from server.sync.tokens import SyncToken

Json = dict[str, Any]
T = TypeVar("T")

MOST_LISTS: Final = 100
MOST_ROOMS: Final = 1_000
MOST_PAIRS: Final = 1_000
LONGEST_NAME: Final = 255
# More events of a room than these are for /messages.
_MOST_EVENTS: Final = 100
_MOST_TEXTS: Final = 1_000
PRESENCES: Final = ("online", "offline", "unavailable")

_KINDS: Final[Mapping[type, str]] = {
    str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list",
}


def objects(body: Json, name: str, most: int) -> dict[str, Json]:
    """A map of objects, with ``most`` of them at most."""
    given = optional(body, name, dict) or {}
    if len(given) > most:
        raise InvalidParam(f"{name} has at most {most} entries")
    for value in given.values():
        if not isinstance(value, dict):
            raise BadRequest("A list or a room is asked for by an object")
    return given


def conn_id_of(body: Json) -> str:
    """The name of the connection; empty where there is none."""
    conn_id = optional(body, "conn_id", str) or ""
    if len(conn_id) > LONGEST_NAME:
        raise InvalidParam("conn_id is too long")
    return conn_id


def window(given: object) -> tuple[int, int]:
    """Two whole numbers, the smaller one first."""
    if isinstance(given, list) and len(given) == 2 and all(type(number) is int for number in given):
        first, last = given
        if 0 <= first <= last < 2**53:
            return first, last
    raise InvalidParam("A range is two whole numbers, the smaller one first")


def room_wish(limit: int, state: StateWish) -> RoomWish:
    """A wish; equal ones are one object, as a device asks the same for all of its rooms, again and again."""
    if limit < 0:
        raise InvalidParam("timeline_limit must not be negative")
    return _same(RoomWish(min(limit, _MOST_EVENTS), state))


@lru_cache(2_000)
def _same(wish: RoomWish) -> RoomWish:
    return wish


def room_filter(given: Json, invite: str) -> RoomFilter:
    """The filters of a list; that of invitations is called ``invite``."""
    not_types = _types(given, "not_room_types")
    return RoomFilter(
        optional(given, "is_dm", bool), optional(given, "is_encrypted", bool), optional(given, invite, bool),
        _types(given, "room_types"), not_types if not_types is not None else frozenset(),
        None if given.get("spaces") is None else tuple(texts(given, "spaces")),
        optional(given, "room_name_like", str) or None,
        None if given.get("tags") is None else frozenset(texts(given, "tags")),
        frozenset() if given.get("not_tags") is None else frozenset(texts(given, "not_tags")),
    )


def _types(given: Json, name: str) -> frozenset[str | None] | None:
    types = optional(given, name, list)
    if types is None:
        return None
    if not all(kind is None or isinstance(kind, str) for kind in types):
        raise BadRequest(f"{name} must be a list of texts")
    return frozenset(types)


def extensions(given: Json, keys: Mapping[str, Sequence[str]], *, star: bool) -> Extensions:
    """The extensions, each under one of its ``keys``; with ``star`` the text ``*`` stands for everything."""
    found = {name: _enabled(given, names) for name, names in keys.items()}
    to_device = found["to_device"]
    scopes = {name: _scope(found[name], star=star) for name in ("account_data", "receipts", "typing")}
    return Extensions(
        None if to_device is None else _to_device(to_device), found["e2ee"] is not None,
        scopes["account_data"], scopes["receipts"], scopes["typing"],
    )


def _enabled(given: Json, names: Sequence[str]) -> Json | None:
    for name in names:
        wish = optional(given, name, dict)
        if wish is not None and optional(wish, "enabled", bool):
            return wish
    return None


def _to_device(wish: Json) -> ToDeviceWish:
    limit = wish.get("limit")
    since = optional(wish, "since", str)
    if limit is not None and (type(limit) is not int or limit < 1):
        raise InvalidParam("limit must be at least 1")
    return ToDeviceWish(
        SyncToken.parse(since).stream if since else None, min(limit or MOST_TO_DEVICE, MOST_TO_DEVICE)
    )


def _scope(wish: Json | None, *, star: bool) -> Scope | None:
    if wish is None:
        return None
    found = [None if wish.get(name) is None else frozenset(texts(wish, name)) for name in ("lists", "rooms")]
    lists, rooms = (None if names is None or (star and "*" in names) else names for names in found)
    return Scope(lists, rooms)


def texts(given: Json, name: str) -> list[str]:
    """A list of texts."""
    found = required(given, name, list)
    if len(found) > _MOST_TEXTS:
        raise InvalidParam(f"{name} has at most {_MOST_TEXTS} entries")
    if not all(isinstance(text, str) for text in found):
        raise BadRequest(f"{name} must be a list of texts")
    return found


def optional(given: Json, name: str, kind: type[T]) -> T | None:
    """``given[name]`` if it is there and not null; raises ``BadRequest`` where it is of another kind."""
    value = given.get(name)
    if value is not None and type(value) is not kind:
        raise BadRequest(f"{name} must be {_KINDS[kind]}")
    return value


def required(given: Json, name: str, kind: type[T]) -> T:
    """The same of what must be there."""
    value = optional(given, name, kind)
    if value is None:
        raise BadRequest(f"{name} is missing")
    return value
