"""Sliding sync as clients speak it today: ``org.matrix.simplified_msc3575`` (MSC4186 before it was accepted)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import orjson

from server.foundation.canonical_json import parse_json
from server.foundation.errors import BadRequest, InvalidParam
from server.rooms.event import StateKey
from server.sync.sliding.answer import Answer
from server.sync.sliding.asked import Asked, ListWish, RoomWish, Wishes
from server.sync.sliding.look import RoomNews
from server.sync.sliding.reading import (
    LONGEST_NAME,
    MOST_LISTS,
    MOST_PAIRS,
    MOST_ROOMS,
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

_EXTENSIONS: Final = {name: (name,) for name in ("to_device", "e2ee", "account_data", "receipts", "typing")}
_KEPT_BYTES: Final = 16_384


def parse(body: bytes, pos: str | None, timeout_ms: int) -> tuple[Asked, str | None]:
    """A request, and its ``txn_id``; raises ``BadRequest`` or ``InvalidParam``.

    A device sends the same body again and again, and devices of one kind all send the same.
    """
    conn_id, txn_id, wishes = _read_again(body) if len(body) <= _KEPT_BYTES else _read(body)
    return Asked(conn_id, pos or None, timeout_ms, wishes), txn_id


def render(answer: Answer, txn_id: str | None) -> bytes:
    """An answer as JSON."""
    shown: Json = {
        "pos": answer.pos,
        "lists": {name: {"count": count} for name, count in answer.lists.items()},
        "rooms": {room_id: _room_json(news) for room_id, news in answer.rooms.items()},
        "extensions": {name: _extension_json(name, part.told) for name, part in answer.extensions.items()},
    }
    if txn_id is not None:
        shown["txn_id"] = txn_id
    return orjson.dumps(shown)


def _room_json(news: RoomNews) -> Json:
    shown = dict(news.shown)
    if news.stripped is not None and news.timeline is None:
        shown["invite_state"] = news.stripped
    if news.timeline is not None:
        shown["timeline"] = news.timeline
    shown["required_state"] = news.state or []
    if news.is_expanded:
        shown["unstable_expanded_timeline"] = True
    return shown


def _extension_json(name: str, told: Json) -> Json:
    if name != "receipts":
        return told
    return {"rooms": {room_id: orjson.Fragment(event) for room_id, event in told["rooms"].items()}}


def _read(data: bytes) -> tuple[str, str | None, Wishes]:
    body = parse_json(data) if data else {}
    if not isinstance(body, dict):
        raise BadRequest("The request must be a JSON object")
    lists = objects(body, "lists", MOST_LISTS)
    if any(len(name) > LONGEST_NAME for name in lists):
        raise InvalidParam("The name of a list is too long")
    wishes = Wishes(
        {name: _list(wish) for name, wish in lists.items()},
        {room_id: _room(wish) for room_id, wish in objects(body, "room_subscriptions", MOST_ROOMS).items()},
        extensions(optional(body, "extensions", dict) or {}, _EXTENSIONS, star=True),
    )
    txn_id = body.get("txn_id")
    return conn_id_of(body), txn_id if isinstance(txn_id, str) else None, wishes


_read_again = lru_cache(256)(_read)


def _list(wish: Json) -> ListWish:
    ranges = optional(wish, "ranges", list)
    if ranges is not None and len(ranges) > MOST_LISTS:
        raise InvalidParam(f"A list has at most {MOST_LISTS} ranges")
    return ListWish(
        _room(wish), None if ranges is None else tuple(window(given) for given in ranges),
        room_filter(optional(wish, "filters", dict) or {}, "is_invite"),
    )


def _room(wish: Json) -> RoomWish:
    limit = required(wish, "timeline_limit", int)
    pairs = required(wish, "required_state", list)
    if len(pairs) > MOST_PAIRS:
        raise InvalidParam(f"required_state has at most {MOST_PAIRS} entries")
    return room_wish(limit, _state(pairs))


def _state(given: list[object]) -> StateWish:
    """``$ME`` is the asking user; ``$LAZY`` stands for the members who speak."""
    pairs: set[StateKey] = set()
    own: set[str] = set()
    is_lazy = False
    for pair in given:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise BadRequest("An entry of required_state is a type and a state key")
        kind, state_key = (ANY if part == "*" else part for part in pair)
        if state_key == "$LAZY":
            is_lazy = is_lazy or kind in ("m.room.member", ANY)
        elif state_key == "$ME":
            own.add(kind)
        else:
            pairs.add((kind, state_key))
    return StateWish(frozenset({Pick(frozenset(pairs), frozenset(own), lazy=is_lazy)}))
