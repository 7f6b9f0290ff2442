"""Filters of ``/sync`` and ``/messages`` (spec: "Filtering"), parsed once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

from server.foundation.canonical_json import canonical_json, parse_json, require_canonical, to_keep
from server.foundation.errors import BadRequest
from server.rooms.event import Event

DEFAULT_INITIAL: Final = 10
DEFAULT_INCREMENTAL: Final = 100
MAX_TIMELINE: Final = 2_000

_KEPT: Final = 5_000

_Names = tuple[str, ...] | None


def _fits(kind: str, pattern: str) -> bool:
    """``*`` is the only sign of a pattern that does not stand for itself."""
    return kind == pattern or ("*" in pattern and fnmatchcase(kind, pattern.replace("[", "[[]").replace("?", "[?]")))


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of one kind are wanted. ``None`` means any."""

    types: _Names = None
    not_types: tuple[str, ...] = ()
    senders: _Names = None
    not_senders: tuple[str, ...] = ()
    rooms: _Names = None
    not_rooms: tuple[str, ...] = ()
    contains_url: bool | None = None
    limit: int | None = None
    lazy_members: bool = False
    redundant_members: bool = False
    unread_by_thread: bool = False
    # In pages of a room's past only: events to which others relate in one of these ways, by one of these people.
    related_by_types: _Names = None
    related_by_senders: _Names = None

    @property
    def wants_all(self) -> bool:
        """Whether no event is left out."""
        return (
            self.types is None and not self.not_types and self.senders is None and not self.not_senders
            and self.contains_url is None
        )

    def wants_type(self, kind: str) -> bool:
        """Whether events of a type are wanted; ``*`` stands for anything."""
        if any(_fits(kind, pattern) for pattern in self.not_types):
            return False
        return self.types is None or any(_fits(kind, pattern) for pattern in self.types)

    def wants(self, event: Event) -> bool:
        """Whether an event is wanted."""
        if self.wants_all:
            return True
        return self.wants_type(event.type) and self.wants_sender(event.sender) and self._wants_content(event)

    def wants_room(self, room_id: str) -> bool:
        """Whether a room is wanted."""
        return room_id not in self.not_rooms and (self.rooms is None or room_id in self.rooms)

    def wants_sender(self, sender: str) -> bool:
        """Whether events of a sender are wanted."""
        return sender not in self.not_senders and (self.senders is None or sender in self.senders)

    def _wants_content(self, event: Event) -> bool:
        return self.contains_url is None or isinstance(event.content.get("url"), str) is self.contains_url


_NOTHING: Final = EventFilter(types=())


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A whole filter. Two filters are the same if ``key`` is, the canonical form of what the client said."""

    key: bytes = b"{}"
    timeline: EventFilter = field(default_factory=EventFilter)
    state: EventFilter = field(default_factory=EventFilter)
    ephemeral: EventFilter = field(default_factory=EventFilter)
    room_account_data: EventFilter = field(default_factory=EventFilter)
    account_data: EventFilter = field(default_factory=EventFilter)
    presence: EventFilter = field(default_factory=EventFilter)
    rooms: _Names = None
    not_rooms: tuple[str, ...] = ()
    include_leave: bool = False
    event_fields: tuple[str, ...] = ()
    federation_format: bool = False

    def wants_room(self, room_id: str) -> bool:
        """Whether anything of a room is wanted."""
        return room_id not in self.not_rooms and (self.rooms is None or room_id in self.rooms)

    def in_room(self, room_id: str) -> Filter:
        """The filter as it holds in one room: a part of it may be meant for some rooms only."""
        parts = (self.timeline, self.state, self.ephemeral, self.room_account_data)
        if all(part.wants_room(room_id) for part in parts):
            return self
        timeline, state, ephemeral, data = (part if part.wants_room(room_id) else _NOTHING for part in parts)
        key = b"%b in %b" % (self.key, room_id.encode())
        return replace(
            self, key=key, timeline=timeline, state=state, ephemeral=ephemeral, room_account_data=data
        )

    def timeline_limit(self, initial: bool) -> int:
        """How many events of a room are sent at most."""
        default = DEFAULT_INITIAL if initial else DEFAULT_INCREMENTAL
        limit = self.timeline.limit
        return default if limit is None else max(0, min(limit, MAX_TIMELINE))


NO_FILTER: Final = Filter()


class StoredFilters:
    """Filters that clients have stored, read once: a stored filter never changes."""

    def __init__(self, find: Callable[[str, str], Awaitable[dict[str, Any]]]) -> None:
        self._find = find
        self._known: OrderedDict[tuple[str, str], Filter] = OrderedDict()

    async def of(self, user_id: str, filter_id: str) -> Filter:
        """The filter ``filter_id`` of a user; raises what ``find`` raises."""
        known = self._known.get((user_id, filter_id))
        if known is None:
            known = self._known[(user_id, filter_id)] = parse_filter(await self._find(user_id, filter_id))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known


def parse_filter(value: object) -> Filter:
    """Read a filter object; raises ``BadRequest`` where a part has a wrong type."""
    if not isinstance(value, dict):
        raise BadRequest("A filter is an object")
    require_canonical(value)
    return _parsed(to_keep(canonical_json(value)))


@lru_cache(maxsize=500)
def _parsed(data: bytes) -> Filter:
    value = parse_json(data)
    room = _object(value, "room")
    return Filter(
        key=data,
        timeline=_event_filter(_object(room, "timeline")),
        state=_event_filter(_object(room, "state")),
        ephemeral=_event_filter(_object(room, "ephemeral")),
        room_account_data=_event_filter(_object(room, "account_data")),
        account_data=_event_filter(_object(value, "account_data")),
        presence=_event_filter(_object(value, "presence")),
        rooms=_optional_names(room, "rooms"),
        not_rooms=_optional_names(room, "not_rooms") or (),
        include_leave=_flag(room, "include_leave") or False,
        event_fields=_optional_names(value, "event_fields") or (),
        federation_format=_format(value),
    )


def _event_filter(value: dict[str, Any]) -> EventFilter:
    return EventFilter(
        types=_optional_names(value, "types"),
        not_types=_optional_names(value, "not_types") or (),
        senders=_optional_names(value, "senders"),
        not_senders=_optional_names(value, "not_senders") or (),
        rooms=_optional_names(value, "rooms"),
        not_rooms=_optional_names(value, "not_rooms") or (),
        contains_url=_flag(value, "contains_url"),
        limit=_limit(value),
        lazy_members=_flag(value, "lazy_load_members") or False,
        redundant_members=_flag(value, "include_redundant_members") or False,
        unread_by_thread=_flag(value, "unread_thread_notifications") or False,
        related_by_types=_optional_names(value, "related_by_rel_types"),
        related_by_senders=_optional_names(value, "related_by_senders"),
    )


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    part = value.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise BadRequest(f"{name} of a filter is an object")
    return part


def _checked(value: dict[str, Any], name: str, is_right: Callable[[Any], bool], kind: str) -> Any:
    part = value.get(name)
    if part is not None and not is_right(part):
        raise BadRequest(f"{name} of a filter is {kind}")
    return part


def _optional_names(value: dict[str, Any], name: str) -> _Names:
    part = _checked(value, name, _is_names, "a list of texts")
    return None if part is None else tuple(part)


def _is_names(part: Any) -> bool:
    return isinstance(part, list) and len(part) <= 1_000 and all(isinstance(item, str) for item in part)


def _flag(value: dict[str, Any], name: str) -> bool | None:
    flag: bool | None = _checked(value, name, lambda part: isinstance(part, bool), "true or false")
    return flag


def _limit(value: dict[str, Any]) -> int | None:
    limit: int | None = _checked(value, "limit", lambda part: type(part) is int and part >= 0, "a whole number")
    return limit


def _format(value: dict[str, Any]) -> bool:
    part = _checked(value, "event_format", lambda name: name in ("client", "federation"), "client or federation")
    return bool(part == "federation")
