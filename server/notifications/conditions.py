"""The conditions of push rules, made into functions (spec: "Conditions"). Equal conditions become one function.

A condition that is not understood, or not well formed, never holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any, Final

import orjson

from server.notifications.event_view import EventView, Test, path_of
from server.notifications.globs import whole, words

_COUNT: Final = re.compile(r"(==|<=|>=|<|>|)([0-9]{1,15})")
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {"": eq, "==": eq, "<": lt, ">": gt, "<=": le, ">=": ge}
_SCALARS: Final = (str, int, bool, type(None))
_BODY: Final = ("content", "body")


def never(_view: EventView) -> bool:
    """A condition that is not understood."""
    return False


def names_reader(_view: EventView) -> bool:
    """``contains_display_name``. The only one that depends on who reads: rules ask ``EventView.names`` instead."""
    raise AssertionError("asked without a reader")


def condition(described: dict[str, Any]) -> Test:
    """The function of a condition as a rule describes it."""
    return _condition(orjson.dumps(described, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=8_000)
def body_matches(pattern: str) -> Test:
    """Whether the pattern of a content rule is found in the body, between word boundaries."""
    matches = words(pattern)
    return lambda view: view.body is not None and matches(view.body)


@lru_cache(maxsize=8_000)
def _condition(described: bytes) -> Test:
    given: dict[str, Any] = orjson.loads(described)
    make = _KINDS.get(given.get("kind", ""))
    return never if make is None else make(given)


def _event_match(given: dict[str, Any]) -> Test:
    key, pattern = given.get("key"), given.get("pattern")
    if not isinstance(key, str) or not isinstance(pattern, str):
        return never
    path = path_of(key)
    if path == _BODY:
        return body_matches(pattern)
    matches = whole(pattern)

    def holds(view: EventView) -> bool:
        text = view.lowered(path)
        return text is not None and matches(text)

    return holds


def _event_property_is(given: dict[str, Any]) -> Test:
    key, wanted = given.get("key"), given.get("value")
    if not isinstance(key, str) or "value" not in given or type(wanted) not in _SCALARS:
        return never
    path = path_of(key)
    return lambda view: _is_same(view.value(path), wanted)


def _event_property_contains(given: dict[str, Any]) -> Test:
    key, wanted = given.get("key"), given.get("value")
    if not isinstance(key, str) or "value" not in given or type(wanted) not in _SCALARS:
        return never
    path = path_of(key)

    def holds(view: EventView) -> bool:
        found = view.value(path)
        return isinstance(found, list) and any(_is_same(item, wanted) for item in found)

    return holds


def _is_same(found: object, wanted: object) -> bool:
    return type(found) is type(wanted) and found == wanted


def _room_member_count(given: dict[str, Any]) -> Test:
    asked = given.get("is")
    read = _COUNT.fullmatch(asked) if isinstance(asked, str) else None
    if read is None:
        return never
    compare, number = _COMPARISONS[read[1]], int(read[2])
    return lambda view: compare(len(view.room.joined), number)


def _sender_notification_permission(given: dict[str, Any]) -> Test:
    key = given.get("key")
    if not isinstance(key, str):
        return never
    return lambda view: view.sender_may_alert(key)


_KINDS: Final[Mapping[str, Callable[[dict[str, Any]], Test]]] = {
    "event_match": _event_match,
    "event_property_is": _event_property_is,
    "event_property_contains": _event_property_contains,
    "contains_display_name": lambda _given: names_reader,
    "room_member_count": _room_member_count,
    "sender_notification_permission": _sender_notification_permission,
}
