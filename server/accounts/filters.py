"""Filters of users (spec, "Filtering"): checked once when they come, kept under a number."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final

import orjson

from server.accounts.account_data_store import add_filter, drop_filter, filters_of
from server.foundation.canonical_json import canonical_json, require_canonical, to_keep
from server.foundation.errors import BadRequest, NotFound, TooLarge
from server.storage.database import Database, Writes

MAX_FILTER_BYTES: Final = 65_536
# Of one user. A client that asks for one that is gone is told so, and makes it anew.
MOST_FILTERS: Final = 200
_KEPT_USERS: Final = 5_000
_TEXT_LISTS: Final = ("types", "not_types", "senders", "not_senders", "rooms", "not_rooms")
_FLAGS: Final = ("lazy_load_members", "include_redundant_members", "contains_url", "unread_thread_notifications")


class Filters:
    """Everybody's filters. The same filter again gets the same number."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, dict[bytes, str]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def add(self, user_id: str, definition: dict[str, Any]) -> str:
        """Keep a filter and answer its id; raises ``BadRequest`` for what is none."""
        check_filter(definition)
        data = to_keep(canonical_json(definition))
        if len(data) > MAX_FILTER_BYTES:
            raise TooLarge("The filter is larger than 64 KiB")
        known = (await self._of(user_id)).get(data)
        if known is not None:
            return known
        async with self._lock:
            filters = await self._of(user_id)
            if data not in filters:
                await self._store(user_id, data, filters)
            return filters[data]

    async def find(self, user_id: str, filter_id: str) -> dict[str, Any]:
        """A filter by its id; raises ``NotFound``."""
        for data, known_id in (await self._of(user_id)).items():
            if known_id == filter_id:
                definition: dict[str, Any] = orjson.loads(data)
                return definition
        raise NotFound("You have no such filter")

    async def _of(self, user_id: str) -> dict[bytes, str]:
        filters = self._known.get(user_id)
        if filters is None:
            stored = await filters_of(self._database, user_id)
            filters = self._known.setdefault(user_id, {data: str(number) for number, data in stored})
            if len(self._known) > _KEPT_USERS:
                self._known.popitem(last=False)
        return filters

    async def _store(self, user_id: str, data: bytes, filters: dict[bytes, str]) -> None:
        """Keep one more; the oldest goes where there are too many."""
        writes, numbers = Writes(), [int(number) for number in filters.values()]
        number = max(numbers, default=-1) + 1
        add_filter(writes, user_id, number, data)
        oldest = next(iter(filters)) if len(filters) >= MOST_FILTERS else None
        if oldest is not None:
            drop_filter(writes, user_id, int(filters[oldest]))
        await asyncio.shield(self._database.submit(writes))
        filters[data] = str(number)
        if oldest is not None:
            filters.pop(oldest, None)


def check_filter(definition: object) -> None:
    """Raise ``BadRequest`` unless ``definition`` can be a filter of ``/sync``; unknown fields are let through."""
    if not isinstance(definition, dict):
        raise BadRequest("A filter is an object")
    require_canonical(definition)
    fields = definition.get("event_fields", [])
    if not _is_text_list(fields):
        raise BadRequest("event_fields is a list of texts")
    if definition.get("event_format", "client") not in ("client", "federation"):
        raise BadRequest("event_format is client or federation")
    for name in ("account_data", "presence"):
        check_event_filter(definition.get(name), name)
    rooms = definition.get("room")
    check_event_filter(rooms, "room")
    if not isinstance((rooms or {}).get("include_leave", False), bool):
        raise BadRequest("room.include_leave is true or false")
    for name in ("account_data", "ephemeral", "state", "timeline"):
        check_event_filter((rooms or {}).get(name), f"room.{name}")


def check_event_filter(value: object, name: str) -> None:
    """The same for one part: lists of texts, a limit, flags that are strictly true or false."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise BadRequest(f"{name} of a filter is an object")
    for key in _TEXT_LISTS:
        if value.get(key) is not None and not _is_text_list(value[key]):
            raise BadRequest(f"{name}.{key} is a list of texts")
    for key in _FLAGS:
        if value.get(key) is not None and not isinstance(value[key], bool):
            raise BadRequest(f"{name}.{key} is true or false")
    limit = value.get("limit")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise BadRequest(f"{name}.limit is a whole number")
    for key in ("rooms", "not_rooms"):
        _check_ids(value.get(key), "!", f"{name}.{key}")
    for key in ("senders", "not_senders"):
        _check_ids(value.get(key), "@", f"{name}.{key}")


def _check_ids(value: list[str] | None, sigil: str, name: str) -> None:
    for identifier in value or ():
        if not identifier.startswith(sigil):
            raise BadRequest(f"{name} holds something that begins otherwise than with {sigil}")


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
