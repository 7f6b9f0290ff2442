"""Another homeserver for the server under test to meet: it has rooms, lets people join, sends and takes transactions.

It answers under as many names as there are loopback addresses (``127.0.1.7:PORT``), all with one key, so that a room
may have members on hundreds of servers. It is part of the harness; its work is not in any figure.
"""

from __future__ import annotations

import asyncio
import copy
import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from federation.identity.own_keys import published_keys
from federation.identity.x_matrix import authorization
from server.foundation.signatures import SigningKey
from server.rooms.auth_rules.selection import auth_types_for
from server.rooms.event import Event, StateKey, seal
from server.rooms.room_versions import room_version

Json = dict[str, Any]

_CERTIFICATES = Path(__file__).resolve().parent.parent / "tests" / "data" / "tls"
_VERSION = room_version("10")
_NOW_MS = 1_790_000_000_000


class StrangersRoom:
    """A public room of the stranger, version 10, in a straight line."""

    def __init__(self, number: int, home: str, key: SigningKey) -> None:
        self.room_id = f"!room{number}:{home}"
        self.home = home
        self._key = key
        self.state: dict[StateKey, Event] = {}
        self.events: dict[str, Event] = {}
        self.tip: list[str] = []
        self.depth = 0
        boss = f"@boss:{home}"
        self.add("m.room.create", boss, {"creator": boss, "room_version": "10"}, "")
        self.add("m.room.member", boss, {"membership": "join"}, boss)
        self.add("m.room.power_levels", boss, {"users": {boss: 100}, "events_default": 0}, "")
        self.add("m.room.join_rules", boss, {"join_rule": "public"}, "")
        self.boss = boss

    def add(self, kind: str, sender: str, content: Json, state_key: str | None = None) -> Event:
        """The next event of the room, signed by its sender's server."""
        event = seal(self.proposal(kind, sender, content, state_key), _VERSION, sender.partition(":")[2], self._key)
        self.enter(event)
        return event

    def enter(self, event: Event) -> None:
        """An event at the end of the room."""
        self.events[event.event_id] = event
        if event.state_key is not None:
            self.state[event.key] = event
        self.tip, self.depth = [event.event_id], event.depth

    def fork(self) -> StrangersRoom:
        """The same room, to be gone on with apart from this one."""
        other = copy.copy(self)
        other.state, other.events = dict(self.state), dict(self.events)
        return other

    def proposal(self, kind: str, sender: str, content: Json, state_key: str | None) -> Json:
        """An event without hash and signature."""
        wanted = auth_types_for(kind, sender, state_key, content, _VERSION)
        pdu: Json = {
            "auth_events": [self.state[key].event_id for key in wanted if key in self.state], "content": content,
            "depth": self.depth + 1, "origin_server_ts": _NOW_MS + self.depth, "prev_events": self.tip,
            "room_id": self.room_id, "sender": sender, "type": kind,
        }
        return pdu if state_key is None else {**pdu, "state_key": state_key}


class Stranger:
    """The server, listening on every loopback address."""

    def __init__(self) -> None:
        self.key = SigningKey.from_seed("1", bytes(range(32)))
        self.rooms: dict[str, StrangersRoom] = {}
        self.taken = 0
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def home(self) -> str:
        """The name that its rooms have."""
        return self.name(0)

    def name(self, number: int) -> str:
        """One of its names."""
        return f"127.0.{1 + number // 200}.{1 + number % 200}:{self.port}"

    def room(self) -> StrangersRoom:
        """A new room."""
        room = StrangersRoom(len(self.rooms), self.home, self.key)
        self.rooms[room.room_id] = room
        return room

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=1 << 28)
        app.router.add_get("/_matrix/key/v2/server", self._keys)
        app.router.add_get("/_matrix/federation/v1/make_join/{room}/{user}", self._make_join)
        app.router.add_put("/_matrix/federation/v2/send_join/{room}/{event}", self._send_join)
        app.router.add_put("/_matrix/federation/v1/send/{txn}", self._take)
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(_CERTIFICATES / "certificate.pem", _CERTIFICATES / "private_key.pem")
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "0.0.0.0", 0, ssl_context=context, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def transaction(self, destination: str, txn: str, events: list[Event]) -> tuple[str, bytes, Mapping[str, str]]:
        """A transaction for the server under test: path, body, headers."""
        path = f"/_matrix/federation/v1/send/{quote(txn)}"
        content = {
            "origin": self.home, "origin_server_ts": _NOW_MS, "pdus": [event.pdu for event in events], "edus": [],
        }
        header = authorization(self.key, "PUT", path, self.home, destination, content)
        return path, json.dumps(content).encode(), {"Authorization": header, "Content-Type": "application/json"}

    async def until_taken(self, count: int, patience_s: float) -> bool:
        """Wait until so many events have come in, on all names together."""
        try:
            async with asyncio.timeout(patience_s):
                while self.taken < count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response(published_keys(request.host, self.key, int(time.time() * 1000)))

    async def _make_join(self, request: web.Request) -> web.Response:
        room, user = self.rooms[request.match_info["room"]], request.match_info["user"]
        return web.json_response({
            "room_version": "10", "event": room.proposal("m.room.member", user, {"membership": "join"}, user),
        })

    async def _send_join(self, request: web.Request) -> web.Response:
        room = self.rooms[request.match_info["room"]]
        before = list(room.state.values())
        pdu = await request.json()
        pdu.pop("unsigned", None)
        room.enter(Event(pdu, _VERSION, request.match_info["event"], room.room_id))
        state = [event.pdu for event in before]
        return web.json_response({
            "state": state, "auth_chain": state[:4], "event": pdu, "origin": self.home, "members_omitted": False,
            "servers_in_room": [self.home],
        })

    async def _take(self, request: web.Request) -> web.Response:
        content = await request.json()
        self.taken += len(content.get("pdus", []))
        self._arrived.set()
        return web.json_response({"pdus": {}})

    async def _unknown(self, _request: web.Request) -> web.Response:
        return web.json_response({"errcode": "M_UNRECOGNIZED", "error": "unknown"}, status=404)
