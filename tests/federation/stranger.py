"""A small homeserver for tests that tells our node what a test wants it to be told, right or wrong.

    async with meeting(tmp_path) as (node, oni):
        room = oni.creates_room("@oni")
        oni.tells["make_join"] = lambda asked: {...}

What our node asks and sends is in ``asked``; what is not told otherwise is answered as it should be.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
from aiohttp import web
from yarl import URL

from federation.identity.servers import path_of
from federation.identity.x_matrix import authorization
from server.foundation.canonical_json import canonical_json
from server.foundation.clock import Clock, SystemClock
from server.foundation.signatures import SigningKey, sign_json, unpadded_base64
from server.rooms.event import Event, own_signature
from server.rooms.event_format import read_pdu
from server.rooms.room_versions import room_version
from tests.builders import Answer, RunningNode
from tests.federation.stranger_room import StrangerRoom
from tests.federation.town import CERTIFICATES, FarNode, free_port

Json = dict[str, Any]
_DAY_MS = 24 * 3_600_000
_txns = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What our node has asked. ``door`` is the word after the version, ``names`` what follows it in the path."""

    method: str
    door: str
    names: list[str]
    query: Mapping[str, str]
    content: Any
    path: str


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that is not 200 with JSON."""

    status: int
    body: Any = field(default_factory=dict)


class Stranger:
    """Another homeserver."""

    def __init__(self) -> None:
        self.port = free_port()
        self.name = f"localhost:{self.port}"
        self.key = SigningKey.generate()
        self.rooms: dict[str, StrangerRoom] = {}
        # Servers whose events its rooms can judge.
        self.known: dict[str, SigningKey] = {self.name: self.key}
        self.asked: list[Asked] = []
        self.tells: dict[str, Any] = {}
        self.runner: web.AppRunner | None = None
        self._news = asyncio.Condition()

    # ---- living --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Answer."""
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATES / "certificate.pem", CERTIFICATES / "private_key.pem")
        await web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=context).start()

    async def stop(self) -> None:
        """Be away."""
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    # ---- rooms ---------------------------------------------------------------------------------------------------

    def user(self, name: str) -> str:
        """Somebody who lives there."""
        return f"@{name}:{self.name}"

    def creates_room(self, name: str = "oni", *, version: str = "11", join_rule: str = "public",
                     levels: Json | None = None, **create: Any) -> StrangerRoom:
        """A room with a creator, power levels and a join rule."""
        creator = self.user(name)
        room = StrangerRoom.created(self.name, self.known, creator, version, create)
        users = {} if room.version.creators_have_infinite_power else {creator: 100}
        room.put(creator, "m.room.power_levels", {"users": users, **(levels or {})}, "")
        room.put(creator, "m.room.join_rules", {"join_rule": join_rule}, "")
        self.rooms[room.room_id] = room
        return room

    async def joins(self, node: RunningNode, room_id: str, name: str = "oni") -> StrangerRoom:
        """Join a room of ours, as it should be done."""
        user = self.user(name)
        proposed = await self.asks(node, "GET", path_of("v1/make_join", room_id, user), query={"ver": "12"})
        if proposed.status != 200:
            query = {"ver": proposed.body["room_version"]}
            proposed = await self.asks(node, "GET", path_of("v1/make_join", room_id, user), query=query)
        room = StrangerRoom(room_id, proposed["room_version"], self.known)
        join = room.sealed(proposed["event"])
        answer = await self.asks(node, "PUT", path_of("v2/send_join", room_id, join.event_id), join.pdu)
        room.arrive(join, answer["state"], answer["auth_chain"])
        self.rooms[room_id] = room
        return room

    # ---- asking --------------------------------------------------------------------------------------------------

    async def asks(
        self, node: RunningNode, method: str, path: str, content: Any = None, *, query: Json | None = None,
        header: str | None = None, body: bytes | None = None,
    ) -> Answer:
        """A signed request; ``path`` is encoded and below ``/_matrix/federation/`` unless it begins with a slash."""
        full = path if path.startswith("/") else f"/_matrix/federation/{path}"
        uri = full + (f"?{urlencode(query or {}, quote_via=quote)}" if query else "")
        signed = header or self.authorization(node, method, uri, content)
        data = canonical_json(content) if content is not None and body is None else body
        async with node.client.request(
            method, URL(uri, encoded=True), data=data, headers={"Authorization": signed}
        ) as answer:
            raw = await answer.read()
            node.contract.require_no_faults()
            return Answer(answer.status, orjson.loads(raw) if raw else None, dict(answer.headers))

    def authorization(self, node: RunningNode, method: str, uri: str, content: Any = None, **other: str) -> str:
        """The header that signs a request; ``origin`` and ``destination`` may be others."""
        origin, destination = other.get("origin", self.name), other.get("destination", node.settings.server_name)
        return authorization(self.key, method, uri, origin, destination, content)

    async def sends(self, node: RunningNode, *pdus: Event | Json, edus: Sequence[Json] = (), txn: str = "") -> Answer:
        """A transaction."""
        content = {
            "origin": self.name, "origin_server_ts": SystemClock().now_ms(), "edus": list(edus),
            "pdus": [pdu.pdu if isinstance(pdu, Event) else pdu for pdu in pdus],
        }
        return await self.asks(node, "PUT", f"v1/send/{txn or f't{next(_txns)}'}", content)

    async def tells_of(self, node: RunningNode, *events: Event) -> None:
        """Events that our node must take."""
        for start in range(0, len(events), 50):
            part = events[start:start + 50]
            answer = await self.sends(node, *part)
            assert answer.status == 200, answer
            assert answer["pdus"] == {event.event_id: {} for event in part}, answer

    async def invites(
        self, node: RunningNode, event: Event, *, version: str = "11", shown: Sequence[Json] | None = None,
        pdu: Json | None = None,
    ) -> Answer:
        """Invite somebody of ours by v2."""
        room = self.rooms.get(event.room_id)
        stripped = [{name: item.pdu[name] for name in ("type", "state_key", "content", "sender")}
                    for item in room.state.values()] if room is not None else []
        content = {"event": pdu or event.pdu, "room_version": version,
                   "invite_room_state": stripped if shown is None else list(shown)}
        return await self.asks(node, "PUT", path_of("v2/invite", event.room_id, event.event_id), content)

    # ---- hearing -------------------------------------------------------------------------------------------------

    def asked_for(self, door: str) -> list[Asked]:
        """What our node has asked at one door."""
        return [asked for asked in self.asked if asked.door == door]

    @property
    def heard(self) -> list[Json]:
        """Events that our node has sent."""
        return [pdu for asked in self.asked_for("send") for pdu in asked.content["pdus"]]

    async def hears(self, of: Callable[[Json], bool]) -> Json:
        """Wait until our node has sent such an event."""
        async with asyncio.timeout(60), self._news:
            while True:
                for pdu in self.heard:
                    if of(pdu):
                        return pdu
                await self._news.wait()

    async def hears_text(self, text: str) -> Json:
        """Wait until our node has sent a message."""
        return await self.hears(lambda pdu: pdu["content"].get("body") == text)

    # ---- answering -----------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = [unquote(part) for part in request.raw_path.partition("?")[0].split("/")[1:]]
        data = await request.read()
        door, names = (parts[3], parts[4:]) if len(parts) > 3 else (parts[-1], [])
        asked = Asked(request.method, door, names, dict(request.query), orjson.loads(data) if data else None,
                      request.path)
        self.asked.append(asked)
        tell = self.tells.get(door, getattr(self, f"on_{door}", Said(404, {"errcode": "M_UNRECOGNIZED"})))
        told = tell(asked) if callable(tell) else tell
        if inspect.isawaitable(told):
            told = await told
        async with self._news:
            self._news.notify_all()
        if isinstance(told, web.StreamResponse):
            return told
        said = told if isinstance(told, Said) else Said(200, told)
        body = said.body if isinstance(said.body, bytes) else orjson.dumps(said.body)
        return web.Response(status=said.status, body=body, content_type="application/json")

    def keys(self, **other: Any) -> Json:
        """What it publishes of its keys, signed; ``other`` fields replace the right ones."""
        return sign_json({
            "server_name": self.name, "valid_until_ts": SystemClock().now_ms() + _DAY_MS, "old_verify_keys": {},
            "verify_keys": {self.key.key_id: {"key": unpadded_base64(self.key.public)}}, **other,
        }, self.name, self.key)

    def on_server(self, _: Asked) -> Json:
        """The key door."""
        return self.keys()

    def on_send(self, asked: Asked) -> Json:
        """Events of ours are taken in."""
        for pdu in asked.content["pdus"]:
            if pdu.get("room_id") in self.rooms:
                self.rooms[pdu["room_id"]].judged.receive(pdu)
        return {"pdus": {}}

    def on_make_join(self, asked: Asked, membership: str = "join") -> Json:
        """A template."""
        room = self.rooms[asked.names[0]]
        user = asked.names[1]
        return {"room_version": room.version.name,
                "event": room.draft(user, "m.room.member", {"membership": membership}, user)}

    def on_make_knock(self, asked: Asked) -> Json:
        """A template."""
        return self.on_make_join(asked, "knock")

    def on_make_leave(self, asked: Asked) -> Json:
        """A template."""
        return self.on_make_join(asked, "leave")

    def on_send_join(self, asked: Asked) -> Json:
        """The state of the room before the join, and all that it rests on."""
        room = self.rooms[asked.names[0]]
        room.judged.receive(asked.content)
        join = room.judged.events[asked.names[1]]
        state = room.state_before(join)
        return {"state": [event.pdu for event in state], "auth_chain": [item.pdu for item in room.chain(state)],
                "event": asked.content, "members_omitted": False, "origin": self.name,
                "servers_in_room": [self.name]}

    def on_send_leave(self, asked: Asked) -> Json:
        """Taken."""
        if asked.names[0] in self.rooms:
            self.rooms[asked.names[0]].judged.receive(asked.content)
        return {}

    def on_send_knock(self, asked: Asked) -> Json:
        """Taken."""
        self.on_send_leave(asked)
        return {"knock_room_state": [event.pdu for event in self.rooms[asked.names[0]].state.values()
                                     if event.type in ("m.room.create", "m.room.join_rules")]}

    def on_event(self, asked: Asked) -> Any:
        """One event."""
        found = self._find(asked.names[0])
        return Said(404, {"errcode": "M_NOT_FOUND"}) if found is None else {"origin": self.name, "pdus": [found.pdu]}

    def on_event_auth(self, asked: Asked) -> Any:
        """What it rests on."""
        room, event = self.rooms[asked.names[0]], self._find(asked.names[1])
        if event is None:
            return Said(404, {"errcode": "M_NOT_FOUND"})
        return {"auth_chain": [item.pdu for item in room.chain([event])]}

    def on_state_ids(self, asked: Asked) -> Any:
        """The ids of the state before an event."""
        told = self.on_state(asked)
        if isinstance(told, Said):
            return told
        return {"pdu_ids": [self._name(asked, pdu) for pdu in told["pdus"]],
                "auth_chain_ids": [self._name(asked, pdu) for pdu in told["auth_chain"]]}

    def on_state(self, asked: Asked) -> Any:
        """The state before an event."""
        room, event = self.rooms[asked.names[0]], self._find(asked.query["event_id"])
        if event is None:
            return Said(404, {"errcode": "M_NOT_FOUND"})
        state = room.state_before(event)
        return {"pdus": [item.pdu for item in state], "auth_chain": [item.pdu for item in room.chain(state)]}

    def on_get_missing_events(self, asked: Asked) -> Json:
        """Up to ``limit`` of them, the newest."""
        content = asked.content
        room, stop = self.rooms[asked.names[0]], {*content["earliest_events"], *content["latest_events"]}
        return {"events": self._back(room, content["latest_events"], stop, int(content.get("limit", 10)))}

    def on_backfill(self, asked: Asked) -> Json:
        """Up to ``limit`` of them."""
        room = self.rooms[asked.names[0]]
        start = room.judged.events.get(asked.query["v"])
        back = self._back(room, [asked.query["v"]], set(), int(asked.query["limit"]) - 1)
        return {"origin": self.name, "pdus": [*back, *([start.pdu] if start else [])][::-1]}

    def on_invite(self, asked: Asked) -> Json:
        """Signed."""
        event = read_pdu(asked.content["event"], room_version(asked.content["room_version"]))
        mine = {self.name: {self.key.key_id: own_signature(event, self.key)}}
        return {"event": {**event.pdu, "signatures": {**event.pdu["signatures"], **mine}}}

    def _back(self, room: StrangerRoom, start: Sequence[str], stop: set[str], limit: int) -> list[Json]:
        found: dict[str, Event] = {}
        waiting = list(start)
        while waiting and len(found) < limit:
            event = room.judged.events.get(waiting.pop(0))
            for link in event.prev_events if event else []:
                if link not in stop and link not in found and link in room.judged.events and len(found) < limit:
                    found[link] = room.judged.events[link]
                    waiting.append(link)
        return [event.pdu for event in sorted(found.values(), key=lambda event: event.depth)]

    def _find(self, event_id: str) -> Event | None:
        for room in self.rooms.values():
            if event_id in room.judged.events:
                return room.judged.events[event_id]
        return None

    def _name(self, asked: Asked, pdu: Json) -> str:
        room = self.rooms[asked.names[0]]
        return next(event_id for event_id, event in room.judged.events.items() if event.pdu is pdu)


@asynccontextmanager
async def meeting(
    folder: Path, strangers: int = 1, *, clock: Clock | None = None, more: str = ""
) -> AsyncIterator[tuple[Any, ...]]:
    """A node of ours and strangers: ``(node, oni, …)``."""
    async with AsyncExitStack() as closing:
        far = FarNode(folder / "node", clock=clock, more=more)
        await far.start()
        closing.push_async_callback(far.stop)
        far.node.contract.requests_may_be_wrong = True  # strangers say what a test wants them to say
        found: list[Stranger] = []
        for _ in range(strangers):
            stranger = Stranger()
            await stranger.start()
            closing.push_async_callback(stranger.stop)
            found.append(stranger)
        identity = far.node.inside.services.sender.identity
        keys = {identity.server_name: identity.key, **{stranger.name: stranger.key for stranger in found}}
        for stranger in found:
            stranger.known |= keys
        yield (far.node, *found)
