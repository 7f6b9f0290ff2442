"""Asking other servers which event is nearest to a moment, where we do not know so much of a room ourselves.

Source: server-server API, ``GET timestamp_to_event``. What they name is fetched and judged before anybody hears of it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple

from federation.identity.servers import Servers, path_of
from server.foundation.errors import Refused
from server.foundation.ids import server_name_of
from server.rooms.backfill import Backfill
from server.rooms.live_room import LiveRoom

_PATH: Final = "/_matrix/federation/v1/timestamp_to_event"
_MOST_SERVERS: Final = 4
_SECONDS: Final = 10.0
_LONGEST_ID: Final = 255


class _Named(NamedTuple):
    server: str
    event_id: str
    ts: int


class FarMoments:
    """Finds events by time."""

    def __init__(self, servers: Servers, backfill: Backfill) -> None:
        self._servers = servers
        self._backfill = backfill

    async def find(self, room: LiveRoom, ts: int, *, backwards: bool) -> str | None:
        """The nearest event before or after ``ts`` that some servers of the room know; it is known here, then."""
        asked = [self._ask(server, room, ts, backwards=backwards) for server in _best(room)]
        named = {item.event_id: item for item in await asyncio.gather(*asked) if item is not None}
        for item in sorted(named.values(), key=lambda item: abs(item.ts - ts)):
            event = await self._backfill.reach(room, item.server, item.event_id)
            if event is not None and event.origin_server_ts == item.ts:
                return item.event_id
        return None

    async def _ask(self, server: str, room: LiveRoom, ts: int, *, backwards: bool) -> _Named | None:
        query = [("ts", str(ts)), ("dir", "b" if backwards else "f")]
        try:
            answer = await self._servers.get(server, path_of(_PATH, room.room_id), query, timeout_s=_SECONDS)
        except Refused:
            return None
        return _named(server, answer, ts, backwards=backwards)


def _named(server: str, answer: Any, ts: int, *, backwards: bool) -> _Named | None:
    event_id = answer.get("event_id") if isinstance(answer, dict) else None
    found = answer.get("origin_server_ts") if isinstance(answer, dict) else None
    if not isinstance(event_id, str) or type(found) is not int or not 1 < len(event_id) <= _LONGEST_ID:
        return None
    return _Named(server, event_id, found) if (found <= ts if backwards else found >= ts) else None


def _best(room: LiveRoom) -> list[str]:
    """A few servers, that of the room's creator first: it has been there from the beginning."""
    create = room.state.get(("m.room.create", ""))
    creator = server_name_of(create.sender) if create is not None else ""
    return sorted(room.other_servers(), key=lambda server: (server != creator, server))[:_MOST_SERVERS]
