"""Sliding sync as it was accepted: ``POST /_matrix/client/v4/sync`` (MSC4186), with its extensions.

Sources of the extensions: MSC4508 (typing, accepted), MSC4538 (to-device), MSC4543 (end-to-end encryption), MSC4548
(account data), MSC4551 (receipts). Each is known under its name and under the name it has until it is accepted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from server.foundation.canonical_json import parse_json
from server.foundation.errors import BadRequest, InvalidParam
from server.rooms.event import StateKey
from server.sync.sliding.answer import Answer
from server.sync.sliding.asked import Asked, ListWish, RoomWish, Wishes
from server.sync.sliding.look import RoomNews
from server.sync.sliding.reading import (
    MOST_LISTS,
    MOST_PAIRS,
    MOST_ROOMS,
    PRESENCES,
    conn_id_of,
    extensions,
    objects,
    optional,
    required,
    room_filter,
    room_wish,
    window,
)
from server.sync.sliding.required_state import ANY, Pick, StateWish

Json = dict[str, Any]

_EXTENSIONS: Final = {
    "to_device": ("to_device", "org.matrix.msc4538.to_device"),
    "e2ee": ("e2ee", "org.matrix.msc4543.e2ee"),
    "account_data": ("account_data", "org.matrix.msc4548.account_data"),
    "receipts": ("receipts", "org.matrix.msc4551.receipts"),
    "typing": ("typing", "org.matrix.msc4508.typing"),
}
# Spec, "Opaque Identifiers".
_LIST_NAME: Final = re.compile(r"[0-9A-Za-z._~-]{1,255}")
_KEPT_BYTES: Final = 16_384


class Request(NamedTuple):
    """What was asked, whether the device is to be seen as online, and how the extensions are called to it."""

    asked: Asked
    presence: str
    names: dict[str, str]


def parse(data: bytes) -> Request:
    """A request; raises ``BadRequest`` or ``InvalidParam``. What stays the same between requests is read once."""
    body = parse_json(data) if data else {}
    if not isinstance(body, dict):
        raise BadRequest("The request must be a JSON object")
    pos, timeout = optional(body, "pos", str), optional(body, "timeout", int) or 0
    if timeout < 0:
        raise InvalidParam("timeout must not be negative")
    presence = optional(body, "set_presence", str)
    if presence is not None and presence not in PRESENCES:
        raise InvalidParam("set_presence is online, unavailable or offline")
    rest = {name: value for name, value in body.items() if name not in ("pos", "timeout", "set_presence")}
    conn_id, names, wishes = _read_again(orjson.dumps(rest)) if len(data) <= _KEPT_BYTES else _read(rest)
    return Request(Asked(conn_id, pos or None, timeout, wishes), presence or "online", names)


def render(answer: Answer, names: dict[str, str]) -> bytes:
    """An answer as JSON; ``names`` are those of the extensions."""
    return orjson.dumps({
        "pos": answer.pos,
        "lists": {name: {"count": count} for name, count in answer.lists.items()},
        "rooms": {room_id: _room_json(news) for room_id, news in answer.rooms.items()},
        "extensions": {names[name]: _extension_json(name, part.told) for name, part in answer.extensions.items()},
    })


def _room_json(news: RoomNews) -> Json:
    where: Json = {"membership": news.membership}
    if news.lists:
        where["lists"] = news.lists
    if news.stripped is not None:
        return where | {"bump_stamp": news.shown["bump_stamp"], "stripped_state": news.stripped}
    shown = news.shown | where
    if "notification_count" in shown:  # threads are counted apart
        shown |= {"notification_count": news.unread.main_notify, "highlight_count": news.unread.main_highlight}
    if news.timeline is not None:
        shown["timeline_events"] = news.timeline
    shown["required_state"] = [
        *(news.state or ()), *({"type": kind, "state_key": state_key} for kind, state_key in news.gone),
    ]
    if news.is_expanded:
        shown["expanded_timeline"] = True
    return shown


def _extension_json(name: str, told: Json) -> Json:
    """Receipts and typing come without the event that is wrapped around them elsewhere."""
    if name == "typing":
        return {"rooms": {room_id: event["content"] for room_id, event in told["rooms"].items()}}
    if name == "receipts":
        start, end = len(b'{"type":"m.receipt","content":'), len(b"}")
        return {"rooms": {room_id: orjson.Fragment(event[start:-end]) for room_id, event in told["rooms"].items()}}
    return told


def _read(body: Json) -> tuple[str, dict[str, str], Wishes]:
    lists = objects(body, "lists", MOST_LISTS)
    for name in lists:
        if not _LIST_NAME.fullmatch(name):
            raise InvalidParam("The name of a list has up to 255 letters, digits and . _ ~ -")
    asked = optional(body, "extensions", dict) or {}
    wishes = Wishes(
        {name: _list(wish) for name, wish in lists.items()},
        {room_id: _room(wish) for room_id, wish in objects(body, "room_subscriptions", MOST_ROOMS).items()},
        extensions(asked, _EXTENSIONS, star=False),
    )
    names = {name: next((key for key in keys if key in asked), name) for name, keys in _EXTENSIONS.items()}
    return conn_id_of(body), names, wishes


@lru_cache(256)
def _read_again(data: bytes) -> tuple[str, dict[str, str], Wishes]:
    return _read(orjson.loads(data))


def _list(wish: Json) -> ListWish:
    given = wish.get("range")
    return ListWish(
        _room(wish), None if given is None else (window(given),),
        room_filter(optional(wish, "filters", dict) or {}, "is_invited"),
    )


def _room(wish: Json) -> RoomWish:
    return room_wish(required(wish, "timeline_limit", int), _state(required(wish, "required_state", dict)))


def _state(given: Json) -> StateWish:
    return StateWish(frozenset({Pick(
        _elements(given, "include"), but_not=_elements(given, "exclude"),
        lazy=optional(given, "lazy_members", bool) or False,
    )}))


def _elements(given: Json, name: str) -> frozenset[StateKey]:
    """Pairs of type and state key; what is left out stands for everything."""
    elements = optional(given, name, list) or []
    if len(elements) > MOST_PAIRS:
        raise InvalidParam(f"required_state has at most {MOST_PAIRS} entries")
    found = set()
    for element in elements:
        if not isinstance(element, dict):
            raise BadRequest("An entry of required_state is an object")
        kind, state_key = optional(element, "type", str), optional(element, "state_key", str)
        found.add((ANY if kind is None else kind, ANY if state_key is None else state_key))
    return frozenset(found)
