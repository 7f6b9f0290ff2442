"""Sliding sync as clients speak it today: ``org.matrix.simplified_msc3575`` (MSC4186 before it was accepted)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson

from server.foundation.errors import BadRequest, InvalidParam
from server.rooms.event import StateKey
from server.sync.sliding.asked import Asked, Extensions, ListWish, RoomFilter, RoomWish, Scope, ToDeviceWish
from server.sync.sliding.engine import Answer
from server.sync.sliding.extensions import MOST_TO_DEVICE
from server.sync.sliding.required_state import StateWish
from server.sync.sliding.room_news import RoomNews
from server.sync.tokens import SyncToken

Json = dict[str, Any]
T = TypeVar("T")

_MOST_LISTS: Final = 100
_MOST_ROOMS: Final = 1_000
_MOST_PAIRS: Final = 1_000
# More events of a room than these are for /messages.
_MOST_EVENTS: Final = 100
_LONGEST_NAME: Final = 255

_KINDS: Final[Mapping[type, str]] = {
    str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list",
}


def parse(body: Json, user_id: str, pos: str | None, timeout_ms: int) -> Asked:
    """A request; raises ``BadRequest`` or ``InvalidParam``."""
    conn_id = _optional(body, "conn_id", str) or ""
    if len(conn_id) > _LONGEST_NAME:
        raise InvalidParam("conn_id is too long")
    lists = _optional(body, "lists", dict) or {}
    rooms = _optional(body, "room_subscriptions", dict) or {}
    if len(lists) > _MOST_LISTS or len(rooms) > _MOST_ROOMS:
        raise InvalidParam(f"At most {_MOST_LISTS} lists and {_MOST_ROOMS} rooms may be asked for")
    return Asked(
        conn_id, pos or None, timeout_ms,
        {_name(name): _list(_object(wish), user_id) for name, wish in lists.items()},
        {room_id: _room(_object(wish), user_id) for room_id, wish in rooms.items()},
        _extensions(_optional(body, "extensions", dict) or {}),
    )


def render(answer: Answer, body: Json) -> bytes:
    """An answer as JSON."""
    shown: Json = {
        "pos": answer.pos,
        "lists": {name: {"count": count} for name, count in answer.lists.items()},
        "rooms": {room_id: _room_json(news) for room_id, news in answer.rooms.items()},
        "extensions": {name: part.told for name, part in answer.extensions.items()},
    }
    if isinstance(body.get("txn_id"), str):
        shown["txn_id"] = body["txn_id"]
    return orjson.dumps(shown)


def _room_json(news: RoomNews) -> Json:
    shown = dict(news.shown)
    if news.stripped is not None:
        shown["invite_state"] = news.stripped
    if news.timeline is not None:
        shown["timeline"] = news.timeline
    shown["required_state"] = news.state or []
    if news.is_expanded:
        shown["unstable_expanded_timeline"] = True
    return shown


def _list(wish: Json, user_id: str) -> ListWish:
    ranges = _optional(wish, "ranges", list)
    return ListWish(
        _room(wish, user_id),
        None if ranges is None else tuple(_range(given) for given in ranges),
        _filter(_optional(wish, "filters", dict) or {}),
    )


def _range(given: object) -> tuple[int, int]:
    if isinstance(given, list) and len(given) == 2 and all(type(number) is int for number in given):
        first, last = given
        if 0 <= first <= last < 2**53:
            return first, last
    raise InvalidParam("A range is two whole numbers, the smaller one first")


def _room(wish: Json, user_id: str) -> RoomWish:
    limit = _required(wish, "timeline_limit", int)
    if limit < 0:
        raise InvalidParam("timeline_limit must not be negative")
    pairs = _required(wish, "required_state", list)
    if len(pairs) > _MOST_PAIRS:
        raise InvalidParam(f"required_state has at most {_MOST_PAIRS} entries")
    return _same(RoomWish(min(limit, _MOST_EVENTS), _state(pairs, user_id)))


@lru_cache(2_000)
def _same(wish: RoomWish) -> RoomWish:
    """One object for equal wishes: a device asks the same for all of its rooms, again and again."""
    return wish


def _state(given: list[object], user_id: str) -> StateWish:
    """``$ME`` is the asking user; ``$LAZY`` stands for the members who speak."""
    pairs: set[StateKey] = set()
    is_lazy = False
    for pair in given:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise BadRequest("An entry of required_state is a type and a state key")
        kind, state_key = pair
        if state_key == "$LAZY":
            is_lazy = is_lazy or kind in ("m.room.member", "*")
        else:
            pairs.add((kind, user_id if state_key == "$ME" else state_key))
    return StateWish(frozenset(pairs), is_lazy)


def _filter(given: Json) -> RoomFilter:
    spaces = given.get("spaces")
    not_types = _types(given, "not_room_types")
    return RoomFilter(
        _optional(given, "is_dm", bool), _optional(given, "is_encrypted", bool), _optional(given, "is_invite", bool),
        _types(given, "room_types"), not_types if not_types is not None else frozenset(),
        None if spaces is None else tuple(_texts(given, "spaces")),
    )


def _types(given: Json, name: str) -> frozenset[str | None] | None:
    types = _optional(given, name, list)
    if types is None:
        return None
    if not all(kind is None or isinstance(kind, str) for kind in types):
        raise BadRequest(f"{name} must be a list of texts")
    return frozenset(types)


def _extensions(given: Json) -> Extensions:
    to_device = _enabled(given, "to_device")
    scopes = {name: _scope(_enabled(given, name)) for name in ("account_data", "receipts", "typing")}
    return Extensions(
        None if to_device is None else _to_device(to_device), _enabled(given, "e2ee") is not None,
        scopes["account_data"], scopes["receipts"], scopes["typing"],
    )


def _enabled(given: Json, name: str) -> Json | None:
    wish = _optional(given, name, dict)
    return wish if wish is not None and _optional(wish, "enabled", bool) else None


def _to_device(wish: Json) -> ToDeviceWish:
    limit = _optional(wish, "limit", int)
    since = _optional(wish, "since", str)
    if limit is not None and limit < 1:
        raise InvalidParam("limit must be at least 1")
    return ToDeviceWish(
        SyncToken.parse(since).stream if since else None, min(limit or MOST_TO_DEVICE, MOST_TO_DEVICE)
    )


def _scope(wish: Json | None) -> Scope | None:
    if wish is None:
        return None
    found = [None if wish.get(name) is None else frozenset(_texts(wish, name)) for name in ("lists", "rooms")]
    lists, rooms = (None if names is None or "*" in names else names for names in found)
    return Scope(lists, rooms)


def _texts(given: Json, name: str) -> list[str]:
    texts = _required(given, name, list)
    if not all(isinstance(text, str) for text in texts):
        raise BadRequest(f"{name} must be a list of texts")
    return texts


def _name(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise InvalidParam("The name of a list is too long")
    return name


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise BadRequest("A list or a room is asked for by an object")
    return value


def _optional(given: Json, name: str, kind: type[T]) -> T | None:
    value = given.get(name)
    if value is not None and type(value) is not kind:
        raise BadRequest(f"{name} must be {_KINDS[kind]}")
    return value


def _required(given: Json, name: str, kind: type[T]) -> T:
    value = _optional(given, name, kind)
    if value is None:
        raise BadRequest(f"{name} is missing")
    return value
