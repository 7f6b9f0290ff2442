"""Asking other servers about rooms that we are in: the room core's port ``Peers``, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from federation.identity.event_signatures import EventReader
from federation.identity.servers import MOST_BYTES, Servers, path_of
from server.rooms.event import Event
from server.rooms.live_room import LiveRoom
from server.rooms.ports import PeerFailed

_V1: Final = "/_matrix/federation/v1"
_AT_ONCE: Final = 8
_LONG_S: Final = 120.0
_MOST_EVENTS: Final = 200_000


class HttpPeers:
    """Implements ``server.rooms.ports.Peers``."""

    def __init__(self, servers: Servers, reader: EventReader) -> None:
        self._servers = servers
        self._reader = reader

    async def missing_events(
        self, server: str, room: LiveRoom, earliest: Sequence[str], latest: Sequence[str], limit: int
    ) -> list[Event]:
        """POST get_missing_events"""
        answer = await self._servers.ask(
            server, "POST", path_of(f"{_V1}/get_missing_events", room.room_id), content={
                "earliest_events": list(earliest)[:20], "latest_events": list(latest)[:20], "limit": limit,
                "min_depth": 0,
            },
        )
        return await self._read(server, room, _events_in(answer, "events")[:limit])

    async def authorities(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """GET event_auth"""
        answer = await self._servers.get(server, path_of(f"{_V1}/event_auth", room.room_id, event_id))
        return await self._read(server, room, _events_in(answer, "auth_chain"))

    async def state_ids_before(self, server: str, room: LiveRoom, event_id: str) -> tuple[list[str], list[str]]:
        """GET state_ids"""
        answer = await self._servers.get(
            server, path_of(f"{_V1}/state_ids", room.room_id), [("event_id", event_id)], timeout_s=_LONG_S
        )
        return _ids_in(answer, "pdu_ids"), _ids_in(answer, "auth_chain_ids")

    async def state_before(self, server: str, room: LiveRoom, event_id: str) -> list[Event]:
        """GET state"""
        answer = await self._servers.get(
            server, path_of(f"{_V1}/state", room.room_id), [("event_id", event_id)], timeout_s=_LONG_S,
            limit=MOST_BYTES,
        )
        return await self._read(server, room, _events_in(answer, "auth_chain") + _events_in(answer, "pdus"))

    async def events(self, server: str, room: LiveRoom, event_ids: Sequence[str]) -> list[Event]:
        """GET event, for each"""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(event_id: str) -> list[Any]:
            async with turns:
                try:
                    answer = await self._servers.get(server, path_of(f"{_V1}/event", event_id))
                except PeerFailed:
                    return []
                return _events_in(answer, "pdus")[:1]

        found = await asyncio.gather(*(one(event_id) for event_id in event_ids))
        wanted = set(event_ids)
        events = await self._read(server, room, [pdu for pdus in found for pdu in pdus])
        return [event for event in events if event.event_id in wanted]

    async def backfill(
        self, servers: Sequence[str], room: LiveRoom, event_ids: Sequence[str], limit: int
    ) -> list[Event]:
        """GET backfill, from the first server that has something"""
        query = [*(("v", event_id) for event_id in event_ids), ("limit", str(limit))]
        fault = PeerFailed("No other server is in this room")
        for server in servers:
            try:
                answer = await self._servers.get(server, path_of(f"{_V1}/backfill", room.room_id), query)
                found = await self._read(server, room, _events_in(answer, "pdus")[: limit * 2])
            except PeerFailed as failed:
                fault = failed
                continue
            if found:
                return found
        raise fault

    async def _read(self, server: str, room: LiveRoom, pdus: Sequence[object]) -> list[Event]:
        events = await self._reader.read(pdus, room.version)
        return [event for event in events if event.room_id == room.room_id]


def _events_in(answer: object, name: str) -> list[Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) > _MOST_EVENTS:
        raise PeerFailed("The other server did not answer as it should", detail=f"no {name}")
    return found


def _ids_in(answer: object, name: str) -> list[str]:
    return [item for item in _events_in(answer, name) if isinstance(item, str)]
